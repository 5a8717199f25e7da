import { taskResultSchema } from '@larry/contracts';
import type { Coordination, RunSnapshot } from '@larry/coordination';

/** The sums of the figures that a Larry's ended tasks reported, by figure. */
export type PhaseFigures = Readonly<Record<string, number>>;

/** Reads each ended task's figures once per run; used for the quick start's `phase:<larry>:…` keys. */
export function phaseFigures(larry: string): (coordination: Coordination, snapshot: RunSnapshot) => Promise<PhaseFigures> {
  let run = '';
  const known = new Map<string, Record<string, number | string>>();
  return async (coordination, snapshot) => {
    if (run !== snapshot.run.run) known.clear();
    run = snapshot.run.run;
    const ended = snapshot.tasks.filter((t) => t.larry === larry && t.status === 'completed' && !known.has(t.task));
    for (const state of ended) {
      const parsed = taskResultSchema.safeParse((await coordination.record(run, state)).result);
      known.set(state.task, parsed.success ? parsed.data.figures : {});
    }
    return sums([...known.values()]);
  };
}

function sums(figures: Record<string, number | string>[]): PhaseFigures {
  const total: Record<string, number> = {};
  for (const [name, value] of figures.flatMap((f) => Object.entries(f))) {
    if (typeof value === 'number') total[name] = (total[name] ?? 0) + value;
  }
  return total;
}
