import type { KindInfo } from '@larry/kube';
import type { Playbook } from '@larry/playbook';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { paint } from '../terminal/paint';
import { clusterLines, readLine } from './cluster';
import { doctorText, looked, type DoctorLine } from './doctor-line';
import { keptLines } from './kept-files';
import { nodeLine, portLine, spaceLine, stateLines } from './machine';
import { clockVerdict, infoOf } from './redis';
import { runLines } from './run';

describe('what larry doctor says of this machine', () => {
  it.each([
    ['v18.20.0', 'fail'],
    ['v20.18.9', 'fail'],
    ['v20.19.0', 'ok'],
    ['v22.1.0', 'ok'],
    ['v23.0.0', 'warn'],
    ['v24.0.0', 'ok'],
  ])('Node.js %s: %s', (version, level) => expect(nodeLine(version).level).toBe(level));

  it.each([
    [50, 'fail'],
    [100, 'warn'],
    [1023, 'warn'],
    [1024, 'ok'],
  ])('%i MB free: %s', (megabytes, level) => expect(spaceLine('/x', megabytes * 1024 * 1024).level).toBe(level));

  it('looks at the folder in which a state folder would be made', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-doctor-'));
    expect((await stateLines(path.join(folder, 'not', 'there')))[0]?.seen).toContain(`${folder}: `);
    rmSync(folder, { recursive: true });
  });

  it('finds that ports can be opened', async () => expect(await portLine()).toMatchObject({ level: 'ok' }));
});

describe('what larry doctor says of clocks', () => {
  it.each([
    [0, 1, 'ok'],
    [-499, 0, 'ok'],
    [600, 0, 'warn'],
    [600, 200, 'ok'],
    [-5000, 0, 'fail'],
  ])('%i ms apart, known to %i ms: %s', (difference, uncertain, level) => expect(clockVerdict(difference, uncertain).level).toBe(level));

  it('reads INFO with either end of line', () => expect(infoOf('# Server\r\nredis_version:7.0.15\r\nrole:master\n').get('role')).toBe('master'));
});

const kind = (resource: string, apiVersion: string, listed = true): KindInfo => ({ resource, apiVersion, kind: resource, namespaced: true, availability: listed ? { state: 'listed' } : { state: 'unknown', reason: 'forbidden' } });
const playbook = { id: 'scan', access: [{ apiGroups: [''], resources: ['secrets', 'pods'], verbs: ['list'] }] } as unknown as Playbook;

describe('what larry doctor says of rights', () => {
  it('names what a playbook needs and may not list, and which playbook', () => {
    const line = readLine([kind('pods', 'v1'), kind('secrets', 'v1', false), kind('secrets', 'other/v1', false)], [playbook]);
    expect(line).toMatchObject({ level: 'warn', seen: '1 of 3 kinds can be listed; not secrets (scan)' });
  });

  it('is content when everything can be listed, and fails when nothing can', () => {
    expect(readLine([kind('pods', 'v1')], [playbook]).level).toBe('ok');
    expect(readLine([kind('pods', 'v1', false)], [playbook]).level).toBe('fail');
  });

  it('fails a kubeconfig that names no cluster, with what to do', async () => {
    expect(await clusterLines({ kubeconfig: '/nonexistent/kubeconfig' })).toMatchObject([{ subject: 'cluster', level: 'fail', seen: expect.stringContaining('/nonexistent/kubeconfig') as string, todo: expect.any(String) as string }]);
  });
});

describe('what larry doctor says of a run on this machine', () => {
  const state = mkdtempSync(path.join(os.tmpdir(), 'larry-doctor-run-'));
  const ready = (name: string, content: object): void => {
    mkdirSync(path.join(state, 'logs'), { recursive: true });
    writeFileSync(path.join(state, 'logs', `${name}.ready.json`), JSON.stringify(content));
  };
  const stack = (...names: string[]) => ({ pid: process.pid, api: { url: 'http://127.0.0.1:1' }, redisUrl: 'redis://127.0.0.1:1', services: names.map((name) => ({ name, pid: gone })) });
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  const answering = async (text: string | undefined): Promise<number> => {
    const server = createServer((socket) => {
      sockets.push(socket);
      if (text !== undefined) socket.end(text);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return (server.address() as AddressInfo).port;
  };
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
    rmSync(state, { recursive: true });
  });
  /** No process has it: beyond the largest that Linux gives. */
  const gone = 2 ** 22 + 1;

  it('tells a service that is gone, one that is not ready, and one that answers', async () => {
    const body = JSON.stringify({ status: 'not ready', checks: { redis: 'Redis cannot be reached', cluster: 'ok' } });
    ready('meta-coordinator', { pid: process.pid, port: await answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}') });
    ready('larry-01', { pid: process.pid, port: await answering(`HTTP/1.1 503 No\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`) });
    const lines = await runLines(state, stack('meta-coordinator', 'larry-01', 'larry-02'));
    expect(lines.map((l) => [l.subject, l.level])).toEqual([['run', 'ok'], ['meta-coordinator', 'ok'], ['larry-01', 'fail'], ['larry-02', 'fail']]);
    expect(lines[2]).toMatchObject({ seen: expect.stringMatching(/not ready: redis: Redis cannot be reached$/) as string, todo: expect.stringContaining('larry logs larry-01') as string });
    expect(lines[3]?.seen).toContain(`process ${gone} is gone`);
  });

  it('tells a service that hangs', async () => {
    ready('larry-03', { pid: process.pid, port: await answering(undefined) });
    expect((await runLines(state, stack('larry-03')))[1]).toMatchObject({ level: 'fail', seen: expect.stringContaining('paused or stuck') as string });
  });

  it('says that the last run was killed', async () => {
    expect((await runLines(state, undefined))[0]).toMatchObject({ level: 'ok' });
    writeFileSync(path.join(state, 'stack.json'), '{}', { mode: 0o600 });
    expect((await runLines(state, undefined))[0]).toMatchObject({ level: 'warn', seen: expect.stringContaining('was killed') as string });
  });

  it('fails keys that others can read, and an audit log that was edited', async () => {
    mkdirSync(path.join(state, 'keys'), { recursive: true });
    const key = path.join(state, 'keys', 'approval.key');
    writeFileSync(key, 'x', { mode: 0o600 });
    const of = async (subject: string): Promise<DoctorLine | undefined> => (await keptLines(state)).find((l) => l.subject === subject);
    expect(await of('keys')).toMatchObject({ level: 'ok' });
    chmodSync(key, 0o644);
    expect(await of('keys')).toMatchObject({ level: 'fail', todo: expect.stringContaining(`chmod 600 ${key}`) as string });
    expect(await of('audit log')).toMatchObject({ level: 'ok' });
    appendFileSync(path.join(state, 'audit.jsonl'), '{"seq":7}\n');
    expect(await of('audit log')).toMatchObject({ level: 'fail', todo: expect.stringContaining('audit verify') as string });
  });
});

describe('a line of larry doctor', () => {
  it('says what to do below what was seen, safely', () => {
    expect(doctorText({ subject: 'Redis', level: 'fail', seen: '\u001b[2Jgone', todo: 'start it' }, paint(false))).toBe('fail    Redis            gone\n                         → start it');
  });

  it('is unknown where looking went wrong, and hides no other line', async () => {
    expect(await looked('disk', () => Promise.reject(new Error('no such call')))).toEqual([{ subject: 'disk', level: 'unknown', seen: 'no such call' }]);
  });
});
