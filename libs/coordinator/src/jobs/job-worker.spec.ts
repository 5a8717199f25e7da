import type { KubeObject } from '@larry/contracts';
import { jobFacts, podFacts } from './job-facts';
import { JobWorker, type JobWorkerParts } from './job-worker';

const created = Date.parse('2026-11-22T10:00:00Z');
const mount = 'FailedMount: MountVolume.SetUp failed for volume "keys" : secret "larry-keys" not found';
const job = jobFacts({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j', uid: 'j1', creationTimestamp: '2026-11-22T10:00:00Z' } });

/** Its pod as the kubelet has it while volumes are mounted and images pulled. */
function podOf(state: object) {
  const metadata = { name: 'p', uid: 'p1', ownerReferences: [{ kind: 'Job', controller: true, uid: 'j1' }] };
  return podFacts({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'n1' }, status: { phase: 'Pending', containerStatuses: [{ name: 'worker', state }] } } as unknown as KubeObject, 'worker')!;
}

function aWorker(obstacle: () => Promise<string>, more: Partial<JobWorkerParts> = {}): { worker: JobWorker; asked: () => number; removed: () => number; warned: string[] } {
  let [asked, removed] = [0, 0];
  const warned: string[] = [];
  const worker = new JobWorker({
    uid: 'j1',
    name: 'j',
    plannedNode: 'n1',
    createdMs: created,
    graceMs: 1000,
    limits: { startLimitMs: 600_000, patienceMs: 120_000, silenceMs: 1000 },
    log: { debug: () => undefined, info: () => undefined, warn: (_: object, text: string) => void warned.push(text) },
    facts: () => ({ job, pods: [podOf({ waiting: { reason: 'ContainerCreating' } })] }),
    refresh: async () => undefined,
    warning: async () => '',
    obstacle: () => ((asked += 1), obstacle()),
    remove: () => void (removed += 1),
    forget: () => undefined,
    ...more,
  });
  return { worker, asked: () => asked, removed: () => removed, warned };
}

describe('a worker whose pod says ContainerCreating', () => {
  beforeEach(() => void jest.useFakeTimers({ now: created }));
  afterEach(() => void jest.useRealTimers());

  it('is given up after the patience when its events say that a Secret cannot be mounted', async () => {
    const { worker, asked, removed } = aWorker(async () => mount);
    worker.look();
    await jest.advanceTimersByTimeAsync(119_000);
    expect(asked()).toBe(0);
    await jest.advanceTimersByTimeAsync(1000);
    await expect(worker.exited).resolves.toEqual({ reason: `it could not start within 120 s: ${mount}`, error: true, unsure: true });
    expect(removed()).toBe(1);
  });

  it('is waited for until the start limit while its image is pulled, and asked about once in each patience, whatever news comes', async () => {
    const { worker, asked, removed } = aWorker(async () => '');
    worker.look();
    for (let second = 0; second < 599; second += 1) {
      await jest.advanceTimersByTimeAsync(1000);
      worker.look();
    }
    expect([asked(), removed()]).toEqual([4, 0]);
    await jest.advanceTimersByTimeAsync(1000);
    await expect(worker.exited).resolves.toMatchObject({ reason: 'it could not start within 600 s: its image is still being pulled or its volumes mounted' });
  });

  it('goes on where the Secret came while its events were read', async () => {
    let state: object = { waiting: { reason: 'ContainerCreating' } };
    const { worker, removed } = aWorker(async () => mount, { facts: () => ({ job, pods: [podOf(state)] }), refresh: async () => void (state = { running: {} }) });
    worker.look();
    await jest.advanceTimersByTimeAsync(700_000);
    expect(removed()).toBe(0);
    worker.dispose();
  });

  it('goes on where its events cannot be read, and says so', async () => {
    const { worker, removed, warned } = aWorker(async () => Promise.reject(new Error('away')));
    worker.look();
    await jest.advanceTimersByTimeAsync(130_000);
    expect([removed(), warned]).toEqual([0, ['the events of a worker that does not start cannot be read']]);
    worker.dispose();
  });
});
