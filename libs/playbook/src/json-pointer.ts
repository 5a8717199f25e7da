/** Reading and naming places in JSON (RFC 6901). */

/** The parts of a pointer: `/metadata/annotations/a~1b` → `['metadata', 'annotations', 'a/b']`. */
export function pointerParts(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new TypeError(`"${pointer}" is no JSON pointer: it must start with "/"`);
  return pointer
    .slice(1)
    .split('/')
    .map((p) => p.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A pointer from its parts. */
export function toPointer(parts: readonly (string | number)[]): string {
  return parts.map((p) => `/${String(p).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The value at a pointer, or undefined where there is none. Own properties only: hostile keys read nothing else. */
export function valueAt(document: unknown, pointer: string): unknown {
  let at: unknown = document;
  for (const part of pointerParts(pointer)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

/** The longest prefix of a pointer that exists in the document; `''` is the whole document. */
export function nearestExisting(document: unknown, pointer: string): string {
  const parts = pointerParts(pointer);
  for (let length = parts.length; length > 0; length--) {
    const prefix = toPointer(parts.slice(0, length));
    if (valueAt(document, prefix) !== undefined) return prefix;
  }
  return '';
}
