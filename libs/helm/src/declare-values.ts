import { canonicalJson, describeRef, redact, refOf, valueIn, type HelmUpgrade, type HelmValue, type JsonRecord, type KubeObject, type ObjectRef } from '@larry/contracts';
import { stringify } from 'yaml';
import { coalesce, overlayOf } from './candidates';
import type { DeclaredRelease, SetValue, ValueSource } from './declared-release';
import { isMap, pointerOf, same, withValueAt, type Place } from './rendered';
import type { HelmRelease } from './release';
import type { WantedOperation } from './wanted';

/** Where a driven release's values have to be other ones: the object that declares them, and its change. */
export type DeclaredChange = { object: ObjectRef; wanted: WantedOperation[]; /** What the object then says there. */ shown: JsonRecord; /** For people. */ places: string[] } | { none: string };

interface Step {
  object: KubeObject;
  operation: WantedOperation;
  /** As a path of the object for people, whose text counts as what it holds. */
  place: Place;
  value: unknown;
  text?: Place;
}

/** Finds for values of a release the object that decides each, and what to change there. Nothing is guessed: what is declared has to be what the release was made with. Pure. */
export function declareValues(declared: DeclaredRelease, release: HelmRelease, upgrade: HelmUpgrade): DeclaredChange {
  const steps: Step[] = [];
  for (const set of upgrade.set) {
    const step = stepFor(declared, release, set);
    if ('none' in step) return step;
    steps.push(step);
  }
  const [first] = steps;
  const [object, other] = [...new Set(steps.map((s) => s.object))];
  if (!first || !object) return { none: 'no value is named' };
  if (other) return { none: `its values stand in ${nameOf(object)} and in ${nameOf(other)}: they have to be changed together` };
  const change = { wanted: operationsOf(steps), shown: shownBy(steps) };
  // A list is written out whole, and with it what the chart's own values hold.
  if (canonicalJson(redact(change)) !== canonicalJson(change)) return { none: `${steps.map(({ place }) => place.join('.')).join(', ')} of ${nameOf(object)} would hold a secret: a person writes it` };
  return { object: withoutUid(object), ...change, places: steps.map(({ place }) => place.join('.')) };
}

function stepFor(declared: DeclaredRelease, release: HelmRelease, wanted: HelmValue): Step | { none: string } {
  const name = wanted.path.join('.');
  const single = declared.set.find((s) => overlaps(s.path, wanted.path));
  if (single) return stepInSet(single, release, wanted);
  for (const source of [...declared.sources].reverse()) {
    const held = heldBy(source, wanted.path);
    if (held === 'otherwise') return { none: `${source.at.join('.')} of ${nameOf(source.object)} decides what stands above ${name}` };
    if (held === 'here') return stepIn(source, release, wanted);
  }
  if (valueAt(release.config, wholeOf(wanted.path)) === undefined) return newStep(declared.base, release, wanted);
  return { none: declared.elsewhere.length > 0 ? `${declared.elsewhere.join(', ')} gives ${name}: the change belongs there` : `the release has ${name}, and ${nameOf(declared.base.object)} does not: its controller has not come to it yet, or somebody else upgraded the release` };
}

/** A list is replaced as a whole: who gives it gives all its elements. */
function wholeOf(path: Place): Place {
  const list = path.findIndex((part) => typeof part === 'number');
  return list < 0 ? path : path.slice(0, list);
}

function heldBy({ values }: ValueSource, path: Place): 'here' | 'otherwise' | 'not' {
  const whole = wholeOf(path);
  for (let depth = 1; depth < whole.length; depth += 1) {
    const above = valueAt(values, whole.slice(0, depth));
    if (above === undefined) return 'not';
    if (!isMap(above)) return 'otherwise';
  }
  return valueAt(values, whole) === undefined ? 'not' : 'here';
}

