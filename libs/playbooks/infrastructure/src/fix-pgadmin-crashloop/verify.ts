import { describeRef, printable, type Criterion, type KubeObject, type ObjectRef, type PlannedChange } from '@larry/contracts';
import { clusterTime } from '@larry/diagnosis';
import { UnknownKindError } from '@larry/kube';
import type { PlaybookContext, Verification } from '@larry/playbook';
import { stillUnwell, uncovered } from './after-change';
import { claimOfBranch, isInGit, lookAtBranch, waitsForMerge, type InGit } from './branch-claim';
import { pgadminCriteria } from './criteria';
import type { Facts } from './facts';
import { look } from './observe';
import type { Options } from './options';
import { causeOfStep } from './plan-change';
import { lookAtRollout } from './rollout';

const lookEveryMs = 1000;
const rolledOutKinds: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** For how long a repaired object must have been seen well, in the cluster's own time: twice the kubelet's longest back-off. */
export const wellMinutes = 10;

/** What was changed of one object, as far as it has been looked at. */
interface Watched {
  target: ObjectRef;
  /** In order. */
  changes: PlannedChange[];
  /** The restarts of its pods when it was first seen ready. */
  restarts: number;
  failure?: string;
  /** What each was to mend is mended, and this fault of the object was hidden by it. */
  uncovered?: string;
}

/**
 * Looks at each changed object until it is well, then on for restarts, then once more at everything around it. What does not get well in
 * `readySeconds`, gets unwell again, or still has its cause is to be rolled back, with every other change of the object; unless what
 * ails it now was hidden by what they mended. What was not seen well for {@link wellMinutes} of the cluster's time is provisional. No
 * change, no second look.
 */
export async function verify(context: PlaybookContext<Options>, facts: Facts, applied: PlannedChange[]): Promise<Verification> {
  if (applied.length === 0) return { criteria: [], rollBack: [] };
  const inGit = await verifyBranches(context, applied.filter(isInGit));
  const inCluster = await verifyInCluster(context, facts, applied.filter((change) => !isInGit(change)));
  return {
    criteria: [...inCluster.criteria, ...inGit.criteria],
    rollBack: [...inCluster.rollBack, ...inGit.rollBack],
    provisional: [...(inCluster.provisional ?? []), ...inGit.provisional],
    ...(inCluster.uncovered ? { uncovered: inCluster.uncovered } : {}),
  };
}

/** A branch is there as planned, or is taken back. That nobody has merged it yet is no failure of it, and no success of the repair. */
async function verifyBranches(context: PlaybookContext<Options>, changes: InGit[]): Promise<Omit<Required<Verification>, 'uncovered'>> {
  const seen: Omit<Required<Verification>, 'uncovered'> = { criteria: [], rollBack: [], provisional: [] };
  for (const change of changes) {
    const { step, target, git } = change;
    const looked = await lookAtBranch(context, change);
    if ('failure' in looked) seen.rollBack.push({ step, reason: looked.failure });
    const reason = 'failure' in looked ? looked.failure : waitsForMerge(context.git ?? '', git.branch, looked.tip.commit);
    if ('tip' in looked) seen.provisional.push({ step, reason });
    const at = new Date(await timeOfCluster(context)).toISOString();
    const { id, text } = repairCriterion({ step, target }, undefined, 0, at);
    const unwell = await stillUnwell(context, { target, cause: causeOfStep(step) });
    seen.criteria.push(claimOfBranch({ id, text }, printable(describeRef(target), 500), { verdict: 'failure' in looked ? 'turned' : 'open', text: reason }, unwell, at));
  }
  return seen;
}

async function verifyInCluster(context: PlaybookContext<Options>, facts: Facts, applied: PlannedChange[]): Promise<Verification> {
  if (applied.length === 0) return { criteria: [], rollBack: [] };
  const { readySeconds, verifySeconds, restartWindowMinutes } = context.options;
  const deadline = context.now().getTime() + readySeconds * 1000;
  const watched = byObject(applied);
  for (const one of watched) await untilWell(context, facts, one, deadline);
  // What comes next for those does not wait until the others have been watched: they are looked at again then.
  if (await someUncovered(context, watched)) return seen(context, watched.filter((w) => w.failure), 0, await timeOfCluster(context));
  const since = await timeOfCluster(context);
  const until = context.now().getTime() + verifySeconds * 1000;
  let minutes = 0;
  while (watched.some((w) => !w.failure) && context.now().getTime() < until && minutes < Math.max(wellMinutes, restartWindowMinutes)) {
    context.progress(95, 'watching what was repaired');
    await pause(context, until);
    for (const one of watched.filter((w) => !w.failure)) one.failure = await relapse(context, one);
    minutes = ((await timeOfCluster(context)) - since) / 60_000;
  }
  for (const one of watched.filter((w) => !w.failure && w.target.kind !== 'CronJob')) one.failure = await notMended(context, facts, one);
  const atMs = since + minutes * 60_000;
  return seen(context, (await someUncovered(context, watched)) ? watched.filter((w) => w.failure) : watched, minutes, atMs);
}

