import { isObject, setOwn } from './json-values';
import { PatchError } from './types';

export const DIRECTIVE = '$patch';
export const RETAIN_KEYS = '$retainKeys';
export const ELEMENT_ORDER = '$setElementOrder/';
export const DELETE_FROM_PRIMITIVES = '$deleteFromPrimitiveList/';

/** A directive of the wrong shape, in the words of a real server. */
export function badFormat(directive: 'retainKeys' | 'deleteFromPrimitiveList' | 'setElementOrder list'): PatchError {
  const what =
    directive === 'deleteFromPrimitiveList'
      ? 'invalid patch format of primitive list'
      : `invalid patch format of ${directive}`;
  return new PatchError(400, 'BadRequest', what);
}

/** A part of a patch that becomes part of the object as it is: without directives, and without nulls in maps. */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    return (value as readonly unknown[])
      .filter((item) => !(isObject(item) && item[DIRECTIVE] === 'delete'))
      .map(withoutDirectives);
  }
  if (!isObject(value)) return value;
  const next: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const isDirective =
      key === DIRECTIVE ||
      key === RETAIN_KEYS ||
      key.startsWith(ELEMENT_ORDER) ||
      key.startsWith(DELETE_FROM_PRIMITIVES);
    if (!isDirective && child !== null) setOwn(next, key, withoutDirectives(child));
  }
  return next;
}
