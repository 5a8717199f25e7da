import type { BudgetNode } from './tree';

/** One Larry of two workers with a reserve, another without work of its own, and the last resort. */
export const aBudgetTree = (limits: { leaf?: number; reserve?: number; last?: number } = {}): BudgetNode => {
  const { leaf = 100, reserve = 50, last = 30 } = limits;
  return {
    id: 'run',
    limit: 3 * leaf + reserve + last + 10,
    children: [
      { id: 'l1', limit: 2 * leaf, reserve, children: [{ id: 'l1/a', limit: leaf }, { id: 'l1/b', limit: leaf }] },
      { id: 'l2', limit: leaf, children: [{ id: 'l2/a', limit: leaf }] },
      { id: 'meta', limit: 10, reserve: last, lastResort: true },
    ],
  };
};
