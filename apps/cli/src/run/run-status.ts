import type { BudgetUsage } from '@larry/budget';
import type { SkipReason, TaskStatus } from '@larry/contracts';

/** One Larry's phase in `GET /runs/current`. */
export interface LarryStatus {
  larry: string;
  title: string;
  status: 'pending' | 'in_progress' | 'completed' | 'failed';
  progress: number;
  completed: number;
  failed: number;
  skipped: number;
  total: number;
  workersActive: number;
  startedAt?: string;
  endedAt?: string;
}

/** One task in `GET /runs/current`. */
export interface TaskStatusView {
  task: string;
  title: string;
  larry: string;
  worker: string;
  node: string;
  status: TaskStatus;
  skipReason?: SkipReason;
  reason?: string;
  attempt: number;
  startedAt?: string;
  endedAt?: string;
  due?: string;
  deadline?: string;
}

/** A change that waits for a person. */
export interface ApprovalView {
  task: string;
  larry: string;
  digest: string;
  request: unknown;
  deadline?: string;
}

/** `GET /runs/current`, as far as the commands use it; `apps/meta-coordinator` makes it. */
export interface RunStatus {
  run: string;
  mode: string;
  status: 'running' | 'completed' | 'failed' | 'aborted' | 'resetting';
  plan: { id: string; title: string; hash: string };
  startedAt: string;
  deadline: string;
  endedAt?: string;
  abortedBy?: string;
  /** The server's clock. */
  now: string;
  lastEventId: string;
  didWork: string;
  larrys: LarryStatus[];
  tasks: TaskStatusView[];
  converge?: TaskStatusView;
  budget: readonly BudgetUsage[];
  approvals: ApprovalView[];
  reportReady: boolean;
}

/** Figures that a Larry's ended tasks reported, summed by name: `{ 'larry-02': { critical: 6 } }`. */
export type FiguresByLarry = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The part of an approval's request that people read. Untrusted: a worker wrote it. */
export function requestedChange(request: unknown): { summary: string; diff: string; target: unknown } {
  const { change } = (request ?? {}) as { change?: { summary?: unknown; diff?: unknown; target?: unknown } };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { summary: text(change?.summary), diff: text(change?.diff), target: change?.target };
}
