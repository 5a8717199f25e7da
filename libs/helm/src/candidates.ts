import type { HelmValue, JsonRecord } from '@larry/contracts';
import { isMap, same, withValueAt, type Place } from './rendered';
import type { WantedField } from './wanted';

/** A value that might decide a field, in the order in which they are tried: the higher `weight` first. */
interface Candidate extends HelmValue {
  weight: number;
}

/** The values that a chart is rendered with: its own, and the release's over them. `null` takes a default away. */
export function coalesce(defaults: JsonRecord, given: JsonRecord): JsonRecord {
  const merged: JsonRecord = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    const below = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isMap(value) && isMap(below) ? coalesce(below, value) : value;
  }
  return merged;
}

/** Only what is set, as a values file: a list is replaced as a whole by Helm, so it is written out whole. */
export function overlayOf(values: JsonRecord, settings: readonly HelmValue[]): JsonRecord {
  let overlay: unknown = {};
  for (const { path, value } of settings) {
    const list = path.findIndex((part) => typeof part === 'number');
    if (list < 0) {
      overlay = withValueAt(overlay, path, value);
      continue;
    }
    const above = path.slice(0, list);
    const whole = at(overlay, above) ?? at(values, above);
    overlay = withValueAt(overlay, above, withValueAt(whole, path.slice(list), value));
  }
  return overlay as JsonRecord;
}

/** Every value of a chart that could be what decides a field, likeliest first: nothing is believed until it is rendered. Pure. */
export function candidatesFor(values: JsonRecord, fields: readonly WantedField[]): HelmValue[] {
  const places = [...placesOf(values, [])];
  const all = fields.flatMap((field) => places.flatMap(({ path, value }) => forPlace(path, value, field)));
  const unique = new Map(all.sort((a, b) => b.weight - a.weight).map((candidate) => [JSON.stringify([candidate.path, candidate.value]), candidate]));
  return [...unique.values()].map(({ path, value }) => ({ path, value }));
}

function* placesOf(value: unknown, path: Place): Generator<{ path: Place; value: unknown }> {
  if (path.length > 0) yield { path, value };
  if (Array.isArray(value)) for (const [i, element] of value.entries()) yield* placesOf(element, [...path, i]);
  else if (isMap(value)) for (const [key, inner] of Object.entries(value)) yield* placesOf(inner, [...path, key]);
}

function forPlace(path: Place, value: unknown, { path: field, before, after }: WantedField): Candidate[] {
  const key = path.at(-1);
  const name = [...field].reverse().find((part) => typeof part === 'string');
  const alike = key === name ? 10 : path.some((part) => typeof part === 'string' && field.includes(part)) ? 5 : 0;
  const candidate = (weight: number, wanted: unknown, below: Place = []): Candidate => ({ path: [...path, ...below], value: wanted, weight: weight + alike });
  if (after === undefined) return before !== undefined && (same(value, before) || key === name) ? [candidate(50, null)] : [];
  if (before !== undefined && (same(value, before) || (isScalar(value) && isScalar(before) && String(value) === String(before)))) return [candidate(100, likeType(value, after))];
  const found: Candidate[] = [];
  const part = partOf(value, before, after);
  if (part !== undefined) found.push(candidate(60 + String(value).length, part));
  if (isScalar(value) && key === name) found.push(candidate(40, likeType(value, after)));
  if (isEmpty(value)) found.push(...forEmpty(value, field, after, key === name).map(([wanted, below]) => candidate(20, wanted, below)));
  if (Array.isArray(value) && typeof field.at(-1) === 'number' && before === undefined) found.push(candidate(value.length === 0 ? 45 : 30, after, [value.length]));
  if (isMap(value) && !isEmpty(value) && typeof name === 'string' && field.includes(key ?? '') && !(name in value)) found.push(candidate(30, after, [name]));
  return found;
}

/** `1.25` of `nginx:1.25` where `nginx:1.27` is wanted: `1.27`. */
function partOf(value: unknown, before: unknown, after: unknown): unknown {
  if (typeof before !== 'string' || typeof after !== 'string' || !isScalar(value)) return undefined;
  const part = String(value);
  for (let start = part === '' ? -1 : before.indexOf(part); start >= 0; start = before.indexOf(part, start + 1)) {
    const [head, tail] = [before.slice(0, start), before.slice(start + part.length)];
    if (!after.startsWith(head) || !after.endsWith(tail) || after.length < head.length + tail.length) continue;
    return likeType(value, after.slice(head.length, after.length - tail.length));
  }
  return undefined;
}

/** What an empty value may be meant for: the field itself, maps that hold it, or the tag of an image. */
function forEmpty(value: unknown, field: Place, after: unknown, alike: boolean): [unknown, Place][] {
  const found: [unknown, Place][] = [];
  if (!isMap(value) && !Array.isArray(value)) {
    if (alike || field.length > 0) found.push([after, []]);
    if (typeof after === 'string' && after.includes(':')) found.push([after.slice(after.lastIndexOf(':') + 1), []]);
    return found;
  }
  if (isMap(value) && isMap(after)) found.push([after, []]);
  if (isMap(value)) for (const depth of [1, 2]) {
    const below = field.slice(-depth);
    if (below.length === depth && below.every((part) => typeof part === 'string')) found.push([after, below]);
  }
  return found;
}

const isScalar = (value: unknown): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value);
const isEmpty = (value: unknown): boolean => value === null || value === '' || (Array.isArray(value) && value.length === 0) || (isMap(value) && Object.keys(value).length === 0);

/** A number stays a number and a text a text, as the chart's author wrote it. */
function likeType(value: unknown, wanted: unknown): unknown {
  if (typeof value === 'string' && typeof wanted === 'number') return String(wanted);
  if (typeof value === 'number' && typeof wanted === 'string' && wanted !== '' && String(Number(wanted)) === wanted) return Number(wanted);
  return wanted;
}

function at(values: unknown, path: Place): unknown {
  return path.reduce<unknown>((value, part) => (Array.isArray(value) || isMap(value) ? (value as JsonRecord)[part] : undefined), values);
}
