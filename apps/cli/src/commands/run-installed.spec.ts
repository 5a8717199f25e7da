import { eventually } from '@larry/redis/testing';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildProgram } from '../program';

/** A meta-coordinator with one run, in the state that is asked for. */
async function anInstallation(state: { status: string; current?: string }) {
  const asked: { method?: string; url?: string; token?: string; body: string }[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      asked.push({ method: request.method, url: request.url, token: request.headers.authorization, body });
      if (request.url === '/runs') response.writeHead(201).end('{"run":"run-7","warnings":["node k3s-worker09 is not there"]}');
      else if (request.url === '/runs/current') response.end(JSON.stringify({ run: state.current ?? 'run-7', status: state.status }));
      else if (request.url === '/events') response.write('id: 1-0\ndata: {"event":"run_complete","run":"run-7","from":"meta-coordinator"}\n\n');
      else response.writeHead(404).end('{"error":"there is no summary"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close: () => void server.close().closeAllConnections() };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

describe('larry run --api', () => {
  const state = mkdtempSync(path.join(tmpdir(), 'larry-run-api-'));
  const said = { out: '', err: '' };
  const had = process.env['LARRY_TOKEN'];
  beforeEach(() => {
    said.out = said.err = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said.out += String(text)), true));
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((said.err += String(text)), true));
    process.env['LARRY_TOKEN'] = 'a-token';
  });
  afterEach(() => {
    jest.restoreAllMocks();
    process.exitCode = 0;
    if (had === undefined) delete process.env['LARRY_TOKEN'];
    else process.env['LARRY_TOKEN'] = had;
  });
  afterAll(() => rmSync(state, { recursive: true, force: true }));

  const run = (api: string, ...words: string[]) => buildProgram().parseAsync(['node', 'larry', 'run', '--api', api, '--state', state, ...words]);

  it('begins the run with the plan, the mode and the token, shows its events, and exits 1 when it failed', async () => {
    const installation = await anInstallation({ status: 'failed' });
    await run(installation.url, '--mode', 'ask');
    installation.close();
    expect(process.exitCode).toBe(1);
    expect(said.out).toMatch(/Run run-7: .*3 Larrys, 16 workers, mode ask[\s\S]*run_complete/);
    expect(said.err).toMatch(/node k3s-worker09 is not there[\s\S]*ended as failed without a summary; kubectl logs -n meta-coordinator/);
    const [begun] = installation.asked;
    expect(begun).toMatchObject({ method: 'POST', url: '/runs', token: 'Bearer a-token' });
    expect(JSON.parse(begun?.body ?? '')).toMatchObject({ mode: 'ask', plan: { larrys: expect.any(Array) as unknown } });
  });

  it('leaves the run going at Ctrl-C, says how to follow and end it, and asks for no abort', async () => {
    const installation = await anInstallation({ status: 'running' });
    const followed = run(installation.url);
    await eventually(() => expect(said.out).toContain('run_complete'));
    process.emit('SIGINT');
    await followed;
    installation.close();
    expect(process.exitCode).toBe(130);
    expect(said.err).toContain(`abort --api ${installation.url} ends it`);
    expect(installation.asked.filter(({ url }) => url?.includes('abort'))).toEqual([]);
  });

  it('does not report another run as its own', async () => {
    const installation = await anInstallation({ status: 'completed', current: 'run-8' });
    await expect(run(installation.url, '--json')).rejects.toThrow(/^run run-7 is over, and run-8 has begun since/);
    installation.close();
  });

  it('refuses words that set up a run of this machine', async () => {
    await expect(run('http://127.0.0.1:1', '--simulated')).rejects.toThrow(/cannot be used with option/);
  });
});
