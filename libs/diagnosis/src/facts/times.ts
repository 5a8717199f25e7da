/** Milliseconds since the epoch; undefined for what is no time. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

/** One minute in milliseconds. */
export const minuteMs = 60_000;
