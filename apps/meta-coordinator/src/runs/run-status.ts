import { planTasks, plannedNode, type ApprovalView, type BudgetUsage, type LarryStatus, type Plan, type RunStatusView, type TaskStatusView } from '@larry/contracts';
import type { PhaseState, RunSnapshot, TaskState } from '@larry/coordination';
import { approvalText } from './approval-text';
import type { TaskDetails } from './task-details';

/** What a status is made of. The plan is absent when Redis lost it. */
export interface StatusParts {
  snapshot: RunSnapshot;
  plan?: Plan;
  /** As it was signed; `unknown` where it is not. */
  mode: string;
  details: ReadonlyMap<string, TaskDetails>;
  budget: readonly BudgetUsage[];
  lastEventId: string;
  /** What holds the run up, in a sentence. */
  trouble?: string;
}

/** Everything about a run for people and programs. Pure. */
export function runStatus(parts: StatusParts): RunStatusView {
  const { snapshot, plan, budget, lastEventId, trouble } = parts;
  const { run } = snapshot;
  const tasks = snapshot.tasks.map((task) => taskStatus(task, parts));
  const own = snapshot.tasks.filter((t) => !t.converge);
  return {
    run: run.run,
    mode: parts.mode,
    status: run.status,
    plan: { id: plan?.id ?? 'unknown', title: plan?.title ?? 'unknown', hash: run.planHash },
    startedAt: iso(run.createdAt),
    deadline: iso(run.deadline),
    ...(run.endedAt === undefined ? {} : { endedAt: iso(run.endedAt) }),
    ...(run.abortedBy === undefined ? {} : { abortedBy: run.abortedBy }),
    now: iso(snapshot.now),
    lastEventId,
    didWork: didWork(own.filter((t) => t.status === 'completed').length, own.length),
    larrys: run.phases.map((phase) => larryStatus(phase, parts)),
    tasks: inPlanOrder(tasks.filter((_, i) => !snapshot.tasks[i]?.converge), plan),
    converge: tasks.find((_, i) => snapshot.tasks[i]?.converge),
    budget,
    approvals: openApprovals(snapshot, parts.details),
    ...(trouble === undefined ? {} : { trouble }),
    reportReady: snapshot.tasks.some((t) => t.converge && t.status === 'completed'),
  };
}

/** The changes that wait for a person. Pure. */
export function openApprovals(snapshot: RunSnapshot, details: ReadonlyMap<string, TaskDetails>): ApprovalView[] {
  return snapshot.tasks.flatMap((task) => {
    const parked = details.get(task.task)?.parked;
    if (!parked) return [];
    const deadline = task.deadline === undefined ? {} : { deadline: iso(task.deadline) };
    const { digest, request, verdicts } = parked;
    return [{ task: task.task, larry: task.larry, digest, ...approvalText(digest, request, verdicts), attempt: task.attempt, ...deadline }];
  });
}

/** "n of m tasks did work": those that completed; skipped work is none. */
export function didWork(done: number, of: number): string {
  return `${done} of ${of} tasks did work`;
}

function larryStatus(phase: PhaseState, { snapshot, plan }: StatusParts): LarryStatus {
  const { larry, status, progress, completed, failed, skipped, total, startedAt, endedAt } = phase;
  const active = snapshot.tasks.filter((t) => t.larry === larry && t.status === 'in_progress').length;
  return {
    larry,
    title: plan?.larrys.find((l) => l.id === larry)?.title ?? larry,
    status,
    progress,
    completed,
    failed,
    skipped,
    total,
    didWork: didWork(completed, total),
    workersActive: active,
    ...(startedAt === undefined ? {} : { startedAt: iso(startedAt) }),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
  };
}

function taskStatus(task: TaskState, { plan, details }: StatusParts): TaskStatusView {
  const planned = plan && planTasks(plan).find((t) => t.id === task.task);
  const { reason, holder, startedAt, endedAt } = details.get(task.task) ?? {};
  return {
    task: task.task,
    title: planned?.title ?? task.task,
    larry: task.larry,
    worker: task.worker,
    node: task.node ?? 'unknown',
    plannedNode: plan && planned ? plannedNode(plan, planned) : 'unknown',
    status: task.status,
    ...(task.skipReason ? { skipReason: task.skipReason } : {}),
    ...(reason ? { reason } : {}),
    attempt: task.attempt,
    ...(holder ? { holder } : {}),
    ...(startedAt ? { startedAt } : {}),
    ...(endedAt ? { endedAt } : {}),
    ...(task.due === undefined ? {} : { due: iso(task.due) }),
    ...(task.deadline === undefined ? {} : { deadline: iso(task.deadline) }),
  };
}

function inPlanOrder(tasks: TaskStatusView[], plan: Plan | undefined): TaskStatusView[] {
  const order = plan ? planTasks(plan).map((t) => t.id) : [];
  return tasks.sort((a, b) => order.indexOf(a.task) - order.indexOf(b.task) || a.task.localeCompare(b.task));
}

const iso = (ms: number): string => new Date(ms).toISOString();
