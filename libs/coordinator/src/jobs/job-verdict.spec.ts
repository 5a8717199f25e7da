import type { KubeObject } from '@larry/contracts';
import { jobFacts, podFacts, type JobFacts, type PodFacts } from './job-facts';
import { verdictOn } from './job-verdict';

const job = (status: object = {}, gone = false): JobFacts =>
  jobFacts({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j', uid: 'j1', creationTimestamp: '2026-11-22T10:00:00Z' }, status }, gone);

/** A pod of the Job as the API server gives it. */
function pod(state: object | undefined, more: { status?: object; metadata?: object; nodeName?: string; gone?: boolean } = {}): PodFacts {
  const metadata = { name: 'p', uid: `p${Math.random()}`, ownerReferences: [{ kind: 'Job', controller: true, uid: 'j1', name: 'j', apiVersion: 'batch/v1' }], ...more.metadata };
  const containerStatuses = state ? [{ name: 'sidecar', state: { running: {} } }, { name: 'worker', state }] : [];
  const object = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: more.nodeName ?? 'n1' }, status: { phase: 'Pending', containerStatuses, ...more.status } };
  return podFacts(object as unknown as KubeObject, 'worker', more.gone) as PodFacts;
}

const terminated = (exitCode: number, reason = 'Error', message = ''): object => ({ terminated: { exitCode, reason, message } });
const failed = (reason: string, message: string) => job({ conditions: [{ type: 'Failed', status: 'True', reason, message }] });
const disrupted = (reason: string, message: string) => ({ conditions: [{ type: 'DisruptionTarget', status: 'True', reason, message }] });
const deleted = { metadata: { deletionTimestamp: '2026-11-22T10:01:00Z', deletionGracePeriodSeconds: 7 } };

describe('a worker that has not started', () => {
  it.each([
    ['its image cannot be pulled', pod({ waiting: { reason: 'ErrImagePull', message: 'not found' } }), { state: 'waiting', trouble: 'ErrImagePull: not found' }],
    ['a Secret is missing', pod({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "s" not found' } }), { state: 'waiting', trouble: 'CreateContainerConfigError: secret "s" not found' }],
    ['its image has no valid name, which no waiting mends', pod({ waiting: { reason: 'InvalidImageName', message: 'bad' } }), { state: 'waiting', trouble: 'InvalidImageName: bad', hopeless: true }],
    ['its image is being pulled: nothing is in the way', pod({ waiting: { reason: 'ContainerCreating' } }), { state: 'waiting' }],
    ['an init container waits for its image', pod({ waiting: { reason: 'PodInitializing' } }, { status: { initContainerStatuses: [{ name: 'i', state: { waiting: { reason: 'ErrImagePull', message: 'x' } } }] } }), { state: 'waiting', trouble: 'ErrImagePull: x' }],
    ['no node has room', pod(undefined, { nodeName: '', status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/7 nodes' }] } }), { state: 'waiting', trouble: 'Unschedulable: 0/7 nodes' }],
  ])('%s', (_, facts, verdict) => {
    expect(verdictOn(job(), [facts])).toEqual(verdict);
  });

  it('has no pod yet', () => expect(verdictOn(job(), [])).toEqual({ state: 'waiting' }));
});

describe('a worker that has ended', () => {
  it.each([
    ['by itself', job(), pod(terminated(2)), { code: 2, reason: 'exit code 2' }],
    ['with a sidecar that still runs', job(), pod(terminated(0, 'Completed'), { status: { phase: 'Running' } }), { code: 0, reason: 'exit code 0' }],
    ['by a signal', job(), pod(terminated(137)), { reason: 'killed by SIGKILL' }],
    ['for want of memory, which another attempt as it is will want too', job(), pod(terminated(137, 'OOMKilled')), { reason: expect.stringContaining('OOMKilled'), error: true }],
    ['before it could be started', job(), pod(terminated(128, 'StartError', 'exec: "nod": not found')), { reason: 'its container could not be started: exec: "nod": not found', error: true }],
    ['by the deadline of its Job', failed('DeadlineExceeded', 'active longer than 900 s'), pod(terminated(143)), { reason: expect.stringContaining('deadline (DeadlineExceeded: active longer than 900 s)'), error: true }],
    ['with its word given although the deadline came', failed('DeadlineExceeded', 'x'), pod(terminated(0)), { code: 0, reason: 'exit code 0' }],
    ['by an eviction of a full node', job(), pod(undefined, { status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } }), { reason: 'Evicted: low on memory' }],
    ['by a drain', job(), pod(terminated(143), { status: disrupted('EvictionByEvictionAPI', 'Eviction API: evicting') }), { reason: 'killed by SIGTERM: EvictionByEvictionAPI: Eviction API: evicting' }],
    ['with its Job', job({}, true), pod(terminated(137), { gone: true }), { reason: 'killed by SIGKILL: its Job was deleted' }],
  ])('%s', (_, of, facts, exit) => {
    expect(verdictOn(of, [facts])).toEqual({ state: 'ended', exit });
  });

  it.each([
    ['whose node is gone from the cluster', pod(undefined, { status: { phase: 'Failed', reason: 'NodeGone', ...disrupted('DeletionByPodGC', 'node no longer exists') } })],
    ['whose pod was forced away while it ran', pod({ running: {} }, { gone: true, status: { phase: 'Running' } })],
  ])('%s may live on, and only its lease tells', (_, facts) => {
    expect(verdictOn(job(), [facts])).toMatchObject({ state: 'ended', exit: { unsure: true } });
  });

  it('whose pod never came to a node has certainly not run', () => {
    const verdict = verdictOn(job(), [pod(undefined, { nodeName: '', gone: true })]);
    expect(verdict).toEqual({ state: 'ended', exit: { reason: 'its pod was deleted' } });
  });
});

describe('a worker of which nothing certain is known', () => {
  it('is being ended, and has the grace of its pod for it', () => {
    expect(verdictOn(job(), [pod({ running: {} }, deleted)])).toEqual({ state: 'ending', withinMs: 7000, why: 'its pod was deleted' });
  });

  it('is waited for a moment when its Job is gone and no pod was heard of', () => {
    expect(verdictOn(job({}, true), [])).toEqual({ state: 'missing', exit: { reason: 'its Job was deleted', unsure: true } });
    expect(verdictOn(job({ conditions: [{ type: 'Complete', status: 'True' }] }), [])).toMatchObject({ state: 'missing', exit: { code: 0 } });
  });
});

describe('two pods of one Job', () => {
  it('are at work while one of them is', () => {
    expect(verdictOn(job(), [pod(terminated(2)), pod({ running: {} })])).toEqual({ state: 'running' });
  });

  it('have ended as the one that was let in', () => {
    for (const codes of [[0, 2], [2, 0]] as const) expect(verdictOn(job(), codes.map((code) => pod(terminated(code))))).toMatchObject({ exit: { code: 0 } });
    expect(verdictOn(job(), [pod(terminated(2)), pod(terminated(137))])).toMatchObject({ exit: { reason: 'killed by SIGKILL' } });
  });
});

it('what has another shape than it should counts as absent, and pods of nobody are nobody\'s', () => {
  const odd = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u', ownerReferences: [{ kind: 'Job', controller: true, uid: 'j1' }] }, spec: 7, status: { containerStatuses: 'x', conditions: [null, 3] } };
  expect(podFacts(odd as unknown as KubeObject, 'worker')).toEqual({ uid: 'u', jobUid: 'j1', phase: '', gone: false, running: false });
  expect(podFacts({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u' } }, 'worker')).toBeUndefined();
});
