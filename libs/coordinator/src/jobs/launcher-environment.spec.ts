import { ConfigurationError, readEnvironment } from '@larry/service';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ProcessLauncher } from '../process-launcher';
import { larryEnvironmentSchema, openLauncher } from './launcher-environment';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const open = (env: Record<string, string>) => openLauncher(readEnvironment(larryEnvironmentSchema, { REDIS_URL: 'redis://127.0.0.1', ...env }), { larry: 'larry-01', workerProgram: 'worker.js', log });

describe('the launcher that the environment names', () => {
  it('is one of processes by default', async () => {
    expect(await open({})).toBeInstanceOf(ProcessLauncher);
  });

  it('is refused in a sentence that names the variable', async () => {
    expect(() => open({ LARRY_LAUNCHER: 'pods' })).toThrow(/LARRY_LAUNCHER/);
    await expect(open({ LARRY_LAUNCHER: 'job' })).rejects.toThrow(new ConfigurationError('LARRY_LAUNCHER is job: LARRY_JOB_TEMPLATE must name the file with the Job that each worker is made from'));
    await expect(open({ LARRY_LAUNCHER: 'job', LARRY_JOB_TEMPLATE: '/x' })).rejects.toThrow(/LARRY_NAMESPACE must name the namespace/);
    await expect(open({ LARRY_LAUNCHER: 'job', LARRY_JOB_TEMPLATE: '/nowhere/job.yaml', LARRY_NAMESPACE: 'larry-01' })).rejects.toThrow(ConfigurationError);
    expect(() => open({ LARRY_NODE_AFFINITY: 'always' })).toThrow(/LARRY_NODE_AFFINITY/);
  });

  it('reads its template before it asks any cluster', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'larry-env-'));
    const file = path.join(folder, 'job.yaml');
    writeFileSync(file, 'apiVersion: batch/v1\nkind: Job\nspec: {backoffLimit: 3}\n');
    await expect(open({ LARRY_LAUNCHER: 'job', LARRY_JOB_TEMPLATE: file, LARRY_NAMESPACE: 'larry-01', LARRY_KUBECONFIG: '/nowhere' })).rejects.toThrow(/job\.yaml: spec\.backoffLimit is 3: it must be 0/);
    rmSync(folder, { recursive: true });
  });
});
