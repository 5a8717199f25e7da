/** What a step came to. */
export interface StepOutcome {
  step: string;
  outcome: 'done' | 'skipped' | 'failed';
  /** What was seen, or why it was not done. */
  said: string;
  seconds: number;
}

/** What this cluster cannot show, in a sentence. */
export class CannotShow extends Error {
  override name = 'CannotShow';
}

/** The steps as they are done, printed as they end. */
export class Report {
  readonly steps: StepOutcome[] = [];

  constructor(private readonly print: (line: string) => void) {}

  /** Does a step; what it throws is its failure, or the reason why it is skipped. Undefined where it was not done. */
  async step<T>(step: string, act: () => Promise<{ said: string; value?: T }>): Promise<T | undefined> {
    const started = Date.now();
    const note = (outcome: StepOutcome['outcome'], said: string): void => {
      const seconds = (Date.now() - started) / 1000;
      this.steps.push({ step, outcome, said, seconds });
      this.print(`${{ done: '✅', skipped: '➖', failed: '❌' }[outcome]} ${step} (${seconds.toFixed(1)} s): ${said}`);
    };
    try {
      const { said, value } = await act();
      note('done', said);
      return value;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      note(error instanceof CannotShow ? 'skipped' : 'failed', said);
      return undefined;
    }
  }

  get failed(): boolean {
    return this.steps.some(({ outcome }) => outcome === 'failed');
  }
}

/** Fails a step with what is the matter. */
export function must(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}
