export { Coordination } from './coordination';
export { defaultTtlMs } from './lease';
export type {
  Approval,
  ChangeVerdict,
  Decisions,
  ClaimOutcome,
  CreateOutcome,
  DecideOutcome,
  RenewOutcome,
  SettleOutcome,
  StartOutcome,
  TaskClaim,
  TaskLease,
  TaskRecord,
} from './lease';
export { JournalError, LeaseLostError, RunSpecError } from './errors';
export type { Journal, JournalEntry } from './journal';
export { coordinationKeys } from './keys';
export type { CoordinationKeys } from './keys';
export type { HeldLease, LeaseEnd, LeaseOptions, Leases } from './leases';
export type { Refusal, Refused } from './outcomes';
export type { ResetOptions, ResetReport } from './reset';
export type { RunSpec, RunTask } from './run-spec';
export { maxInlineResultBytes, retryWaitMs } from './settlement';
export type { Settlement } from './settlement';
export type { PhaseState, RunSnapshot, RunState, TaskState } from './snapshot';
export type { Views, ViewOptions, ViewValue } from './views';
export { onWake, wakeEveryMs } from './wake';
