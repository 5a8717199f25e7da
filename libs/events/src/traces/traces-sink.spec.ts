import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LarryEvent } from '@larry/contracts';
import type { MirroredEvent } from '../mirror/mirror';
import { traceIdOf } from './spans';
import { tracesEnvironmentSchema, tracesSettings, type TracesSettings } from './traces-config';
import { TracesSink } from './traces-sink';

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code: number; message?: string };
  attributes: { key: string; value: object }[];
}
interface OtlpTraces {
  resourceSpans: { resource: { attributes: { key: string; value: { stringValue: string } }[] }; scopeSpans: { scope: { name: string }; spans: OtlpSpan[] }[] }[];
}

const received: { url?: string; headers: IncomingHttpHeaders; body: Buffer }[] = [];
let answer = 200;
let silent = false;
let collector: Server;
let url: string;
const warned: object[] = [];
const log = { warn: (fields: object) => void warned.push(fields) };
const open: TracesSink[] = [];
const sink = (settings: Partial<TracesSettings> = {}) => {
  const made = new TracesSink({ url, protocol: 'http/json', ...settings }, log);
  open.push(made);
  return made;
};
// The exporter itself tries again for this long.
process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '500';
beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
      if (!silent) response.writeHead(answer, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
});
beforeEach(() => {
  [received.length, warned.length, answer, silent] = [0, 0, 200, false];
});
afterAll(async () => {
  await Promise.all(open.map((each) => each.close()));
  collector.closeAllConnections();
  collector.close();
});

const timestamp = '2026-11-23T10:00:16.123Z';
const ended = (more: object = {}): MirroredEvent => {
  const event = { id: 'fix/1/task_failed', from: 'larry-01', run: 'run-1', event: 'task_failed', task_id: 'fix', attempt: 1, reason: 'no rights', timestamp, began_at: '2026-11-23T10:00:01.001Z', ...more };
  return { kind: 'event', cursor: '1-0', channel: 'larry:coordination', event: event as LarryEvent, json: JSON.stringify(event) };
};
const never = new AbortController().signal;

it('sends spans in the form of OTLP, with the ids, times, status and service of the run', async () => {
  await sink().deliver([ended()], never);
  expect(received.map(({ url: path, headers }) => [path, headers['content-type']])).toEqual([['/v1/traces', 'application/json']]);
  const [{ resource, scopeSpans } = {} as OtlpTraces['resourceSpans'][0]] = (JSON.parse(received[0]?.body.toString() ?? '') as OtlpTraces).resourceSpans;
  expect(Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue]))).toMatchObject({ 'service.name': 'larry-01', 'service.namespace': 'larry' });
  expect(scopeSpans).toMatchObject([
    {
      scope: { name: 'larry' },
      spans: [
        {
          traceId: traceIdOf('run-1'), spanId: expect.stringMatching(/^[0-9a-f]{16}$/), parentSpanId: expect.stringMatching(/^[0-9a-f]{16}$/), name: 'task fix',
          startTimeUnixNano: `${Date.parse('2026-11-23T10:00:01.001Z')}000000`, endTimeUnixNano: `${Date.parse(timestamp)}000000`,
          status: { code: 2, message: 'no rights' },
          attributes: expect.arrayContaining([{ key: 'larry.task', value: { stringValue: 'fix' } }, { key: 'larry.attempt', value: { intValue: 1 } }]),
        },
      ],
    },
  ]); // prettier-ignore
});

it('sends protobuf unless it is told otherwise, and nothing for events that end no span', async () => {
  const settings = tracesSettings(tracesEnvironmentSchema.parse({ OTEL_EXPORTER_OTLP_ENDPOINT: url.replace('v1/traces', '') })) as TracesSettings;
  expect(settings).toEqual({ url, protocol: 'http/protobuf' });
  const protobuf = sink(settings);
  await protobuf.deliver([ended({ event: 'progress_update' })], never);
  expect(received).toEqual([]);
  await protobuf.deliver([ended()], never);
  expect(received[0]?.headers['content-type']).toBe('application/x-protobuf');
  expect(received[0]?.body.includes(Buffer.from(traceIdOf('run-1'), 'hex'))).toBe(true);
});

it.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }],
])('is off with %j', (env) => expect(tracesSettings(tracesEnvironmentSchema.parse(env))).toBeUndefined());

it('takes the address of traces as it stands, and puts the path behind the general one', () => {
  const read = (env: Record<string, string>) => tracesSettings(tracesEnvironmentSchema.parse(env))?.url;
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/otlp/' })).toBe('https://c/otlp/v1/traces');
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:4318/here' })).toBe('http://t:4318/here');
});

it('says in one sentence that nobody takes the traces, so that they are tried again', async () => {
  await expect(sink({ url: 'http://127.0.0.1:1/v1/traces' }).deliver([ended()], never)).rejects.toThrow(/^the collector at 127\.0\.0\.1:1 does not take the traces \(.+\): check OTEL_EXPORTER_OTLP_ENDPOINT$/);
  answer = 401;
  await expect(sink().deliver([ended()], never)).rejects.toThrow('(it answers 401)');
});

it('leaves out what the collector never takes, and says so', async () => {
  answer = 400;
  await sink().deliver([ended()], never);
  expect(warned).toEqual([{ status: 400, spans: 1, collector: new URL(url).host }]);
});

it('waits for a collector that does not answer no longer than it is let', async () => {
  silent = true;
  const stop = new AbortController();
  const delivered = sink().deliver([ended()], stop.signal);
  stop.abort();
  await expect(delivered).rejects.toThrow('stopped');
});
