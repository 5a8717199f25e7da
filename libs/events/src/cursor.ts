/** A place in the stream: the id of the last entry that was read, `1690000000000-0`. What `Last-Event-ID` carries. */
export type Cursor = string;

/** Before the first entry. */
export const startCursor: Cursor = '0-0';

const most = 2n ** 64n - 1n;

/** The cursor in a text from outside (a header, a file), or `undefined` where it is none. */
export function parseCursor(text: string | undefined): Cursor | undefined {
  const match = /^(\d{1,20})(?:-(\d{1,20}))?$/.exec(text ?? '');
  if (!match?.[1]) return undefined;
  const parts = [BigInt(match[1]), BigInt(match[2] ?? 0)] as const;
  return parts.some((part) => part > most) ? undefined : parts.join('-');
}

/** Less than zero when `a` lies before `b`. */
export function compareCursors(a: Cursor, b: Cursor): number {
  const [aMs = 0n, aSeq = 0n] = a.split('-').map(BigInt);
  const [bMs = 0n, bSeq = 0n] = b.split('-').map(BigInt);
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  return aSeq === bSeq ? 0 : aSeq < bSeq ? -1 : 1;
}
