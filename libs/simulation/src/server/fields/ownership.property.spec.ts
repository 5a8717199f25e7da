import fc from 'fast-check';
import { applyPatchSSA, jsonPatch, mergePatch, strategicMerge, trackUpdate, type KubeObject } from './index';
import { decodeManagedFields } from './managed-fields';
import { EMPTY_SET, difference, intersection, isEmptySet, printPath, pathsOf, union, type FieldSet } from './field-set';
import { builtInType } from './field-types';
import { isObject, jsonEqual } from './json-values';
import { compareTyped } from './typed-compare';
import { fieldSetOf } from './typed-sets';
import { aDeployment, DEPLOYMENT, frozen, type DeploymentParts } from './sample-deployment';
import { NEVER_OWNED } from './untracked-fields';

const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-01T00:01:00Z';
const TYPE = builtInType(DEPLOYMENT) ?? { kind: 'leaf' as const };

const value = fc.constantFrom('1', '2');
const some = (...keys: string[]): fc.Arbitrary<Record<string, string>> =>
  fc.dictionary(fc.constantFrom(...keys), value, { minKeys: 1, maxKeys: keys.length });
const parts: fc.Arbitrary<DeploymentParts> = fc.record(
  {
    labels: some('a', 'b', 'c'),
    replicas: fc.integer({ min: 0, max: 3 }),
    containers: some('x', 'y', 'z'),
    env: some('E', 'F', 'G'),
  },
  { requiredKeys: [] },
);
const manager = fc.constantFrom('helm', 'kubectl-edit', 'argo');

const apply = (
  live: KubeObject | undefined,
  from: DeploymentParts,
  by: string,
  force = false,
  now = T0,
): ReturnType<typeof applyPatchSSA> =>
  applyPatchSSA({ live: frozen(live), patch: frozen(aDeployment(from)), manager: by, force, now, kind: DEPLOYMENT });

function applied(...args: Parameters<typeof apply>): KubeObject {
  const outcome = apply(...args);
  if ('conflicts' in outcome) throw new Error(JSON.stringify(outcome.conflicts));
  return outcome.object;
}

const track = (before: KubeObject | undefined, after: KubeObject, by: string): KubeObject =>
  trackUpdate({
    before: frozen(before),
    after: frozen(after),
    manager: by,
    operation: 'Update',
    now: T1,
    kind: DEPLOYMENT,
  });

const owned = (object: KubeObject, by?: string): FieldSet =>
  [...(decodeManagedFields(object.metadata?.managedFields)?.values() ?? [])]
    .filter(({ owner }) => by === undefined || owner.manager === by)
    .reduce((all, { fields }) => union(all, fields), EMPTY_SET);

/** What a deployment of these parts says, by the path that the server would print. */
function leaves({ labels = {}, replicas, containers = {}, env = {} }: DeploymentParts): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, text] of Object.entries(labels)) found.set(`.metadata.labels.${key}`, text);
  if (replicas !== undefined) found.set('.spec.replicas', String(replicas));
  Object.entries(containers).forEach(([name, image], i) => {
    const at = `.spec.template.spec.containers[name="${name}"]`;
    found.set(`${at}.image`, image);
    if (i === 0) for (const [key, text] of Object.entries(env)) found.set(`${at}.env[name="${key}"].value`, text);
  });
  return found;
}

const now = (object: KubeObject): Map<string, string> => {
  const spec = (object['spec'] ?? {}) as {
    replicas?: number;
    template?: { spec?: { containers?: { name: string; image: string; env?: { name: string; value: string }[] }[] } };
  };
  const found = leaves({
    labels: (object.metadata?.['labels'] ?? {}) as Record<string, string>,
    ...(spec.replicas === undefined ? {} : { replicas: spec.replicas }),
  });
  for (const { name, image, env = [] } of spec.template?.spec?.containers ?? []) {
    const at = `.spec.template.spec.containers[name="${name}"]`;
    if (image !== undefined) found.set(`${at}.image`, image);
    for (const entry of env) found.set(`${at}.env[name="${entry.name}"].value`, entry.value);
  }
  return found;
};

describe('server-side apply, for any configurations', () => {
  it('is idempotent, times included', () => {
    fc.assert(
      fc.property(parts, parts, (first, second) => {
        const live = applied(applied(undefined, first, 'helm'), second, 'argo', true);
        const again = applied(live, second, 'argo', true, T1);
        expect(again).toEqual(live);
      }),
    );
  });

  it('holds exactly what its only manager applied last', () => {
    fc.assert(
      fc.property(parts, parts, (first, second) =>
        expect(now(applied(applied(undefined, first, 'helm'), second, 'helm'))).toEqual(leaves(second)),
      ),
    );
  });

  it('removes a dropped field if and only if nobody else applies it', () => {
    fc.assert(
      fc.property(parts, parts, parts, (first, shared, second) => {
        const theirs = leaves(shared);
        const both = apply(applied(undefined, first, 'helm'), shared, 'argo');
        fc.pre(!('conflicts' in both));
        const after = apply((both as { object: KubeObject }).object, second, 'helm');
        fc.pre(!('conflicts' in after));
        const left = now((after as { object: KubeObject }).object);
        for (const path of leaves(first).keys())
          if (!leaves(second).has(path)) expect([path, left.has(path)]).toEqual([path, theirs.has(path)]);
      }),
    );
  });

  it('conflicts exactly where another applier owns a different value', () => {
    fc.assert(
      fc.property(parts, parts, (first, second) => {
        const mine = leaves(first);
        const expected = [...leaves(second)]
          .filter(([path, text]) => mine.has(path) && mine.get(path) !== text)
          .map(([path]) => path);
        const outcome = apply(applied(undefined, first, 'helm'), second, 'argo');
        const found = 'conflicts' in outcome ? outcome.conflicts.flatMap(({ fields }) => fields) : [];
        expect([...found].sort()).toEqual(expected.sort());
      }),
    );
  });
});

