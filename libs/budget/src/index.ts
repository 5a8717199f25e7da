export { BudgetError } from './errors';
export { budgetKeys, tokenViewKeys, type BudgetKeys } from './keys';
export { maxReservationTtlMs, TokenLedger, type Reservation } from './ledger';
export type { OpenOutcome, ReserveOutcome, SettleOutcome } from './outcomes';
export { agentNode, metaNode, planBudget, runNode, taskNode, type BudgetNode } from './tree';
