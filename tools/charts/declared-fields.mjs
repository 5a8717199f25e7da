// CEL (Kubernetes' admission policies) that lets an update touch the declared fields and nothing else.

/** What the API server itself changes in an object's metadata with any update. */
const ownOfTheServer = ['/metadata/generation', '/metadata/managedFields', '/metadata/resourceVersion'];

/** Validations for an UPDATE that may touch these JSON pointers and what is below them. @throws Error on a pointer that is none */
export function validationsFor(fields) {
  if (!fields?.length) throw new Error('a playbook declares a patch without the fields that it touches');
  const tree = {};
  for (const field of [...fields, ...ownOfTheServer]) {
    if (!/^(\/[A-Za-z0-9]+)+$/.test(field)) throw new Error(`the declared field ${JSON.stringify(field)} is no pointer of plain names`);
    const names = field.slice(1).split('/');
    names.reduce((node, name, i) => {
      if (node[name] === true) return {};
      if (i === names.length - 1) node[name] = true;
      else node[name] ??= {};
      return node[name] === true ? {} : node[name];
    }, tree);
  }
  return levels(tree, []).map(({ path, open }) => ({
    expression: expression(path, open),
    message: `Larry may change ${fields.join(', ')} only, and this changes something else ${path.length ? `under /${path.join('/')}` : 'at the top'}`,
  }));
}

/** Each object on the way to a declared field, with those of its fields that may differ (or are looked at one level deeper). */
function levels(tree, path) {
  const below = Object.entries(tree).flatMap(([name, node]) => (node === true ? [] : levels(node, [...path, name])));
  return [{ path, open: Object.keys(tree) }, ...below];
}

/** Two loops: no other field is changed or added, and none is removed. A level that is missing on both sides is equal. */
function expression(path, open) {
  const at = (object) => [object, ...path].join('.');
  const has = (object) => path.map((_, i) => `has(${[object, ...path.slice(0, i + 1)].join('.')})`).join(' && ');
  const names = `[${open.map((name) => `"${name}"`).join(', ')}]`;
  const same = `${at('object')}.all(k, k in ${names} || (k in ${at('oldObject')} && ${at('object')}[k] == ${at('oldObject')}[k])) && ${at('oldObject')}.all(k, k in ${names} || k in ${at('object')})`;
  if (path.length === 0) return same;
  return `(${has('object')}) == (${has('oldObject')}) && (!(${has('object')}) || (${same}))`;
}

/** Validations for an UPDATE that applies an object again as it is: only the server's own record of who applied it may differ. */
export const unchanged = validationsFor(['/metadata/managedFields']);

const isRelease = (object) => `${object}.type == "helm.sh/release.v1"`;
const stays = unchanged.map(({ expression }) => `(${expression})`).join(' && ');

/** Of Secrets those that hold Helm's releases may be written, created and deleted; any other stays what it is, owners and finalizers too. */
export const releaseSecretsOnly = [
  {
    expression: `((object == null || ${isRelease('object')}) && (oldObject == null || ${isRelease('oldObject')})) || (object != null && oldObject != null && ${stays})`,
    message: 'Larry may write Secrets of the type helm.sh/release.v1 only, in which Helm keeps its releases; any other it may only apply as it is',
  },
];
