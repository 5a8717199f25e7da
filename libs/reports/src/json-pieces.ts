/** A list that is made while it is written: `JSON.stringify` writes it whole, {@link jsonPieces} one element at a time. */
export interface LazyList<T> extends Iterable<T> {
  toJSON(): T[];
}

/** What each element becomes, made anew whenever the list is gone through. */
export function lazyList<A, B>(elements: readonly A[], make: (element: A) => B): LazyList<B> {
  return {
    *[Symbol.iterator]() {
      for (const element of elements) yield make(element);
    },
    toJSON: () => elements.map(make),
  };
}

/**
 * What `JSON.stringify(value, null, 2)` gives, in pieces: the elements of lists and the members of objects down to `depth`
 * levels are written one by one, so that a report of a hundred thousand findings never stands in memory as text.
 */
export function* jsonPieces(value: unknown, depth = 4, indent = ''): Iterable<string> {
  const isList = Array.isArray(value) || isLazy(value);
  if (depth === 0 || value === null || typeof value !== 'object' || (!isList && 'toJSON' in value)) {
    yield JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`);
    return;
  }
  const inner = `${indent}  `;
  let count = 0;
  for (const [key, member] of isList ? numbered(value as Iterable<unknown>) : Object.entries(value)) {
    if (member === undefined && !isList) continue;
    yield `${count === 0 ? (isList ? '[' : '{') : ','}\n${inner}${isList ? '' : `${JSON.stringify(key)}: `}`;
    yield* jsonPieces(member ?? null, depth - 1, inner);
    count += 1;
  }
  if (count === 0) yield isList ? '[]' : '{}';
  else yield `\n${indent}${isList ? ']' : '}'}`;
}

function isLazy(value: unknown): value is LazyList<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'toJSON' in value;
}

function* numbered(list: Iterable<unknown>): Iterable<[string, unknown]> {
  for (const element of list) yield ['', element];
}
