import { planTasks, plannedNode, type Plan, type SkipReason, type TaskStatus } from '@larry/contracts';
import type { PhaseState, RunSnapshot, TaskState } from '@larry/coordination';
import type { BudgetUsage } from '@larry/budget';
import { approvalText, type ApprovalText } from './approval-text';
import type { TaskDetails } from './task-details';

/** One Larry's phase, as `GET /runs/current` shows it. */
export interface LarryStatus {
  larry: string;
  title: string;
  status: PhaseState['status'];
  /** Whole percent of the tasks that completed. */
  progress: number;
  completed: number;
  failed: number;
  skipped: number;
  total: number;
  /** `2 of 4 tasks did work`. */
  didWork: string;
  workersActive: number;
  startedAt?: string;
  endedAt?: string;
}

/** One task, as `GET /runs/current` shows it. */
export interface TaskStatusView {
  task: string;
  title: string;
  larry: string;
  worker: string;
  /** Where its worker runs: `local (planned k3s-worker01)` on one machine. */
  node: string;
  plannedNode: string;
  status: TaskStatus;
  skipReason?: SkipReason;
  reason?: string;
  /** Claims so far. */
  attempt: number;
  /** The worker's own random id, while one works. */
  holder?: string;
  startedAt?: string;
  endedAt?: string;
  /** The end of its lease, or the moment before which it is not tried again. */
  due?: string;
  /** When it is skipped(timed-out). */
  deadline?: string;
}

/** The changes of one plan that wait for a person, all or none. */
export interface ApprovalView {
  task: string;
  larry: string;
  digest: string;
  /** What this digest stands for; absent where what lies in Redis does not fit it. */
  asks?: ApprovalText;
  /** Why it cannot be approved: a sentence. */
  problem?: string;
  attempt: number;
  /** When it is skipped(timed-out) without a decision. */
  deadline?: string;
}

/** Answer of `GET /runs/current`. */
export interface RunStatusView {
  run: string;
  mode: string;
  status: RunSnapshot['run']['status'];
  plan: { id: string; title: string; hash: string };
  startedAt: string;
  deadline: string;
  endedAt?: string;
  abortedBy?: string;
  /** The server's clock at this view. */
  now: string;
  /** Cursor of the last event before this view: follow `GET /events` with it, and nothing is missed. */
  lastEventId: string;
  /** `6 of 16 tasks did work`. */
  didWork: string;
  larrys: LarryStatus[];
  tasks: TaskStatusView[];
  /** The meta-coordinator's own task. */
  converge?: TaskStatusView;
  budget: readonly BudgetUsage[];
  approvals: ApprovalView[];
  /** Whether `GET /runs/current/report` has something to say. */
  reportReady: boolean;
}

/** What a status is made of. The plan is absent when Redis lost it. */
export interface StatusParts {
  snapshot: RunSnapshot;
  plan?: Plan;
  details: ReadonlyMap<string, TaskDetails>;
  budget: readonly BudgetUsage[];
  lastEventId: string;
}

/** Everything about a run for people and programs. Pure. */
export function runStatus(parts: StatusParts): RunStatusView {
  const { snapshot, plan, budget, lastEventId } = parts;
  const { run } = snapshot;
  const tasks = snapshot.tasks.map((task) => taskStatus(task, parts));
  const own = snapshot.tasks.filter((t) => !t.converge);
  return {
    run: run.run,
    mode: run.mode,
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
    reportReady: snapshot.tasks.some((t) => t.converge && t.status === 'completed'),
  };
}

/** The changes that wait for a person. Pure. */
export function openApprovals(snapshot: RunSnapshot, details: ReadonlyMap<string, TaskDetails>): ApprovalView[] {
  return snapshot.tasks.flatMap((task) => {
    const parked = details.get(task.task)?.parked;
    if (!parked) return [];
    const deadline = task.deadline === undefined ? {} : { deadline: iso(task.deadline) };
    const { digest, request } = parked;
    return [{ task: task.task, larry: task.larry, digest, ...approvalText(digest, request), attempt: task.attempt, ...deadline }];
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
