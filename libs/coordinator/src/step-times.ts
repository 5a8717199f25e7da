import { describeRef, maxTaskSteps, printable, type TaskStep } from '@larry/contracts';
import type { EffectJournal, Playbook } from '@larry/playbook';

/** A step that has ended, by a clock that only goes forward. */
type Ended = Pick<TaskStep, 'step' | 'target' | 'outcome' | 'problem'> & { readonly from: number; readonly to: number };

/** How long an attempt's steps took, seen from outside the playbook and its engine. */
export class StepTimes {
  private readonly ended: Ended[] = [];

  /** @param now milliseconds of a clock that only goes forward */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The same playbook, its steps timed. */
  playbook(of: Playbook): Playbook {
    return {
      ...of,
      observe: (...args) => this.wait('observe', () => of.observe(...args)),
      diagnose: (...args) => this.take('diagnose', () => of.diagnose(...args)),
      ...(of.plan ? { plan: (...args: Parameters<NonNullable<Playbook['plan']>>) => this.take('plan', () => of.plan?.(...args) ?? []) } : {}),
      ...(of.verify ? { verify: (...args: Parameters<NonNullable<Playbook['verify']>>) => this.wait('verify', async () => (await of.verify?.(...args)) ?? { criteria: [], rollBack: [] }) } : {}),
    };
  }

  /** The same journal: a change lasts from its intent to its outcome. */
  journal(of: EffectJournal): EffectJournal {
    const open = new Map<string, { step: 'apply' | 'roll-back'; from: number; target?: string }>();
    return {
      entries: () => of.entries(),
      intent: async (intent) => {
        open.set(intent.id, { step: 'apply', from: this.now(), target: describeRef(intent.target) });
        await of.intent(intent);
      },
      outcome: async (id, outcome) => {
        const begun = open.get(id);
        if (outcome === 'rolling-back') open.set(id, { ...begun, step: 'roll-back', from: this.now() });
        await of.outcome(id, outcome);
        if (!begun || outcome === 'rolling-back') return;
        this.ended.push({ ...begun, outcome, to: this.now() });
        // What is rolled back later has the same target.
        open.set(id, { ...begun, from: this.now() });
      },
    };
  }

  /** The steps so far, the first ones where there are too many for one event. */
  steps(): TaskStep[] {
    const now = this.now();
    return this.ended.slice(0, maxTaskSteps).map(({ from, to, ...step }) => ({ ...step, began_ms_ago: tenths(now - from), took_ms: tenths(to - from) }));
  }

  private take<T>(step: 'diagnose' | 'plan', work: () => T): T {
    const from = this.now();
    try {
      const done = work();
      this.end(step, from);
      return done;
    } catch (error) {
      this.end(step, from, error);
      throw error;
    }
  }

  private async wait<T>(step: 'observe' | 'verify', work: () => Promise<T>): Promise<T> {
    const from = this.now();
    try {
      const done = await work();
      this.end(step, from);
      return done;
    } catch (error) {
      this.end(step, from, error);
      throw error;
    }
  }

  private end(step: TaskStep['step'], from: number, ...thrown: unknown[]): void {
    const problem = thrown.length > 0 ? { problem: printable(thrown[0] instanceof Error ? thrown[0].message : String(thrown[0]), 300) } : {};
    this.ended.push({ step, from, to: this.now(), ...problem });
  }
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