describe('an update, for any two states', () => {
  it('leaves every leaf with an owner, and what changed with the writer alone', () => {
    fc.assert(
      fc.property(parts, parts, manager, (first, second, by) => {
        const before = track(undefined, aDeployment(first), 'creator');
        // An object that nobody owns stays untracked: see track-update.spec.ts.
        fc.pre(before.metadata?.managedFields !== undefined);
        const after = track(
          before,
          {
            ...aDeployment(second),
            metadata: { ...aDeployment(second).metadata, managedFields: before.metadata?.managedFields },
          },
          by,
        );
        const leavesNow = difference(
          fieldSetOf({ ...after, metadata: { ...after.metadata, managedFields: undefined } }, TYPE),
          NEVER_OWNED,
        );
        const orphans = [...pathsOf(difference(leavesNow, owned(after)))].map((path) => printPath(path));
        // A struct by value is there before and after: being empty is no change, and nobody's.
        expect(orphans.filter((path) => path !== '.spec' && path !== '.spec.template')).toEqual([]);
        const { added, modified } = compareTyped(
          before,
          { ...after, metadata: { ...after.metadata, managedFields: before.metadata?.managedFields } },
          TYPE,
        );
        const changed = difference(union(added, modified), NEVER_OWNED);
        expect(isEmptySet(difference(changed, owned(after, by)))).toBe(true);
        expect(isEmptySet(intersection(changed, owned(after, 'creator')))).toBe(true);
      }),
    );
  });

  it('of a state to itself changes nothing', () => {
    fc.assert(
      fc.property(parts, manager, (first, by) => {
        const before = track(undefined, aDeployment(first), 'creator');
        expect(track(before, before, by)).toEqual(before);
      }),
    );
  });
});

/** The strategic merge patch that kubectl would send to get from one state to the other. */
function strategicDiff(from: unknown, to: unknown): Record<string, unknown> {
  const [before, after] = [isObject(from) ? from : {}, isObject(to) ? to : {}];
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null;
  for (const [key, now] of Object.entries(after)) {
    const was = before[key];
    if (jsonEqual(was, now)) continue;
    if (Array.isArray(now) && Array.isArray(was)) Object.assign(patch, listDiff(key, was as Named[], now as Named[]));
    else patch[key] = isObject(now) && isObject(was) ? strategicDiff(was, now) : now;
  }
  return patch;
}
type Named = { name: string };
function listDiff(key: string, was: Named[], now: Named[]): Record<string, unknown> {
  const gone = was
    .filter(({ name }) => !now.some((item) => item.name === name))
    .map(({ name }) => ({ $patch: 'delete', name }));
  const kept = now.map((item) => ({
    ...strategicDiff(
      was.find(({ name }) => name === item.name),
      item,
    ),
    name: item.name,
  }));
  return { [`$setElementOrder/${key}`]: now.map(({ name }) => ({ name })), [key]: [...kept, ...gone] };
}

describe('a patch from one state to another, for any two states', () => {
  const object = parts.map(aDeployment);

  it('gets there as a strategic merge', () => {
    fc.assert(
      fc.property(object, object, (from, to) =>
        expect(
          strategicMerge({ live: frozen(from), patch: frozen(strategicDiff(from, to)), kind: DEPLOYMENT }),
        ).toEqual(to),
      ),
    );
  });

  it('gets there as a JSON merge patch', () => {
    const json = fc
      .jsonValue({ maxDepth: 3 })
      .map((found) => JSON.parse(JSON.stringify(found, (_, item: unknown) => (item === null ? 0 : item))) as unknown);
    const diff = (from: unknown, to: unknown): unknown => {
      if (!isObject(to) || !isObject(from)) return to;
      const gone = Object.keys(from)
        .filter((key) => !Object.hasOwn(to, key))
        .map((key) => [key, null] as const);
      return Object.fromEntries([
        ...gone,
        ...Object.entries(to).map(
          ([key, item]) => [key, diff(Object.hasOwn(from, key) ? from[key] : undefined, item)] as const,
        ),
      ]);
    };
    fc.assert(
      fc.property(json, json, (from, to) => expect(mergePatch(frozen(from), frozen(diff(from, to)))).toEqual(to)),
    );
  });

  it('gets there as a JSON patch, and back', () => {
    const key = fc.string({ minLength: 1, maxLength: 4 }).filter((text) => text !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(key, fc.integer()), key, fc.integer(), (from, at, added) => {
        fc.pre(!Object.hasOwn(from, at));
        const path = `/${at.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const there = jsonPatch(frozen(from), [{ op: 'add', path, value: added }]);
        expect(there).toEqual({ ...from, [at]: added });
        expect(
          jsonPatch(frozen(there), [
            { op: 'test', path, value: added },
            { op: 'remove', path },
          ]),
        ).toEqual(from);
      }),
    );
  });
});
