import type { SkipReason, TaskStatus } from './task';

/** The figures of one node of the ledger, in tokens. */
export interface BudgetUsage {
  readonly node: string;
  /** None for the root. */
  readonly parent?: string;
  /** What may be used now: a Larry's own limit, and its reserve once that is deployed. */
  readonly limit: number;
  /** What its reserve adds or would add. */
  readonly reserve: number;
  /** By this node and all below it. Above `limit` by what requests in flight used beyond their reservation. */
  readonly used: number;
  /** Held by open reservations of this node and all below it. */
  readonly held: number;
  /** Used by this node and paid by a reserve: not part of its `used`. */
  readonly drawn: number;
  /** When its reserve was deployed, milliseconds since 1970 by Redis' clock. */
  readonly deployedAt?: number;
}

/** What a person decides on: made here, of nothing but what the digest covers; redacted and safe to print. */
export interface ApprovalText {
  /** The changes in a line. */
  summary: string;
  /** `Deployment database/pgadmin`, one for each change. */
  objects: string[];
  /** Each change line by line. */
  diff: string;
  /** In their order; absent where they are decided together or not at all. */
  changes?: ChangeText[];
}

/** One change of those that may be decided one by one. */
export interface ChangeText {
  /** What its own approval is bound to. */
  digest: string;
  summary: string;
  object: string;
  /** Line by line, under the place that it has among the others. */
  diff: string;
  /** What was decided, by a signature that fits; absent while it waits. */
  verdict?: { granted: boolean; who: string };
}

/** One Larry's phase, as `GET /runs/current` shows it. */
export interface LarryStatus {
  larry: string;
  title: string;
  status: 'pending' | 'in_progress' | 'completed' | 'failed';
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

/** The changes of one task that wait for a person: all or none, or each by itself (`asks.changes`). */
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
  status: 'running' | 'completed' | 'failed' | 'aborted' | 'resetting';
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
  /** Why the run is held up, in a sentence that says what to do: Redis takes no writes. Absent where nothing holds it up. */
  trouble?: string;
  /** Whether `GET /runs/current/report` has something to say. */
  reportReady: boolean;
}
