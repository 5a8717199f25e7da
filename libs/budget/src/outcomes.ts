import { BudgetError } from './errors';

/**
 * What a reservation came to. `granted` names the node that pays: the one that asked, or the reserve it draws from.
 * `busy`: others hold the tokens, wait; `exhausted`: they are used, degrade; `expired`: this id lapsed, take a new one;
 * `wrong-run`: the ledger is of another run, stop.
 */
export type ReserveOutcome =
  | { readonly outcome: 'granted'; readonly source: string }
  | { readonly outcome: 'busy' | 'exhausted' | 'expired' | 'wrong-run' };

/** What a settlement came to. `late`: the reservation had expired, its use counts all the same; `nothing`: settled before, or never granted. */
export type SettleOutcome = 'settled' | 'late' | 'nothing' | 'wrong-run';

/** What opening a ledger came to. */
export type OpenOutcome = 'opened' | 'stands' | 'wrong-run';

/** Names the reply of `reserve-3.lua`. @throws BudgetError where the tree has no such node */
export function reserveOutcome(reply: unknown, node: string): ReserveOutcome {
  const [code, source] = Array.isArray(reply) ? (reply as unknown[]) : [];
  switch (code) {
    case 1:
      return { outcome: 'granted', source: String(source) };
    case -1:
      return { outcome: 'wrong-run' };
    case -2:
      throw new BudgetError(`the budget has no node "${node}": it must be one of the tree that was opened`);
    case -3:
      return { outcome: 'busy' };
    case -4:
      return { outcome: 'exhausted' };
    case -5:
      return { outcome: 'expired' };
    default:
      throw new Error(`reserve answered ${JSON.stringify(reply)}`);
  }
}

/** Names the reply of `settle-3.lua`. */
export function settleOutcome(reply: unknown): SettleOutcome {
  switch (reply) {
    case 1:
      return 'settled';
    case 2:
      return 'late';
    case 0:
      return 'nothing';
    case -1:
      return 'wrong-run';
    default:
      throw new Error(`settle answered ${JSON.stringify(reply)}`);
  }
}

/** Names the reply of `open-3.lua`. @throws BudgetError where the run has another tree already */
export function openOutcome(reply: unknown, run: string): OpenOutcome {
  switch (reply) {
    case 1:
      return 'opened';
    case 0:
      return 'stands';
    case -1:
      return 'wrong-run';
    case -2:
      throw new BudgetError(`run "${run}" has another token budget already: a run keeps the budget it began with`);
    default:
      throw new Error(`open answered ${JSON.stringify(reply)}`);
  }
}
