import type { ServedKind } from './discovery';

/** True for a name that can stand in a path of the API as it is (Kubernetes, *Object Names and IDs*, path segment names). */
export function isPathSegment(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/%?#\s]/.test(name);
}

/** The path of a kind, or of one object of it. Names must be path segments. */
export function apiPath(kind: ServedKind, place: { namespace?: string; name?: string } = {}): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const namespace = kind.namespaced && place.namespace !== undefined ? `/namespaces/${encodeURIComponent(place.namespace)}` : '';
  const name = place.name === undefined ? '' : `/${encodeURIComponent(place.name)}`;
  return `${root}${namespace}/${kind.resource}${name}`;
}

/** A query string of the values that are given, with its question mark. */
export function query(values: Record<string, string | number | boolean | undefined>): string {
  const entries = Object.entries(values).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined && entry[1] !== '');
  if (entries.length === 0) return '';
  return `?${entries.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}`;
}
