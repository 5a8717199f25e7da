const suffixes: Record<string, number> = {
  '': 1, n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};

/** The number that a Kubernetes quantity stands for (`250m` is 0.25, `1Gi` 1073741824); NaN if it is none. */
export function parseAmount(quantity: string | number | undefined): number {
  if (quantity === undefined) return 0;
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(String(quantity));
  const factor = match ? suffixes[match[2] ?? ''] : undefined;
  return match && factor !== undefined ? Number(match[1]) * factor : NaN;
}

/** A count or a percentage of `total`, rounded as asked; `fallback` where there is none. */
export function countOf(value: number | string | undefined, total: number, round: 'up' | 'down', fallback: number | string): number {
  const wanted = value ?? fallback;
  if (typeof wanted === 'number') return wanted;
  const exact = (parseFloat(wanted) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
