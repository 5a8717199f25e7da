const units: Record<string, number> = { m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** Whether two quantities are the same: the API server keeps `1024Mi` as `1Gi` (Kubernetes, *resource.Quantity*, canonical form). */
export function sameQuantity(a: unknown, b: unknown): boolean {
  const [one, other] = [amount(a), amount(b)];
  return one !== undefined && other !== undefined && Math.abs(one - other) <= 1e-9 * Math.abs(one);
}

function amount(value: unknown): number | undefined {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]{0,2})$/.exec(String(value)) ?? [];
  const unit = units[suffix];
  return digits === undefined || unit === undefined ? undefined : Number(digits) * unit;
}
