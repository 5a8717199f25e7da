import type { KindInfo } from '@larry/kube';
import type { Playbook } from '@larry/playbook';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { paint } from '../terminal/paint';
import { clusterLines, readLine } from './cluster';
import { doctorText, looked } from './doctor-line';
import { nodeLine, portLine, spaceLine, stateLines } from './machine';
import { clockVerdict, infoOf } from './redis';

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

describe('a line of larry doctor', () => {
  it('says what to do below what was seen, safely', () => {
    expect(doctorText({ subject: 'Redis', level: 'fail', seen: '\u001b[2Jgone', todo: 'start it' }, paint(false))).toBe('fail    Redis            gone\n                         → start it');
  });

  it('is unknown where looking went wrong, and hides no other line', async () => {
    expect(await looked('disk', () => Promise.reject(new Error('no such call')))).toEqual([{ subject: 'disk', level: 'unknown', seen: 'no such call' }]);
  });
});
