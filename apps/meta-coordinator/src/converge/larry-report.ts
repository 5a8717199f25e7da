import { plannedNode, type LarryReport, type OwnedTask, type TaskReport } from '@larry/contracts';
import type { RunFacts, RunSource } from './gather';

/** The report of one Larry as far as it has come; undefined where the plan has no such Larry. Pure. */
export function larryReport(larry: string, facts: RunFacts & { source: RunSource }): LarryReport | undefined {
  const planned = facts.plan.larrys.find((l) => l.id === larry);
  if (!planned) return undefined;
  const phase = facts.snapshot.run.phases.find((p) => p.larry === larry);
  const tasks = planned.tasks.map((task) => taskReport({ ...task, larry }, facts));
  const usage = facts.budget.find((b) => b.node === larry);
  const { personal, workers } = planned.budget;
  return {
    kind: 'LarryReport',
    version: 1,
    larry,
    title: planned.title,
    run: facts.snapshot.run.run,
    source: facts.source,
    status: phase?.status ?? 'pending',
    ...(phase?.startedAt === undefined ? {} : { startedAt: iso(phase.startedAt) }),
    ...(phase?.endedAt === undefined ? {} : { completedAt: iso(phase.endedAt) }),
    didWork: tasks.filter((t) => t.status === 'completed' && !t.result?.unverified).length,
    tasks,
    tokens: { used: usage?.used ?? 0, limit: usage?.limit ?? personal + workers },
  };
}

function taskReport(task: OwnedTask, { plan, records, results }: RunFacts): TaskReport {
  const record = records.get(task.id);
  const result = results.get(task.id);
  const reason = record?.reason ?? (record?.status === 'skipped' ? (result?.summary ?? missingNeeds(task, records)) : undefined);
  return {
    task: task.id,
    title: task.title ?? task.id,
    worker: task.worker,
    node: record?.node ?? `unknown (planned ${plannedNode(plan, task)})`,
    status: record?.status ?? 'pending',
    ...(record?.skipReason ? { skipReason: record.skipReason } : {}),
    ...(reason ? { reason } : {}),
    attempts: record?.attempt ?? 0,
    ...(record?.startedAt === undefined ? {} : { startedAt: iso(record.startedAt) }),
    ...(record?.endedAt === undefined ? {} : { endedAt: iso(record.endedAt) }),
    plannedMinutes: task.minutes,
    ...(result ? { result } : {}),
  };
}

/** Why a task was skipped for another's sake: which one, and what became of that one. */
function missingNeeds(task: OwnedTask, records: RunFacts['records']): string | undefined {
  const missing = task.needs.flatMap((need) => {
    const record = records.get(need);
    if (!record || record.status === 'completed') return [];
    const why = record.skipReason ?? record.reason;
    return [`${need}, which is ${record.status}${why ? ` (${why})` : ''}`];
  });
  return missing.length === 0 ? undefined : `Not begun: it needs ${missing.join(' and ')}.`;
}

const iso = (ms: number): string => new Date(ms).toISOString();
