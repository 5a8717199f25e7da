// Derives the files of `type-table/` from a real API server's OpenAPI documents (which fields are lists of what
// sort, what their keys are, how a strategic merge treats them) and from the Go field facts recorded
// beside them (which fields are pointers, which are printed even when empty).
// Usage: node generate-type-table.mjs <recordings folder>
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const recordings = process.argv[2];
if (!recordings) {
  console.error('generate-type-table: give the folder that holds openapi/ and extra/protobuf/fields.json');
  process.exit(2);
}

const schemas = {};
for (const file of readdirSync(path.join(recordings, 'openapi'))) {
  if (!file.endsWith('.json.gz')) continue;
  const document = JSON.parse(gunzipSync(readFileSync(path.join(recordings, 'openapi', file))).toString());
  Object.assign(schemas, document.components.schemas);
}
const messages = JSON.parse(readFileSync(path.join(recordings, 'extra/protobuf/fields.json'), 'utf8')).messages;

const LEAVES = new Set(['Time', 'MicroTime', 'Quantity', 'IntOrString', 'Duration']);
const ZERO = { string: '', bool: false, int32: 0, int64: 0, double: 0 };
const lastPart = (name) => name.slice(name.lastIndexOf('.') + 1);
const shortName = (name) =>
  name
    .replace('io.k8s.apiextensions-apiserver.pkg.apis.', '')
    .replace('io.k8s.apimachinery.pkg.apis.', '')
    .replace('io.k8s.api.', '');

/** What Go knows of each field of one message, inlined messages taken apart. */
function goFields(schemaName) {
  const facts = {};
  const take = (message) => {
    for (const field of Object.values(message ?? {})) {
      if (field.inline) take(messages[field.type]);
      else facts[field.name] = field;
    }
  };
  take(messages[schemaName.replace(/^io\.k8s\./, 'k8s.io.')]);
  return facts;
}

const target = (node) => (node?.$ref ?? node?.allOf?.[0]?.$ref)?.replace('#/components/schemas/', '');

/** `.` for a leaf, `?` for a value of any shape, otherwise the name of a type. */
function elementOf(node, wanted) {
  const name = target(node);
  if (name === undefined)
    return node?.type === 'object' || node?.type === 'array' || node?.type === undefined ? '?' : '.';
  if (LEAVES.has(lastPart(name))) return '.';
  if (!schemas[name]?.properties) return '?';
  wanted.push(name);
  return shortName(name);
}

function fieldOf(node, go, wanted) {
  const field = {};
  if (node.type === 'array') {
    field.list = node['x-kubernetes-list-type'] ?? 'atomic';
    if (node['x-kubernetes-list-map-keys']) field.keys = node['x-kubernetes-list-map-keys'];
    const of = elementOf(node.items, wanted);
    if (of !== '.') field.of = of;
  } else if (node.additionalProperties) {
    field.map = elementOf(node.additionalProperties, wanted);
  } else {
    field.of = elementOf(node, wanted);
    if (node.default && typeof node.default === 'object') field.byValue = true;
  }
  const mapType = node['x-kubernetes-map-type'];
  if (mapType) field.mapType = mapType;
  if (node['x-kubernetes-patch-strategy']) field.patch = node['x-kubernetes-patch-strategy'];
  if (node['x-kubernetes-patch-merge-key']) field.mergeKey = node['x-kubernetes-patch-merge-key'];
  if (field.byValue && go?.ptr) throw new Error(`pointer with a default: ${JSON.stringify(node)}`);
  return field;
}

/** The value a field has when nobody set it and Go prints it all the same. */
function zeroOf(node, go, name) {
  if (!go || go.ptr) return undefined;
  if (lastPart(go.type) === 'Time' || lastPart(go.type) === 'MicroTime')
    return name === 'creationTimestamp' ? undefined : null;
  if (!go.keep) return undefined;
  if (go.repeated || go.mapKey) return null;
  return ZERO[go.type];
}

