import type { LarryEvent } from '@larry/contracts';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MirroredEvent } from './mirror';
import { newsText, WebhookSink } from './webhook-sink';

const got: { headers: IncomingHttpHeaders; body: string }[] = [];
let answers: number[] = [];
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 200, { location: 'http://127.0.0.1:1/' }).end();
  });
});
let url: URL;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret-token`);
});
afterAll(() => server.close());
const warned: object[] = [];
beforeEach(() => {
  got.length = warned.length = 0;
  answers = [];
});

const log = { warn: (fields: object) => void warned.push(fields) };
const never = new AbortController().signal;
const item = (id: string, event: Record<string, unknown>, channel = 'larry:coordination'): MirroredEvent => {
  const whole = { id, from: 'larry-01', run: 'r1', timestamp: '2026-11-22T00:00:00.000Z', ...event } as LarryEvent;
  return { kind: 'event', cursor: `${id}-0`, channel, event: whole, json: JSON.stringify(whole) };
};
const asked = item('1', { event: 'approval_requested', task_id: 'fix-pgadmin-crashloop', digest: 'abc123' });
const claimed = item('2', { event: 'task_claimed', task_id: 'x' });
const alarm = item('3', { event: 'worker_failure', severity: 'critical', data: { worker_id: 'w', task_id: 't', error: '<!channel> & \u001b[2J', retry_count: 1 } }, 'larry:alerts');
const ended = item('4', { event: 'run_complete', state: { status: 'completed' } });

it('posts what people want to be told, in order, signed, and nothing else', async () => {
  await new WebhookSink({ url, format: 'json', secret: 's3' }, log).deliver([asked, claimed, alarm, ended], never);
  expect(got.map(({ body }) => body)).toEqual([asked.json, alarm.json, ended.json]);
  expect(got[0]?.headers).toMatchObject({ 'x-larry-event-id': 'r1/1', 'x-larry-signature': `sha256=${createHmac('sha256', 's3').update(asked.json).digest('hex')}` });
});

it('says in Slack’s format what to type, and makes no mention or link of hostile text', async () => {
  await new WebhookSink({ url, format: 'slack' }, log).deliver([asked, alarm], never);
  expect(got.map(({ body }) => (JSON.parse(body) as { text: string }).text)).toEqual([
    'larry-01 approval requested (fix-pgadmin-crashloop) — to allow it: larry approve abc123 · run r1',
    expect.stringMatching(/^\[critical\] larry-01 worker failure \(t\): &lt;!channel&gt; &amp; .*· run r1$/),
  ]);
  expect(newsText(alarm.event)).not.toContain('\u001b');
});

it('goes on behind what was confirmed when it is asked again after a failure', async () => {
  answers = [200, 503, 200, 200];
  const sink = new WebhookSink({ url, format: 'json' }, log);
  const page = [asked, alarm, ended];
  await expect(sink.deliver(page, never)).rejects.toThrow(`the webhook at ${url.host} answered 503`);
  await sink.deliver(page, never);
  expect(got.map(({ headers }) => headers['x-larry-event-id'])).toEqual(['r1/1', 'r1/3', 'r1/3', 'r1/4']);
});

it.each([301, 401, 404, 429])('tries again after %i, and names no secret of the address', async (status) => {
  answers = [status];
  const failure = await new WebhookSink({ url, format: 'json' }, log).deliver([ended], never).catch((error: Error) => error.message);
  expect(failure).toMatch(/^the webhook at 127\.0\.0\.1:\d+ /);
  expect(failure).not.toContain('secret-token');
});

it('leaves out, and says so, an event that the other side will never take', async () => {
  answers = [413, 200];
  await new WebhookSink({ url, format: 'json' }, log).deliver([asked, ended], never);
  expect(got).toHaveLength(2);
  expect(warned).toEqual([{ event: '1', run: 'r1', status: 413 }]);
});
