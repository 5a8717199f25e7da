import { criterionSchema, type KubeObject, type PlannedChange, type TaskResult } from '@larry/contracts';
import { aReplicaSet, memoryCluster } from '@larry/kube/testing';
import type { ClusterReader } from '@larry/kube';
import { aContext, literal, now, pgadminObjects } from './__fixtures__/pgadmin-cluster';
import type { Facts } from './facts';
import { fixPgadminCrashloop } from '.';
import { validate } from './validate';
import { verify } from './verify';

const facts = { changed: [] } as unknown as Facts;
const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' };
const change: PlannedChange = { step: 'pgadmin-invalid-email-x', summary: '', verb: 'patch', target, patch: [], depends: [], category: 'workload-env', alwaysAsk: false };
const revision = { annotations: { 'deployment.kubernetes.io/revision': '2' }, generation: 1 };
const running = (startedAt = now) => pgadminObjects({ running: true, startedAt, metadata: revision });
const crashing = () => pgadminObjects({ metadata: revision });
const starting = () => pgadminObjects({ metadata: revision, restarts: 0, containerStatus: { state: { waiting: { reason: 'ContainerCreating' } } } });

/** A cluster that is another one after each wait; the last one stays. */
function film(...scenes: KubeObject[][]): { cluster: ClusterReader; next: () => void } {
  const clusters = scenes.map((objects) => memoryCluster(objects));
  let at = 0;
  const current = () => clusters[Math.min(at, clusters.length - 1)] as ClusterReader;
  const cluster: ClusterReader = {
    source: current().source,
    kinds: () => current().kinds(),
    list: (kind, options) => current().list(kind, options),
    get: (ref, signal) => current().get(ref, signal),
    logs: (pod, container, options) => current().logs(pod, container, options),
    originOf: () => undefined,
    files: () => ({ loaded: [], skipped: [] }),
    close: async () => undefined,
  };
  return { cluster, next: () => at++ };
}

function context(options: Parameters<typeof aContext>[1], ...scenes: KubeObject[][]) {
  const { cluster, next } = film(...scenes);
  return aContext(cluster, options, next);
}

