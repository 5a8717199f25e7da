const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const SUFFIX = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]));

/** A quantity's suffix style and value: `mantissa` times 1024^(index) or 10^(exponent). */
function parse(value: string): { digits: bigint; scale: number; binary: number | undefined } | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?$/.exec(value);
  if (!match || (!match[2] && !match[3])) return undefined;
  const fraction = match[3] ?? '';
  const digits = BigInt(`${match[2] ?? ''}${fraction}` || '0') * (match[1] === '-' ? -1n : 1n);
  const exponent = match[6] ? Number(match[6]) : match[5] ? (DECIMAL[match[5]] ?? 0) : 0;
  return { digits, scale: exponent - fraction.length, binary: match[4] ? BINARY.indexOf(match[4]) : undefined };
}

/** The value of a quantity as a number (cores, bytes, counts); NaN for what is no quantity. */
export function quantityValue(value: unknown): number {
  const q = parse(String(value ?? ''));
  if (!q) return NaN;
  return Number(q.digits) * 10 ** q.scale * (q.binary === undefined ? 1 : 1024 ** q.binary);
}

/** The form Kubernetes writes a quantity in: no fraction, the largest suffix that needs none. Undefined for what is no quantity. */
export function canonicalQuantity(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const written = String(value);
  const q = parse(written);
  if (!q) return undefined;
  if (q.digits === 0n) return '0';
  if (q.binary !== undefined) return binary(q.digits, q.scale, q.binary) ?? written;
  if (/[eE]/.test(written)) return written;
  let { digits, scale } = q;
  while (digits % 10n === 0n) [digits, scale] = [digits / 10n, scale + 1];
  const exponent = Math.max(-9, Math.min(18, Math.floor(scale / 3) * 3));
  const zeros = scale - exponent;
  return zeros < 0 ? written : `${digits * 10n ** BigInt(zeros)}${SUFFIX.get(exponent) ?? ''}`;
}

function binary(digits: bigint, scale: number, index: number): string | undefined {
  let [n, i] = [digits, index];
  for (let s = scale; s < 0; s++) {
    while (n % 10n !== 0n && i > 0) [n, i] = [n * 1024n, i - 1];
    if (n % 10n !== 0n) return undefined;
    n /= 10n;
  }
  while (n % 1024n === 0n && i < BINARY.length - 1) [n, i] = [n / 1024n, i + 1];
  return `${n}${BINARY[i]}`;
}
