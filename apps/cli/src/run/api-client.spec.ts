import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiClient, type FollowOptions } from './api-client';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function client(listener: RequestListener, token?: string): Promise<ApiClient> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => void server.close().closeAllConnections());
  return new ApiClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...(token ? { token } : {}) });
}

/** Follows until `count` events have come. */
async function follow(api: ApiClient, count: number, options: Partial<FollowOptions> = {}) {
  const problems: string[] = [];
  const ids: string[] = [];
  const stop = new AbortController();
  for await (const item of api.events({ signal: stop.signal, onProblem: (sentence) => problems.push(sentence), ...options })) {
    ids.push(item.id);
    if (ids.length === count) break;
  }
  stop.abort();
  return { problems, ids };
}

const anEvent = (id: string) => `id: ${id}\nevent: run_begun\ndata: {"event":"run_begun"}\n\n`;

describe('following the events', () => {
  it('says once why it is refused for now, and goes on when it no longer is', async () => {
    let asked = 0;
    const api = await client((_, response) => {
      asked += 1;
      if (asked <= 3) response.writeHead(503).end('{"error":"100 readers follow the events already"}');
      else response.end(anEvent('1-0'));
    });
    expect(await follow(api, 1)).toEqual({ ids: ['1-0'], problems: ['no events for now: 100 readers follow the events already; still trying'] });
    expect(asked).toBe(4);
  });

  it('says it again when it is refused again later, and takes up where it was', async () => {
    const after: unknown[] = [];
    const api = await client((request, response) => {
      after.push(request.headers['last-event-id']);
      if (after.length % 2 === 1) response.writeHead(503).end();
      else response.end(anEvent(`${after.length}-0`));
    });
    const { ids, problems } = await follow(api, 2);
    expect(ids).toEqual(['2-0', '4-0']);
    expect(problems).toEqual(Array(2).fill('no events for now: the event stream answers 503; still trying'));
    expect(after).toEqual(['start', 'start', '2-0', '2-0']);
  });

  it('writes to stderr where nobody listens', async () => {
    const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    let asked = 0;
    const api = await client((_, response) => void (++asked === 1 ? response.writeHead(503).end('{"error":"busy\\u001b[2J"}') : response.end(anEvent('1-0'))));
    await follow(api, 1, { onProblem: undefined });
    const written = stderr.mock.calls.map(([text]) => String(text));
    stderr.mockRestore();
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^larry: no events for now: busy[^\u001b]*; still trying\n$/);
  });

  it('ends with the reason when it is refused for good', async () => {
    const api = await client((_, response) => void response.writeHead(401).end('{"error":"this token is not known here"}'));
    await expect(follow(api, 1)).rejects.toThrow('this token is not known here');
  });

  it('sends its token', async () => {
    const api = await client((request, response) => void response.end(anEvent(request.headers.authorization === 'Bearer t' ? '1-0' : '0-0')), 't');
    expect((await follow(api, 1)).ids).toEqual(['1-0']);
  });
});