function stepIn({ object, at, text, values }: ValueSource, release: HelmRelease, { path, value }: HelmValue): Step | { none: string } {
  const place = [...at, ...path];
  const whole = wholeOf(path);
  if (!same(valueAt(values, whole), valueAt(release.config, whole))) return { none: `${[...at, ...whole].join('.')} of ${nameOf(object)} is not what the release was made with: its controller has not come to it yet, or something else gives the value` };
  const more = text ? { text: at } : {};
  if (value !== null) return { object, operation: { op: valueAt(values, path) === undefined ? 'add' : 'replace', path: pointerOf(place), value }, place, value, ...more };
  if (valueAt(release.chart.values, path) !== undefined) return { none: `a default of the chart has to go (${path.join('.')}: null): for a person to write` };
  return { object, operation: { op: 'remove', path: pointerOf(place) }, place, value: undefined, ...more };
}

function newStep({ object, at, text, values }: ValueSource, release: HelmRelease, wanted: HelmValue): Step | { none: string } {
  if (wanted.value === null) return { none: `a default of the chart has to go (${wanted.path.join('.')}: null): for a person to write` };
  const path = wholeOf(wanted.path);
  const value = valueAt(overlayOf(coalesce(release.chart.values, release.config), [wanted]), path);
  const place = [...at, ...path];
  const isNew = text && values === undefined;
  return { object, operation: { op: 'add', path: pointerOf(isNew ? at : place), value: isNew ? stringify(withValueAt({}, path, value)) : value }, place, value, ...(text ? { text: at } : {}) };
}

/** Such values are whole numbers and texts alone; `true`, `false` and `null` are read as what they name (k3s, helm-controller, `typedVal`). */
function stepInSet({ object, key, path, value: stands }: SetValue, release: HelmRelease, wanted: HelmValue): Step | { none: string } {
  const place = ['spec', 'set', key];
  const none = (why: string): { none: string } => ({ none: `spec.set of ${nameOf(object)} gives ${key}: ${why}` });
  if (!same(path, wanted.path)) return none(`it decides a part of ${wanted.path.join('.')}`);
  const running = valueAt(release.config, path);
  if (String(running) !== String(stands)) return none('it is not what the release was made with');
  const { value } = wanted;
  if (typeof value === 'string' && !/^(?:true|false|null)$/i.test(value)) return { object, operation: { op: 'replace', path: pointerOf(place), value }, place, value };
  if (typeof value === 'boolean') return { object, operation: { op: 'replace', path: pointerOf(place), value: String(value) }, place, value: String(value) };
  return Number.isInteger(value) ? { object, operation: { op: 'replace', path: pointerOf(place), value }, place, value } : none('it cannot hold the value');
}

function overlaps(one: Place, other: Place): boolean {
  const depth = Math.min(one.length, other.length);
  return depth > 0 && same(one.slice(0, depth), other.slice(0, depth));
}

/** Two values that both make a text which is not there yet make one. */
function operationsOf(steps: readonly Step[]): WantedOperation[] {
  const made = steps.filter(({ operation, text }) => text && operation.path === pointerOf(text));
  const [first] = made;
  if (!first?.text || made.length < 2) return steps.map(({ operation }) => operation);
  const { text } = first;
  const values = made.reduce<unknown>((map, { place, value }) => withValueAt(map, place.slice(text.length), value), {});
  return [{ ...first.operation, value: stringify(values) }];
}

function shownBy(steps: readonly Step[]): JsonRecord {
  const text = steps.find((s) => s.text)?.text;
  const shown = steps.reduce<unknown>((map, { place, value }) => withValueAt(map, place, value ?? null), {});
  if (!text) return shown as JsonRecord;
  return withValueAt(shown, text, stringify(valueAt(shown, text))) as JsonRecord;
}

function withoutUid(object: KubeObject): ObjectRef {
  const { uid: _, ...ref } = refOf(object);
  return ref;
}

const valueAt = (values: unknown, path: Place): unknown => valueIn(values, ...path);
const nameOf = (object: KubeObject): string => describeRef(refOf(object));