function typeOf(name, wanted) {
  const schema = schemas[name];
  const facts = goFields(name);
  const type = { values: [], pointers: [], fields: {}, zero: {}, defaults: {} };
  for (const [field, node] of Object.entries(schema.properties)) {
    const go = facts[field];
    const described = fieldOf(node, go, wanted);
    if (described.of === '.' && !described.list && !described.map)
      (go && !go.ptr && go.type in ZERO ? type.values : type.pointers).push(field);
    else type.fields[field] = described;
    const zero = zeroOf(node, go, field);
    if (zero !== undefined) type.zero[field] = zero;
    if (node.default !== undefined && typeof node.default !== 'object') type.defaults[field] = node.default;
  }
  const compact = {
    values: type.values.join(' '),
    pointers: type.pointers.join(' '),
    fields: type.fields,
    zero: type.zero,
    defaults: type.defaults,
  };
  for (const [key, value] of Object.entries(compact))
    if (value === '' || Object.keys(value).length === 0) delete compact[key];
  if (schema['x-kubernetes-map-type'] === 'atomic') compact.atomic = true;
  return compact;
}

/** A schema default matters to ownership only where the field is a key of a list. */
function keepKeyDefaults(types) {
  const keys = new Map();
  for (const type of Object.values(types)) {
    for (const field of Object.values(type.fields ?? {})) {
      for (const key of field.keys ?? []) keys.set(field.of, [...(keys.get(field.of) ?? []), key]);
    }
  }
  for (const [name, type] of Object.entries(types)) {
    const kept = Object.entries(type.defaults ?? {}).filter(([field]) => keys.get(name)?.includes(field));
    if (kept.length === 0) delete type.defaults;
    else type.defaults = Object.fromEntries(kept);
  }
}

const kinds = {};
const wanted = [];
for (const [name, schema] of Object.entries(schemas)) {
  const gvks = schema['x-kubernetes-group-version-kind'] ?? [];
  if (gvks.length !== 1 || !schema.properties?.metadata || schema.properties.items) continue;
  const { group, version, kind } = gvks[0];
  kinds[`${group}/${version}/${kind}`] = shortName(name);
  wanted.push(name);
}
const types = {};
const seen = new Set();
while (wanted.length > 0) {
  const name = wanted.pop();
  if (seen.has(name)) continue;
  seen.add(name);
  types[shortName(name)] = typeOf(name, wanted);
}
keepKeyDefaults(types);
const sorted = (entries) => Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
const lines = (entries) =>
  Object.entries(sorted(entries))
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`)
    .join('');
const here = path.dirname(new URL(import.meta.url).pathname);
const isCore = (name) => name.startsWith('core.');
const only = (wantsCore) => Object.fromEntries(Object.entries(types).filter(([name]) => isCore(name) === wantsCore));

/** One file of the table: `libs/simulation/src/server/fields/type-table/FILE.ts`. */
function write(file, doc, declaration, entries) {
  const imported = declaration.includes('CompactType') ? "import type { CompactType } from '../type-table-shape';\n\n" : '';
  writeFileSync(path.join(here, 'type-table', `${file}.ts`), `// Made by generate-type-table.mjs from Kubernetes 1.36.2; not written by hand.\n${imported}/** ${doc} */\nexport const ${declaration} = {\n${lines(entries)}};\n`);
}
mkdirSync(path.join(here, 'type-table'), { recursive: true });
write('kinds', 'Kinds as `group/version/Kind`, with the names of their types.', 'KINDS: Readonly<Record<string, string>>', kinds);
write('core-types', 'The types of the core group.', 'CORE_TYPES: Readonly<Record<string, CompactType>>', only(true));
write('other-types', 'The types of all other groups.', 'OTHER_TYPES: Readonly<Record<string, CompactType>>', only(false));
console.log(`${Object.keys(kinds).length} kinds, ${Object.keys(types).length} types`);
