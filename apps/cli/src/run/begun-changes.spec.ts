import { AuditLog } from '@larry/audit';
import { memoryCluster } from '@larry/kube/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { begunChangeLines } from './begun-changes';

const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-begun-'));
afterAll(() => rmSync(folder, { recursive: true }));

const deployment = (name: string, annotations?: Record<string, string>) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'database', ...(annotations ? { annotations } : {}) } });

describe('of a run whose Redis is gone', () => {
  const file = path.join(folder, 'audit.jsonl');
  const log = new AuditLog(file);
  const entry = (action: string, step: string, run = 'run-1') => log.append({ actor: 'user:ada', action, run, task: 'repair', step, digest: 'a'.repeat(64), details: { target: `Deployment database/${step}`, diff: '' } });

  beforeAll(async () => {
    await entry('change_intended', 'ended');
    await entry('change_applied', 'ended');
    await entry('change_intended', 'made');
    await entry('change_intended', 'missed');
    await entry('change_intended', 'elsewhere', 'run-2');
  });

  it('each change that was begun is told as made or not made: by the audit log, else by its object', async () => {
    const cluster = memoryCluster([deployment('ended'), deployment('made', { 'larry.dev/change': 'run-1/repair/made' }), deployment('missed')]);
    expect(await begunChangeLines(file, 'run-1', async () => cluster)).toEqual([
      'repair/ended: Deployment database/ended: applied, by the audit log',
      'repair/made: made: Deployment database/made carries its mark',
      'repair/missed: not made: Deployment database/missed does not carry its mark',
    ]);
  });

  it('what cannot be looked at is not known', async () => {
    const lines = await begunChangeLines(file, 'run-1', async () => Promise.reject(new Error('no cluster')));
    expect(lines[1]).toBe('repair/made: not known: the audit log says that it was begun, and Deployment database/made cannot be looked at');
  });

  it('nothing is said where nothing was begun', async () => {
    expect(await begunChangeLines(file, 'run-9', async () => Promise.reject(new Error('not opened')))).toEqual([]);
    expect(await begunChangeLines(path.join(folder, 'none'), 'run-1', async () => Promise.reject(new Error('not opened')))).toEqual([]);
  });
});
