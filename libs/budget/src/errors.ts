/** A tree that does not add up, a node that is not in it, or a figure that is none. One sentence. */
export class BudgetError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BudgetError';
  }
}