/** What is said of those that were watched long enough. */
async function seen(context: PlaybookContext<Options>, watched: readonly Watched[], minutes: number, atMs: number): Promise<Verification> {
  const at = new Date(atMs).toISOString();
  const criteria = [...pgadminCriteria(await look(context), context.options.restartWindowMinutes), ...watched.flatMap((w) => w.changes.map((c) => repairCriterion(c, w.failure, minutes, at)))];
  const isLong = ({ target }: Watched): boolean => minutes >= wellMinutes && target.kind !== 'CronJob';
  return {
    criteria,
    rollBack: watched.flatMap(({ changes, failure, uncovered: other }) => (failure === undefined || other !== undefined ? [] : changes.map(({ step }) => ({ step, reason: failure })))),
    uncovered: watched.flatMap(({ changes, uncovered: other }) => (other === undefined ? [] : [{ steps: changes.map((c) => c.step), reason: other }])),
    provisional: watched.flatMap((w) => (w.failure !== undefined || isLong(w) ? [] : w.changes.map(({ step }) => ({ step, reason: soFar(w, minutes) })))),
  };
}

function byObject(applied: readonly PlannedChange[]): Watched[] {
  const watched = new Map<string, Watched>();
  for (const change of applied) {
    const one = watched.get(describeRef(change.target)) ?? { target: change.target, changes: [], restarts: 0 };
    one.changes.push(change);
    watched.set(describeRef(change.target), one);
  }
  return [...watched.values()];
}

function soFar({ target }: Pick<PlannedChange, 'target'>, minutes: number): string {
  if (target.kind === 'CronJob') return 'its next Job shows whether it helped; `larry verify` looks again';
  return `seen well for ${Math.floor(minutes)} of ${wellMinutes} minutes of the cluster's time; a later \`larry verify\` closes it`;
}

/** What a repair claims: that its object is well again. */
export function repairCriterion({ step, target }: Pick<PlannedChange, 'step' | 'target'>, failure: string | undefined, minutes: number, at: string): Criterion {
  const cause = causeOfStep(step);
  const subject = printable(describeRef(target), 500);
  const base = { id: `repaired-${step}`, text: printable(`${subject} is well again${cause === undefined ? '' : ` (${cause})`}`, 500) };
  if (failure !== undefined) return { ...base, verdict: 'not-met', observation: { subject, value: failure, at } };
  const observation = { subject, value: `well, without ${cause ?? 'its cause'}`, at };
  if (minutes >= wellMinutes && target.kind !== 'CronJob') return { ...base, verdict: 'met', observation };
  return { ...base, verdict: 'provisional', observation, reason: soFar({ target }, minutes) };
}

async function untilWell(context: PlaybookContext<Options>, facts: Facts, one: Watched, deadline: number): Promise<void> {
  const { target } = one;
  if (target.kind === 'CronJob') return;
  const { readySeconds } = context.options;
  for (;;) {
    context.progress(90, 'waiting for what was repaired');
    const isLate = context.now().getTime() >= deadline;
    if (rolledOutKinds.has(target.kind)) {
      const { state, reason, restarts } = await lookAtRollout(context, target);
      one.restarts = restarts;
      if (state === 'ready') return;
      if (state === 'crashed' || isLate) one.failure = state === 'crashed' ? reason : `not ready within ${readySeconds} s: ${reason}`;
    } else {
      const failure = await notMended(context, facts, one);
      if (failure === undefined) return;
      if (isLate) one.failure = `not well within ${readySeconds} s: ${failure}`;
    }
    if (one.failure !== undefined) return;
    await pause(context, deadline);
  }
}

/** Why something that was well is not any more. */
async function relapse(context: PlaybookContext<Options>, { target, restarts }: Watched): Promise<string | undefined> {
  if (!rolledOutKinds.has(target.kind)) return undefined;
  const now = await lookAtRollout(context, target);
  if (now.state === 'crashed') return `after being ready: ${now.reason}`;
  if (now.restarts > restarts) return `after being ready: ${now.restarts - restarts} restart${now.restarts - restarts === 1 ? '' : 's'}`;
  return undefined;
}

async function notMended(context: PlaybookContext<Options>, facts: Facts, { target, changes }: Watched): Promise<string | undefined> {
  for (const { step } of changes) {
    const failure = await stillUnwell(context, { target, cause: causeOfStep(step) }, facts.cluster);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** How often what a crash says of itself is looked for. */
const looksForCause = 5;

/** Whether something that is unwell shows a fault that was hidden by what was mended; written down with it. */
async function someUncovered(context: PlaybookContext<Options>, watched: readonly Watched[]): Promise<boolean> {
  for (const one of watched) if (one.failure && one.uncovered === undefined && rolledOutKinds.has(one.target.kind)) await lookUnderneath(context, one);
  return watched.some((w) => w.uncovered !== undefined);
}

async function lookUnderneath(context: PlaybookContext<Options>, one: Watched): Promise<void> {
  for (let looks = 1; ; looks++) {
    const found = await uncovered(context, one.target, one.changes);
    if ('fault' in found) one.uncovered = printable(`it is unwell for another reason now: ${found.fault.cause}, ${found.fault.title}`, 400);
    else if (found.named) one.failure = one.failure?.includes(found.none) ? one.failure : `${one.failure ?? ''}; ${found.none}`;
    if ('fault' in found || found.named || looks === looksForCause) return;
    await pause(context, Number.MAX_SAFE_INTEGER);
  }
}

async function pause(context: PlaybookContext<Options>, until: number): Promise<void> {
  context.signal.throwIfAborted();
  await context.wait(Math.max(1, Math.min(lookEveryMs, until - context.now().getTime())));
}

/** The cluster's own time in milliseconds; ours where its leases cannot be read. */
async function timeOfCluster(context: PlaybookContext<Options>): Promise<number> {
  const leases: KubeObject[] = [];
  try {
    for await (const lease of context.cluster.list({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }, { namespace: 'kube-node-lease', signal: context.signal })) leases.push(lease);
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
  }
  return clusterTime(leases, context.now().getTime());
}
