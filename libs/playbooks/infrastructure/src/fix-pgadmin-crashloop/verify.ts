import { describeRef, listOf, numberOf, printable, textOf, valueIn, type Criterion, type KubeObject, type PlannedChange, type TaskResult } from '@larry/contracts';
import { controllerOf } from '@larry/kube';
import type { PlaybookContext, Verification } from '@larry/playbook';
import { pgadminCriteria } from './criteria';
import type { Facts } from './facts';
import { observe } from './observe';
import type { Options } from './options';

const lookEveryMs = 1000;

/**
 * Looks at each changed workload until its new revision is ready, then on for restarts. What does not get ready in
 * `readySeconds`, or crashes again, is to be rolled back. No change, no second look.
 */
export async function verify(context: PlaybookContext<Options>, _facts: Facts, applied: PlannedChange[]): Promise<Verification> {
  if (applied.length === 0) return { criteria: [], rollBack: [] };
  const rollBack: Verification['rollBack'] = [];
  const { readySeconds, verifySeconds } = context.options;
  const deadline = context.now().getTime() + readySeconds * 1000;
  for (const change of applied) {
    const failure = await waitUntilReady(context, change, deadline);
    if (failure) rollBack.push({ step: change.step, reason: failure });
  }
  const until = context.now().getTime() + verifySeconds * 1000;
  const healthy = applied.filter((change) => !rollBack.some((r) => r.step === change.step));
  for (let looks = 1; healthy.length > 0 && context.now().getTime() < until; looks++) {
    context.progress(95, 'watching the repaired workload for restarts');
    await pause(context, until);
    for (const change of healthy) {
      const { state, reason } = await lookAt(context, change);
      if (state === 'crashed' && !rollBack.some((r) => r.step === change.step)) rollBack.push({ step: change.step, reason: `after being ready: ${reason}` });
    }
  }
  // What still starts after the time it had is reported as it is.
  const now = { ...context, options: { ...context.options, settleSeconds: 0 } };
  return { criteria: pgadminCriteria(await observe(now), context.options.restartWindowMinutes), rollBack };
}

/** The criteria as they are now, for the convergence and `larry verify`. A PgAdmin that was claimed and is gone turns them. */
export async function validate(context: PlaybookContext<Options>, result: TaskResult): Promise<Criterion[]> {
  const facts = await observe(context);
  const now = pgadminCriteria(facts, context.options.restartWindowMinutes);
  const claimed = result.criteria.some((c) => c.verdict === 'met' || c.verdict === 'not-met');
  const podsReadable = !facts.unknowns.some((u) => u.subject === 'Deployment objects' || u.subject === 'Pod objects');
  if (!claimed || !facts.runtime || !podsReadable || facts.looked.some((w) => w.pgadmin)) return now;
  const observation = { subject: 'all workloads', value: `no PgAdmin among ${facts.workloads} workloads any more`, at: facts.at };
  return now.map(({ id, text }): Criterion => ({ id, text, verdict: 'not-met', observation }));
}

/** Undefined once it is ready; else why it is not. */
async function waitUntilReady(context: PlaybookContext<Options>, change: PlannedChange, deadline: number): Promise<string | undefined> {
  for (;;) {
    const { state, reason } = await lookAt(context, change);
    if (state === 'ready') return undefined;
    if (state === 'crashed') return reason;
    if (context.now().getTime() >= deadline) return `not ready within ${context.options.readySeconds} s: ${reason}`;
    context.progress(90, 'waiting for the repaired workload');
    await pause(context, deadline);
  }
}

async function pause(context: PlaybookContext<Options>, until: number): Promise<void> {
  context.signal.throwIfAborted();
  await context.wait(Math.max(1, Math.min(lookEveryMs, until - context.now().getTime())));
}

interface Look {
  state: 'ready' | 'waiting' | 'crashed';
  reason: string;
}

async function lookAt(context: PlaybookContext<Options>, change: PlannedChange): Promise<Look> {
  const object = await context.cluster.get(change.target, context.signal);
  if (!object) return { state: 'crashed', reason: `${describeRef(change.target)} is gone` };
  const crash = await crashOf(context, object);
  if (crash) return { state: 'crashed', reason: crash };
  return rolledOut(object);
}

/** As `kubectl rollout status` decides it: the controller has seen the change, and every replica is new and ready. */
function rolledOut(object: KubeObject): Look {
  const status = (field: string) => numberOf(valueIn(object, 'status', field)) ?? 0;
  const daemon = object.kind === 'DaemonSet';
  const desired = daemon ? status('desiredNumberScheduled') : (numberOf(valueIn(object, 'spec', 'replicas')) ?? 1);
  const [ready, updated] = daemon ? [status('numberReady'), status('updatedNumberScheduled')] : [status('readyReplicas'), status('updatedReplicas')];
  const reason = `${ready} of ${desired} ready, ${updated} of the new revision`;
  if (status('observedGeneration') < (object.metadata.generation ?? 0)) return { state: 'waiting', reason: 'its controller has not seen the change yet' };
  const done = updated >= desired && ready >= desired && (object.kind !== 'Deployment' || status('replicas') <= updated);
  return { state: done ? 'ready' : 'waiting', reason };
}

/** A pod of the newest revision whose container is in back-off: it crashed, was restarted and crashed again. */
async function crashOf(context: PlaybookContext<Options>, object: KubeObject): Promise<string | undefined> {
  const namespace = object.metadata.namespace ?? '';
  const newest = object.kind === 'Deployment' ? await newestReplicaSet(context, object) : object.metadata.uid;
  if (newest === undefined) return undefined;
  for await (const pod of context.cluster.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, signal: context.signal })) {
    if (controllerOf(pod)?.uid !== newest || pod.metadata.deletionTimestamp) continue;
    const backOff = listOf(valueIn(pod, 'status', 'containerStatuses')).find((c) => valueIn(c, 'state', 'waiting', 'reason') === 'CrashLoopBackOff');
    const isOld = object.kind !== 'Deployment' && textOf(pod.metadata.labels?.['controller-revision-hash']) !== textOf(valueIn(object, 'status', 'updateRevision'));
    if (backOff && !isOld) return printable(`${describeRef({ kind: 'Pod', namespace, name: pod.metadata.name })} crashed again (CrashLoopBackOff)`, 400);
  }
  return undefined;
}

/** The ReplicaSet of the Deployment's current revision; undefined until the controller has seen the change and made it. */
async function newestReplicaSet(context: PlaybookContext<Options>, deployment: KubeObject): Promise<string | undefined> {
  const seen = numberOf(valueIn(deployment, 'status', 'observedGeneration')) ?? 0;
  if (seen < (deployment.metadata.generation ?? 0)) return undefined;
  const revision = deployment.metadata.annotations?.['deployment.kubernetes.io/revision'];
  const options = { namespace: deployment.metadata.namespace ?? '', signal: context.signal };
  for await (const set of context.cluster.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, options)) {
    const isOurs = controllerOf(set)?.uid === deployment.metadata.uid;
    if (isOurs && set.metadata.annotations?.['deployment.kubernetes.io/revision'] === revision) return set.metadata.uid;
  }
  return undefined;
}