describe('verify', () => {
  it('says ready by observation and no restarts only provisionally, with what closes it', async () => {
    const { criteria, rollBack } = await verify(context({}, starting(), starting(), running()), facts, [change]);
    criteria.forEach((c) => criterionSchema.parse(c));
    expect(rollBack).toEqual([]);
    expect(criteria[0]).toMatchObject({ id: 'pgadmin-ready', verdict: 'met', observation: { subject: 'Deployment database/pgadmin .status', value: '1 of 1 ready' } });
    expect(criteria[1]).toMatchObject({ id: 'pgadmin-no-restarts', verdict: 'provisional', reason: expect.stringMatching(/only for 0 of 30 minutes; a later look at the cluster closes it/) });
  });
  it('meets the second criterion when it may watch for long enough', async () => {
    const { criteria } = await verify(context({ verifySeconds: 1800 }, running()), facts, [change]);
    expect(criteria[1]).toMatchObject({ verdict: 'met', observation: { value: '0 restarts, running since 2026-06-01T12:00:00.000Z' } });
  });
  it('rolls back what does not get ready in time', async () => {
    const { criteria, rollBack } = await verify(context({ readySeconds: 5 }, starting()), facts, [change]);
    expect(rollBack).toEqual([{ step: 'pgadmin-invalid-email-x', reason: 'not ready within 5 s: 0 of 1 ready, 1 of the new revision; missing_secret_binding comes from the change: its pods had been past that' }]);
    expect(criteria[0]?.verdict).toBe('not-met');
  });
  it('rolls back at once when a pod of the new revision is in back-off', async () => {
    const { rollBack } = await verify(context({}, crashing()), facts, [change]);
    expect(rollBack[0]?.reason).toBe('Pod database/pgadmin-2-abcde crashed again (CrashLoopBackOff); the cause is still there: pgadmin_invalid_email');
  });
  it('rolls back what crashes after it was ready', async () => {
    const { criteria, rollBack } = await verify(context({}, running(), running(), crashing()), facts, [change]);
    expect(rollBack[0]?.reason).toMatch(/^after being ready: /);
    expect(criteria.map((c) => c.verdict)).toEqual(['not-met', 'not-met', 'not-met']);
  });
  it('does not take the crash of the old revision for one of the new', async () => {
    const [deployment, ...rest] = crashing();
    const third = { ...revision, annotations: { 'deployment.kubernetes.io/revision': '3' } };
    const moved = { ...(deployment as KubeObject), metadata: { ...(deployment as KubeObject).metadata, ...third } };
    const newSet = aReplicaSet({ name: 'pgadmin-3', namespace: 'database', controller: moved, ...third });
    const { rollBack } = await verify(context({}, [moved, newSet, ...rest], running()), facts, [change]);
    expect(rollBack).toEqual([]);
  });
  it('waits until the controller has seen the change', async () => {
    const unseen = running().map((o) => (o.kind === 'Deployment' ? { ...o, metadata: { ...o.metadata, generation: 2 } } : o));
    const { rollBack } = await verify(context({ readySeconds: 3 }, unseen), facts, [change]);
    expect(rollBack[0]?.reason).toBe('not ready within 3 s: its controller has not seen the change yet');
  });
  it('names a fault that was hidden by the one that was mended, and takes nothing back for it; one that comes from the change is none', async () => {
    const made = (step: string): PlannedChange => ({ ...change, step });
    const hidden = await verify(context({}, crashing()), facts, [made('incorrect-image-reference-x')]);
    expect(hidden).toMatchObject({ rollBack: [], provisional: [], uncovered: [{ steps: ['incorrect-image-reference-x'], reason: expect.stringMatching(/^it is unwell for another reason now: pgadmin_invalid_email, /) as string }] });
    const both = await verify(context({}, crashing()), facts, [made('incorrect-image-reference-x'), made('pgadmin-invalid-email-x')]);
    expect(both).toMatchObject({ uncovered: [], rollBack: [{ step: 'incorrect-image-reference-x' }, { step: 'pgadmin-invalid-email-x' }] });
    const later = await verify(context({}, crashing()), facts, [made('pgadmin-privileged-port-x')]);
    expect(later.uncovered).toHaveLength(1);
  });
  it('looks again where a crash has not said yet why, before it takes anything back', async () => {
    const silent = pgadminObjects({ metadata: revision, env: [literal('PGADMIN_DEFAULT_EMAIL', 'a@example.com'), literal('PGADMIN_DEFAULT_PASSWORD', 'x')] });
    const made = [{ ...change, step: 'incorrect-image-reference-x' }];
    expect((await verify(context({}, silent, silent, crashing()), facts, made)).uncovered).toHaveLength(1);
    expect(await verify(context({}, silent), facts, made)).toMatchObject({ uncovered: [], rollBack: [{ reason: 'Pod database/pgadmin-2-abcde crashed again (CrashLoopBackOff)' }] });
  });
  it('looks at nothing when nothing was changed', async () => {
    expect(await verify(context({}, crashing()), facts, [])).toEqual({ criteria: [], rollBack: [] });
  });
});

describe('validate', () => {
  const claimed = { criteria: [{ id: 'pgadmin-ready', text: 'x', verdict: 'met' }] } as TaskResult;
  const verdicts = async (objects: KubeObject[], result = claimed) => (await validate(context({}, objects), result)).map((c) => c.verdict);
  it('closes the provisional criterion once PgAdmin has run for long enough', async () => {
    expect(await verdicts(running('2026-06-01T11:29:00Z'))).toEqual(['met', 'met']);
  });
  it('turns when PgAdmin crashes again', async () => {
    expect(await verdicts(crashing())).toEqual(['not-met', 'not-met']);
  });
  it('turns when PgAdmin is gone, and stays unknown where there never was one', async () => {
    expect(await verdicts([])).toEqual(['not-met', 'not-met']);
    expect(await verdicts([], { criteria: [] as unknown } as TaskResult)).toEqual(['unknown', 'unknown']);
  });
  it('goes by the default options where the caller has none', async () => {
    const criteria = await fixPgadminCrashloop.validate({ ...context({}, running()), options: undefined }, claimed);
    expect(criteria[1]?.text).toBe('0 restarts of PgAdmin in 30 minutes');
  });
  it('does not count backwards where the clocks of cluster and observer differ', async () => {
    const [, restarts] = await validate(context({}, running('2026-06-01T12:05:00Z')), claimed);
    expect(restarts?.reason).toMatch(/only for 0 of 30 minutes/);
  });
});
