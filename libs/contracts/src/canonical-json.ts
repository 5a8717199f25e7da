/**
 * The one spelling of a JSON value that digests are made of: keys sorted by UTF-16 units, no white space, `undefined`
 * members left out, numbers and strings as `JSON.stringify` writes them (RFC 8785, except that lone surrogates are
 * escaped and not refused).
 * @throws TypeError on what is not JSON: cycles, bigint, functions, symbols, NaN and the infinities.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value, new Set()));
}

function sorted(value: unknown, above: Set<object>): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} is no JSON number`);
    return value;
  }
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} is no JSON value`);
  if (above.has(value)) throw new TypeError('the value contains itself');
  above.add(value);
  const plain = value instanceof Date ? value.toJSON() : Array.isArray(value) ? value.map((v) => sorted(v ?? null, above)) : sortedObject(value, above);
  above.delete(value);
  return plain;
}

function sortedObject(value: object, above: Set<object>): unknown {
  const members = Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  // Whole-number keys are always enumerated first, in numeric order: the same for everybody, so still canonical.
  return Object.fromEntries(members.map(([k, v]) => [k, sorted(v, above)]));
}
