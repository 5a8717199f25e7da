import { describeRef, isInEffect, printable, type Criterion, type TaskResult } from '@larry/contracts';
import type { Facts as ClusterFacts } from '@larry/diagnosis';
import type { PlaybookContext } from '@larry/playbook';
import { stillUnwell } from './after-change';
import { branchNow, claimOfBranch, minutesRunning } from './branch-claim';
import { pgadminCriteria } from './criteria';
import { pgadminsOf } from './facts';
import { observe } from './observe';
import type { Options } from './options';
import { causeOfStep } from './plan-change';
import { repairCriterion } from './verify';

/** The criteria as they are now, for the convergence and `larry verify`. A PgAdmin that was claimed and is gone turns them. */
export async function validate(context: PlaybookContext<Options>, result: TaskResult): Promise<Criterion[]> {
  const { cluster } = await observe(context);
  return [...pgadminNow(context, cluster, result), ...(await repairsNow(context, cluster, result))];
}

function pgadminNow(context: PlaybookContext<Options>, cluster: ClusterFacts, result: TaskResult): Criterion[] {
  const now = pgadminCriteria(cluster, context.options.restartWindowMinutes);
  const claimed = result.criteria.some((c) => c.id.startsWith('pgadmin-') && (c.verdict === 'met' || c.verdict === 'not-met'));
  const readable = cluster.objects.knows('Deployment') && cluster.objects.knows('Pod');
  if (!claimed || !cluster.runtime || !readable || pgadminsOf(cluster).length > 0) return now;
  const observation = { subject: 'all workloads', value: `no PgAdmin among ${cluster.workloads.length} workloads any more`, at: new Date(cluster.atMs).toISOString() };
  return now.map(({ id, text }): Criterion => ({ id, text, verdict: 'not-met', observation }));
}

/** What was repaired and not taken back, as it is now: well for as long as the change stands. */
async function repairsNow(context: PlaybookContext<Options>, cluster: ClusterFacts, result: TaskResult): Promise<Criterion[]> {
  const criteria: Criterion[] = [];
  for (const { id, target, outcome, git, ...rest } of result.changes ?? []) {
    if (!isInEffect({ outcome })) continue;
    const step = id.slice(id.lastIndexOf('/') + 1);
    const gone = cluster.objects.knows(target.kind) && cluster.objects.resolve(target) === undefined;
    const failure = gone ? `${describeRef(target)} is gone` : await stillUnwell(context, { target, cause: causeOfStep(step) });
    const at = new Date(cluster.atMs).toISOString();
    const minutes = (cluster.atMs - Date.parse(result.endedAt)) / 60_000;
    const claim = git && (await branchNow(context, { ...rest, id, target, outcome, git }, cluster.objects.resolve(target)));
    if (claim && claim.verdict !== 'arrived' && failure !== undefined) {
      const { id: criterion, text } = repairCriterion({ step, target }, undefined, 0, at);
      criteria.push(claimOfBranch({ id: criterion, text }, printable(describeRef(target), 500), claim, failure, at));
      continue;
    }
    // When it was merged nobody knows here; its pods have run since.
    const since = claim ? Math.min(minutes, minutesRunning(cluster, target) ?? minutes) : minutes;
    criteria.push(repairCriterion({ step, target }, failure, since, at));
  }
  return criteria;
}
