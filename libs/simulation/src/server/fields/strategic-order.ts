import { isObject, jsonEqual } from './json-values';

type List = readonly unknown[];

/**
 * The elements that the order names, in that order; the others are put before the first of these that
 * stood after them in the live list.
 */
export function inOrder(merged: List, order: List, live: List, mergeKey: string | undefined): List {
  const place = (item: unknown, list: List): number => indexOf(list, item, mergeKey);
  const named = merged.filter((item) => place(item, order) >= 0).sort((a, b) => place(a, order) - place(b, order));
  const others = merged.filter((item) => place(item, order) < 0).sort((a, b) => place(a, live) - place(b, live));
  const result: unknown[] = [];
  while (named.length > 0 && others.length > 0) {
    const [other, next] = [place(others[0], live), place(named[0], live)];
    result.push(other >= 0 && next >= 0 && other < next ? others.shift() : named.shift());
  }
  return [...result, ...named, ...others];
}

/** Where an element stands, by its merge key or by its value; -1 for nowhere. */
export function indexOf(list: List, item: unknown, mergeKey: string | undefined): number {
  return list.findIndex((other) => {
    if (mergeKey === undefined || !isObject(other) || !isObject(item)) return jsonEqual(other, item);
    return jsonEqual(other[mergeKey], item[mergeKey]);
  });
}
