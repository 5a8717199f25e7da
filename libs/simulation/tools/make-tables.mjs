// Makes src/server/data/schema.json out of the recordings' protobuf field table and OpenAPI documents:
// names, numbers and types of the fields of the built-in kinds, and no prose.
//   node libs/simulation/tools/make-tables.mjs ../shared/recordings
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const recordings = process.argv[2];
const out = path.join(import.meta.dirname, '../src/server/data/schema.json');
const read = (file) => JSON.parse(readFileSync(path.join(recordings, file), 'utf8'));

const SCALARS = {
  'meta.v1.Time': 'time', 'meta.v1.MicroTime': 'microtime', 'meta.v1.FieldsV1': 'raw', 'runtime.RawExtension': 'raw',
  'resource.Quantity': 'quantity', 'intstr.IntOrString': 'intstr', uint32: 'int32', uint64: 'int64', float: 'double',
  'apiextensions.v1.JSON': 'raw', 'apiextensions.v1.JSONSchemaPropsOrArray': 'raw', 'apiextensions.v1.JSONSchemaPropsOrBool': 'raw',
  'apiextensions.v1.JSONSchemaPropsOrStringArray': 'raw', 'meta.v1.Patch': 'raw', 'version.Info': 'raw',
};
const short = (name) => name
  .replace(/^(io\.k8s|k8s\.io)\.(api\.|apimachinery\.pkg\.(apis\.|api\.|util\.)?|apiextensions-apiserver\.pkg\.apis\.)/, '');
const typeOf = (name) => SCALARS[short(name)] ?? short(name);
const fromRef = (ref) => typeOf(ref.replace('#/components/schemas/', ''));

const open = {};
for (const file of readdirSync(path.join(recordings, 'openapi')).filter((f) => f.endsWith('.gz'))) {
  const doc = JSON.parse(gunzipSync(readFileSync(path.join(recordings, 'openapi', file))));
  for (const [name, schema] of Object.entries(doc.components.schemas)) open[short(name)] ??= schema;
}

/** The type an OpenAPI property has: a reference, a scalar, or a list or map of one. */
function openType(p) {
  const ref = p.$ref ?? p.allOf?.[0]?.$ref;
  if (ref) return { t: fromRef(ref) };
  if (p.type === 'array') return { ...openType(p.items), c: 'l' };
  if (p.type === 'object' && p.additionalProperties) {
    const inner = openType(p.additionalProperties);
    return inner.c ? { t: 'raw', c: 'm' } : { ...inner, c: 'm' };
  }
  if (p.type === 'object' || p.type === undefined) return { t: 'raw' };
  if (p.type === 'string') return { t: p.format === 'byte' ? 'bytes' : p.format === 'date-time' ? 'time' : p.format === 'int-or-string' ? 'intstr' : 'string' };
  if (p.type === 'boolean') return { t: 'bool' };
  if (p.type === 'integer') return { t: p.format === 'int64' ? 'int64' : 'int32' };
  return { t: 'double' };
}

function facts(p, required) {
  const f = {};
  if (required) f.r = 1;
  if (p.default !== undefined && !(typeof p.default === 'object' && Object.keys(p.default).length === 0)) f.d = p.default;
  if (p.enum) f.e = p.enum;
  if (p['x-kubernetes-list-type']) f.lt = p['x-kubernetes-list-type'];
  if (p['x-kubernetes-list-map-keys']) f.lk = p['x-kubernetes-list-map-keys'];
  if (p['x-kubernetes-map-type']) f.mt = p['x-kubernetes-map-type'];
  if (p['x-kubernetes-patch-strategy']) f.ps = p['x-kubernetes-patch-strategy'];
  if (p['x-kubernetes-patch-merge-key']) f.pk = p['x-kubernetes-patch-merge-key'];
  return f;
}

const types = {};
const flatNames = (msg, all) => Object.values(msg).flatMap((f) => (f.inline ? flatNames(all[f.type] ?? {}, all) : [f.name]));
const proto = read('extra/protobuf/fields.json').messages;
for (const [name, msg] of Object.entries(proto)) {
  const type = short(name);
  if (SCALARS[type]) continue;
  const o = open[type];
  const fields = {};
  for (const [n, f] of Object.entries(msg)) {
    const row = { t: typeOf(f.type), n: Number(n) };
    if (f.mapKey) row.c = 'm';
    else if (f.repeated) row.c = 'l';
    if (f.ptr) row.p = 1;
    if (f.keep) row.k = 1;
    if (f.inline) row.i = 1;
    const p = o?.properties?.[f.name];
    fields[f.name] = p ? { ...row, ...facts(p, o.required?.includes(f.name)) } : row;
  }
  // What an inlined message lacks in OpenAPI of its own stands on the parent there.
  for (const [n, p] of Object.entries(o?.properties ?? {})) {
    if (!fields[n] && !['apiVersion', 'kind'].includes(n) && !flatNames(msg, proto).includes(n)) console.error('not in protobuf:', type, n), fields[n] = { ...openType(p), p: 1, ...facts(p, o.required?.includes(n)) };
  }
  types[type] = fields;
}
for (const [type, o] of Object.entries(open)) {
  if (types[type] || SCALARS[type] || !o.properties) continue;
  types[type] = Object.fromEntries(Object.entries(o.properties).filter(([n]) => !(o['x-kubernetes-group-version-kind'] && ['apiVersion', 'kind'].includes(n)))
    .map(([n, p]) => [n, { ...openType(p), p: 1, ...facts(p, o.required?.includes(n)) }]));
}
const atomic = Object.entries(open).filter(([, o]) => o['x-kubernetes-map-type'] === 'atomic').map(([t]) => t).filter((t) => types[t]);
const lines = Object.keys(types).sort().map((t) => `${JSON.stringify(t)}:${JSON.stringify(types[t])}`);
writeFileSync(out, `{"note":"Fields of Kubernetes 1.36 kinds (Apache-2.0 API definitions): t type, n protobuf number, c list/map, p pointer, k always written, i inlined, r required, d default, e enum, lt/lk/mt list and map type, ps/pk patch strategy and key. Made by tools/make-tables.mjs.",\n"atomic":${JSON.stringify(atomic)},\n"types":{\n${lines.join(',\n')}\n}}\n`);
console.log(Object.keys(types).length, 'types');
