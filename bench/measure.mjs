// Rounds, medians, callers. All durations are milliseconds.

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const median = (values) => quantile(values, 0.5);

export async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** `callers` loops that share `total` calls. */
export async function byCallers(callers, total, call) {
  let next = 0;
  const loop = async () => {
    for (let i = next++; i < total; i = next++) await call(i);
  };
  await Promise.all(Array.from({ length: callers }, loop));
}

/**
 * Runs every contender once a round, in turns (A B C, A B C, …), so that a busy moment of the machine meets all alike.
 * One round before is not counted. Returns each contender's median of what it returned.
 */
export async function interleaved(rounds, contenders) {
  const seen = new Map(Object.keys(contenders).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const value = await run(round);
      if (round >= 0) seen.get(name).push(value);
    }
  }
  return Object.fromEntries([...seen].map(([name, values]) => [name, median(values)]));
}

/** Waits until `look` answers; throws after `limitMs` naming what was waited for. */
export async function until(what, look, limitMs = 60_000, everyMs = 5) {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`bench: ${what} did not come within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

export const perSecond = (count, ms) => (count * 1000) / ms;
export const rate = (value) => (value >= 1000 ? `${(value / 1000).toFixed(1)}k/s` : `${Math.round(value)}/s`);
export const ms = (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : value >= 10 ? `${Math.round(value)} ms` : `${value.toFixed(1)} ms`);
export const mb = (bytes) => `${Math.round(bytes / 1e6)} MB`;
export const times = (value) => `${value.toFixed(value < 10 ? 2 : 0)}x`;
