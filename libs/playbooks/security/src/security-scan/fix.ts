/** A step into an object: a field, an index, or the list element with these merge keys. */
export type Step = string | number | Record<string, string | number>;

/** One field as it should be; `remove` takes it away. */
export type FieldChange = { path: Step[]; value: unknown } | { path: Step[]; remove: true };

/** What would mend a hit, before it is known which layer owns the object. */
export type Fix =
  /** Fields of the object itself. */
  | { kind: 'fields'; changes: FieldChange[]; note?: string }
  /** RFC 6902 operations on the object itself, for lists that a merge patch cannot speak of. */
  | { kind: 'json'; patch: Record<string, unknown>[]; note?: string }
  /** An object that is missing. */
  | { kind: 'create'; object: Record<string, unknown>; note?: string }
  /** Nobody but a person can say what is right here. */
  | { kind: 'decide'; reason: string };

/** A decision about fields of the object itself, each named with its place. */
export function decideAt(places: readonly { at: string }[], reason: string): Fix {
  const named = places.slice(0, 3).map(({ at }) => at);
  const more = places.length - named.length;
  return { kind: 'decide', reason: `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}: ${reason}` };
}

type Tree = Record<string, unknown>;

/** The changes as one nested object: a strategic merge patch when `removed` is null. */
export function changesAsObject(changes: readonly FieldChange[], removed: null | undefined): Tree {
  const root: Tree = {};
  for (const change of changes) {
    const value = 'remove' in change ? removed : change.value;
    if (value !== undefined) place(root, change.path, value);
  }
  return root;
}

/** The paths of the fields that the changes take away, as people write them. */
export function removedPaths(changes: readonly FieldChange[]): string[] {
  return changes.filter((c) => 'remove' in c).map((c) => pathText(c.path));
}

/** `spec.containers[name=app].securityContext`. */
export function pathText(path: readonly Step[]): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      if (typeof step === 'string') return `${i === 0 ? '' : '.'}${step}`;
      return `[${Object.entries(step)
        .map(([k, v]) => `${k}=${v}`)
        .join(',')}]`;
    })
    .join('');
}

function place(root: Tree, path: readonly Step[], value: unknown): void {
  let at: Tree = root;
  path.forEach((step, i) => {
    if (typeof step !== 'string') return;
    const next = path[i + 1];
    if (next === undefined) define(at, step, value);
    else if (typeof next === 'string') at = child(at, step);
    else if (typeof next === 'object') at = element(at, step, next);
    else throw new TypeError(`a merge patch cannot speak of ${pathText(path)}: lists go by merge key`);
  });
}

// Names come from the cluster: `__proto__` must become a field like any other.
function define(at: Tree, key: string, value: unknown): void {
  Object.defineProperty(at, key, { value, enumerable: true, configurable: true, writable: true });
}

function child(at: Tree, key: string): Tree {
  if (!Object.hasOwn(at, key)) define(at, key, {});
  return at[key] as Tree;
}

function element(at: Tree, key: string, merge: Record<string, string | number>): Tree {
  if (!Object.hasOwn(at, key)) define(at, key, []);
  const list = at[key] as Tree[];
  const found = list.find((item) => Object.entries(merge).every(([k, v]) => item[k] === v));
  if (found) return found;
  const made: Tree = { ...merge };
  list.push(made);
  return made;
}
