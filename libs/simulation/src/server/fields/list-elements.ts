import { isObject, own, sortedJson } from './json-values';
import type { ListType } from './field-types';

/** The path element of one element of a list: its value in a set, its keys (or their defaults) in a map. */
export function elementPath(list: ListType, element: unknown, index: number): string {
  if (list.relation === 'set') return `v:${sortedJson(element)}`;
  if (list.relation === 'atomic' || !isObject(element)) return `i:${index}`;
  const defaults = list.element.kind === 'map' ? list.element.defaults : undefined;
  const keys = list.keys.map(
    (key) => `${JSON.stringify(key)}:${sortedJson(own(element, key) ?? own(defaults, key) ?? null)}`,
  );
  return `k:{${keys.join(',')}}`;
}

/** The key that an element leaves out and that has no default, if any. */
export function missingKey(list: ListType, element: unknown): string | undefined {
  if (list.relation !== 'map' || !isObject(element)) return undefined;
  const defaults = list.element.kind === 'map' ? list.element.defaults : undefined;
  return list.keys.find((key) => own(element, key) === undefined && own(defaults, key) === undefined);
}

/** The elements by their path, in order; an element that appears twice keeps both values. */
export function indexElements(list: ListType, elements: readonly unknown[]): Map<string, unknown[]> {
  const index = new Map<string, unknown[]>();
  elements.forEach((element, i) => {
    const path = elementPath(list, element, i);
    const same = index.get(path);
    if (same) same.push(element);
    else index.set(path, [element]);
  });
  return index;
}
