import type { TaskResult, Validation } from '@larry/contracts';

/** One task's claim, to be looked at anew. */
export interface ClaimToValidate {
  task: string;
  /** The task's `with` in the plan. */
  options: Record<string, unknown>;
  result: TaskResult;
}

/** Asks a Larry to look anew at what its tasks claimed. */
export interface Validator {
  /** One validation for each claim, in their order. Never rejects: what could not be observed says so in `problem`. */
  validate(larry: string, run: string, claims: readonly ClaimToValidate[], signal: AbortSignal): Promise<Validation[]>;
}

/** Validations that say the same problem for every claim. */
export function unobserved(larry: string, claims: readonly ClaimToValidate[], problem: string, at: Date): Validation[] {
  return claims.map(({ task }) => ({ task, larry, at: at.toISOString(), criteria: [], turned: [], problem: problem.slice(0, 1000) }));
}
