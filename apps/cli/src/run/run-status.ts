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

/** The changes of one plan that wait for a person, all or none. */
export interface ApprovalView {
  task: string;
  larry: string;
  digest: string;
  /** Made by the meta-coordinator of what the digest covers; absent where what lies in Redis does not fit it. */
  asks?: { summary: string; objects: readonly string[]; diff: string };
  /** Why it cannot be approved. */
  problem?: string;
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

/** An approval in a line: what is asked, or why it cannot be approved. Not safe for terminals. */
export function approvalSummary({ asks, problem }: ApprovalView): string {
  return asks?.summary || problem || 'nothing that could be approved is shown';
}
