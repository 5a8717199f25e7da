import type { CheckReport } from '@larry/contracts';

/** Files counted once each, and what was passed over inside loaded ones apart; undefined for a source without files. */
export function filesText({ source, files }: CheckReport): string | undefined {
  const skipped = files.skipped.filter((s) => !s.partial).length;
  const documents = files.skipped.length - skipped;
  if (source.type === 'live' && files.loaded + skipped === 0) return undefined;
  const apart = documents === 0 ? '' : `; and ${documents} ${documents === 1 ? 'document' : 'documents'} skipped`;
  return `${files.loaded + skipped} = ${files.loaded} loaded + ${skipped} skipped${apart}`;
}

/** True for a folder of which nothing was used: no findings then means nothing. */
export function nothingRead({ source, files }: CheckReport): boolean {
  return source.type !== 'live' && files.loaded === 0;
}
