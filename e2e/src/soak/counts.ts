/** What a soak has done and seen. */
export interface SoakCounts {
  runs: number;
  demoRuns: number;
  ended: number;
  neverEnded: number;
  /** Runs whose record a failover lost before any replica had it; begun again under the same id. */
  begunAgain: number;
  kills: number;
  pauses: number;
  cuts: number;
  failovers: number;
  effectsExpected: number;
  effectsApplied: number;
  effectsDoubled: number;
  /** Missing at the target, of tasks that say they completed. */
  effectsLost: number;
  /** Missing at the target, of tasks that ended as failed or skipped, which say so. */
  effectsNotMade: number;
  outcomeUnknown: number;
}

export const noCounts = (): SoakCounts => ({
  runs: 0,
  demoRuns: 0,
  ended: 0,
  neverEnded: 0,
  begunAgain: 0,
  kills: 0,
  pauses: 0,
  cuts: 0,
  failovers: 0,
  effectsExpected: 0,
  effectsApplied: 0,
  effectsDoubled: 0,
  effectsLost: 0,
  effectsNotMade: 0,
  outcomeUnknown: 0,
});

/** True when what must never happen has not. */
export const isClean = (c: SoakCounts): boolean => c.effectsDoubled === 0 && c.effectsLost === 0 && c.neverEnded === 0;

/** The counts for people, a line each. */
export function countsText(counts: SoakCounts, seed: number, seconds: number): string {
  const lines = Object.entries(counts).map(([name, n]) => `  ${name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`).padEnd(18)} ${n}`);
  return [`soak: seed ${seed}, ${Math.round(seconds)} s`, ...lines, `  ${isClean(counts) ? 'nothing doubled, nothing lost, every run ended' : 'NOT CLEAN'}`].join('\n');
}
