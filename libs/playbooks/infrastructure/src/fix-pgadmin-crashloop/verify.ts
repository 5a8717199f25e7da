import { describeRef, printable, type Criterion, type KubeObject, type PlannedChange } from '@larry/contracts';
import { clusterTime } from '@larry/diagnosis';
import { UnknownKindError } from '@larry/kube';
import type { PlaybookContext, Verification } from '@larry/playbook';
import { stillUnwell } from './after-change';
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

/** One change that was made, as far as it has been looked at. */
interface Watched {
  change: PlannedChange;
  /** The restarts of its pods when it was first seen ready. */
  restarts: number;
  failure?: string;
}

/**
 * Looks at each changed object until it is well, then on for restarts, then once more at everything around it. What does not get well in
 * `readySeconds`, gets unwell again, or still has its cause is to be rolled back; what was not seen well for {@link wellMinutes} of the
 * cluster's time is provisional. No change, no second look.
 */
export async function verify(context: PlaybookContext<Options>, facts: Facts, applied: PlannedChange[]): Promise<Verification> {
  if (applied.length === 0) return { criteria: [], rollBack: [] };
  const inGit = await verifyBranches(context, applied.filter(isInGit));
  const inCluster = await verifyInCluster(context, facts, applied.filter((change) => !isInGit(change)));
  return {
    criteria: [...inCluster.criteria, ...inGit.criteria],
    rollBack: [...inCluster.rollBack, ...inGit.rollBack],
    provisional: [...(inCluster.provisional ?? []), ...(inGit.provisional ?? [])],
  };
}

/** A branch is there as planned, or is taken back. That nobody has merged it yet is no failure of it, and no success of the repair. */
async function verifyBranches(context: PlaybookContext<Options>, changes: InGit[]): Promise<Required<Verification>> {
  const seen: Required<Verification> = { criteria: [], rollBack: [], provisional: [] };
  for (const change of changes) {
    const { step, target, git } = change;
    const looked = await lookAtBranch(context, change);
    if ('failure' in looked) seen.rollBack.push({ step, reason: looked.failure });
    const reason = 'failure' in looked ? looked.failure : waitsForMerge(context.git ?? '', git.branch, looked.tip.commit);
    if ('tip' in looked) seen.provisional.push({ step, reason });
    const at = context.now().toISOString();
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
  const watched: Watched[] = [];
  for (const change of applied) watched.push(await untilWell(context, facts, change, deadline));
  const since = await timeOfCluster(context);
  const until = context.now().getTime() + verifySeconds * 1000;
  let minutes = 0;
  while (watched.some((w) => !w.failure) && context.now().getTime() < until && minutes < Math.max(wellMinutes, restartWindowMinutes)) {
    context.progress(95, 'watching what was repaired');
    await pause(context, until);
    for (const one of watched.filter((w) => !w.failure)) one.failure = await relapse(context, one);
    minutes = ((await timeOfCluster(context)) - since) / 60_000;
  }
  for (const one of watched.filter((w) => !w.failure && w.change.target.kind !== 'CronJob')) one.failure = await notMended(context, facts, one.change);
  return {
    criteria: [...pgadminCriteria(await look(context), restartWindowMinutes), ...watched.map((w) => repairCriterion(w.change, w.failure, minutes, new Date(since + minutes * 60_000).toISOString()))],
    rollBack: watched.flatMap(({ change, failure }) => (failure === undefined ? [] : [{ step: change.step, reason: failure }])),
    provisional: watched.flatMap(({ change, failure }) => (failure !== undefined || minutes >= wellMinutes && change.target.kind !== 'CronJob' ? [] : [{ step: change.step, reason: soFar(change, minutes) }])),
  };
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

async function untilWell(context: PlaybookContext<Options>, facts: Facts, change: PlannedChange, deadline: number): Promise<Watched> {
  if (change.target.kind === 'CronJob') return { change, restarts: 0 };
  const { readySeconds } = context.options;
  for (;;) {
    context.progress(90, 'waiting for what was repaired');
    if (rolledOutKinds.has(change.target.kind)) {
      const { state, reason, restarts } = await lookAtRollout(context, change.target);
      if (state === 'ready') return { change, restarts };
      if (state === 'crashed') return { change, restarts, failure: reason };
      if (context.now().getTime() >= deadline) return { change, restarts, failure: `not ready within ${readySeconds} s: ${reason}` };
    } else {
      const failure = await notMended(context, facts, change);
      if (failure === undefined) return { change, restarts: 0 };
      if (context.now().getTime() >= deadline) return { change, restarts: 0, failure: `not well within ${readySeconds} s: ${failure}` };
    }
    await pause(context, deadline);
  }
}

/** Why something that was well is not any more. */
async function relapse(context: PlaybookContext<Options>, { change, restarts }: Watched): Promise<string | undefined> {
  if (!rolledOutKinds.has(change.target.kind)) return undefined;
  const now = await lookAtRollout(context, change.target);
  if (now.state === 'crashed') return `after being ready: ${now.reason}`;
  if (now.restarts > restarts) return `after being ready: ${now.restarts - restarts} restart${now.restarts - restarts === 1 ? '' : 's'}`;
  return undefined;
}

const notMended = (context: PlaybookContext<Options>, facts: Facts, { step, target }: PlannedChange): Promise<string | undefined> => stillUnwell(context, { target, cause: causeOfStep(step) }, facts.cluster);

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
