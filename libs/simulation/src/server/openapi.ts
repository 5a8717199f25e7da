import { createHash } from 'node:crypto';
import type { Kind } from './kinds';
import { apiVersionOf } from './kinds';
import type { Fields } from './kube-object';
import { isObject, record } from './kube-object';
import type { KindRegistry } from './registry';
import type { Field } from './schema';
import { isAtomic, isListWrapper, isScalar, jsonFields, messageFields } from './schema';

const NO_TEXT = 'No description: this document is served by a SIMULATED API server.';

const PREFIXES: [RegExp, string][] = [
  [/^meta\./, 'io.k8s.apimachinery.pkg.apis.'], [/^(runtime|version)\./, 'io.k8s.apimachinery.pkg.'],
  [/^apiextensions\./, 'io.k8s.apiextensions-apiserver.pkg.apis.'], [/^/, 'io.k8s.api.'],
];
/** The long name that kubectl and other tools know a type by. */
const longName = (type: string): string => `${PREFIXES.find(([pattern]) => pattern.test(type))?.[1] ?? ''}${type}`;
const ref = (type: string) => ({ $ref: `#/components/schemas/${longName(type)}` });

const SCALAR: Record<string, Fields> = {
  string: { type: 'string' }, bytes: { type: 'string', format: 'byte' }, bool: { type: 'boolean' }, int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' }, double: { type: 'number', format: 'double' }, time: { type: 'string', format: 'date-time' },
  microtime: { type: 'string', format: 'date-time' }, quantity: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  intstr: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }, raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
};

function typeSchema(type: string, uses: Set<string>): Fields {
  if (isScalar(type)) return { ...SCALAR[type] };
  if (isListWrapper(type)) return { type: 'array', items: typeSchema(messageFields(type)?.['items']?.t ?? 'string', uses) };
  uses.add(type);
  return ref(type);
}

function property(field: Field, uses: Set<string>): Fields {
  const inner = typeSchema(field.t, uses);
  const extra: Fields = {
    ...(field.d === undefined ? {} : { default: field.d }), ...(field.e ? { enum: field.e } : {}),
    ...(field.lt ? { 'x-kubernetes-list-type': field.lt } : {}), ...(field.lk ? { 'x-kubernetes-list-map-keys': field.lk } : {}),
    ...(field.mt ? { 'x-kubernetes-map-type': field.mt } : {}),
    ...(field.ps ? { 'x-kubernetes-patch-strategy': field.ps } : {}), ...(field.pk ? { 'x-kubernetes-patch-merge-key': field.pk } : {}),
  };
  const base = { description: NO_TEXT };
  if (field.c === 'l') return { ...base, type: 'array', items: inner, ...extra };
  if (field.c === 'm') return { ...base, type: 'object', additionalProperties: inner, ...extra };
  return '$ref' in inner ? { ...base, allOf: [inner], ...extra } : { ...base, ...inner, ...extra };
}

const WORDS = { apiVersion: { type: 'string', description: NO_TEXT }, kind: { type: 'string', description: NO_TEXT } };

function component(type: string, kinds: readonly Kind[], uses: Set<string>): Fields {
  const fields = Object.entries(jsonFields(type) ?? {});
  const kind = kinds.find((k) => k.type === type);
  const required = fields.filter(([, f]) => f.r).map(([name]) => name);
  return {
    description: kind ? `${kind.kind} of ${apiVersionOf(kind)}. ${NO_TEXT}` : NO_TEXT,
    type: 'object',
    ...(required.length ? { required } : {}),
    properties: { ...(kind ? WORDS : {}), ...Object.fromEntries(fields.map(([name, field]) => [name, property(field, uses)])) },
    ...(isAtomic(type) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(kind ? { 'x-kubernetes-group-version-kind': [gvk(kind)] } : {}),
  };
}

const gvk = (kind: Kind) => ({ group: kind.group, kind: kind.kind, version: kind.version });
const customName = (kind: Kind) => `${kind.group.split('.').reverse().join('.')}.${kind.version}.${kind.kind}`;

function customComponent(kind: Kind, uses: Set<string>): Fields {
  uses.add('meta.v1.ObjectMeta');
  const schema = record(kind.custom?.schema);
  const properties = { ...record(schema['properties']), ...WORDS, metadata: { description: NO_TEXT, allOf: [ref('meta.v1.ObjectMeta')] } };
  return { type: 'object', ...schema, properties, 'x-kubernetes-group-version-kind': [gvk(kind)] };
}

const query = (name: string) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });
const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'].map(query);

function operation(kind: Kind, action: string, parameters: Fields[]): Fields {
  const name = kind.type ? longName(kind.type) : customName(kind);
  const content = { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
  const verb = action.charAt(0).toUpperCase() + action.slice(1);
  return {
    operationId: `${action}${kind.group.split('.').map((w) => w.charAt(0).toUpperCase() + w.slice(1)).join('') || 'Core'}${kind.version}${kind.kind}`,
    description: `${verb} a ${kind.kind} in the SIMULATED cluster.`,
    parameters, responses: { 200: { description: 'OK', content } },
    'x-kubernetes-action': action, 'x-kubernetes-group-version-kind': gvk(kind),
    ...(action === 'post' || action === 'put' ? { requestBody: { content: { '*/*': { schema: { $ref: `#/components/schemas/${name}` } } } } } : {}),
  };
}

function paths(kind: Kind): [string, Fields][] {
  const base = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
  const all = kind.namespaced ? `${base}/namespaces/{namespace}/${kind.plural}` : `${base}/${kind.plural}`;
  const post = kind.verbs.includes('create') ? { post: operation(kind, 'post', WRITE_PARAMETERS) } : {};
  if (!kind.verbs.includes('get')) return [[all, post]];
  const limits = ['labelSelector', 'fieldSelector', 'limit', 'continue', 'watch', 'resourceVersion'].map(query);
  const one = {
    get: operation(kind, 'get', []), put: operation(kind, 'put', WRITE_PARAMETERS), delete: operation(kind, 'delete', [query('dryRun'), query('propagationPolicy')]),
    patch: operation(kind, 'patch', [...WRITE_PARAMETERS, { name: 'force', in: 'query', schema: { type: 'boolean', uniqueItems: true } }]),
  };
  return [[all, { get: operation(kind, 'list', limits), ...post }], [`${all}/{name}`, one]];
}

/** The OpenAPI v3 document of one group and version: types and operations, and no prose. Undefined for what is not served. */
export function openApiDocument(kinds: KindRegistry, group: string, version: string): Fields | undefined {
  const served = kinds.all().filter((k) => k.group === group && k.version === version);
  if (served.length === 0) return undefined;
  const schemas: Fields = {};
  const wanted = new Set<string>();
  const open = new Set(served.map((k) => k.type).filter((t): t is string => t !== undefined));
  if (served.some((k) => k.subresources.includes('scale'))) open.add('autoscaling.v1.Scale');
  open.add('meta.v1.DeleteOptions');
  for (const kind of served) if (!kind.type) schemas[customName(kind)] = customComponent(kind, wanted);
  for (const type of wanted) open.add(type);
  // A set that grows while it is walked: each type brings those that it uses.
  for (const type of open) if (jsonFields(type)) schemas[longName(type)] = component(type, served, open);
  return {
    openapi: '3.0.0', info: { title: 'Kubernetes (SIMULATED by Larry)', version: '1.36' },
    paths: Object.fromEntries(served.flatMap(paths)), components: { schemas },
  };
}

/** The documents with their hashes, made once for each set of kinds. */
export class OpenApi {
  private readonly made = new Map<string, { kinds: string; text: string; hash: string }>();

  constructor(private readonly kinds: KindRegistry) {}

  /** `api/v1`, `apis/apps/v1`, …: text and hash of a document. */
  document(name: string): { text: string; hash: string } | undefined {
    const [, group = '', version = ''] = /^(?:api|apis\/([^/]+))\/([^/]+)$/.exec(name) ?? [];
    const served = this.kinds.all().filter((k) => k.group === group && k.version === version);
    const fingerprint = served.map((k) => `${k.plural}:${k.custom ? JSON.stringify(k.custom.schema) : ''}`).join();
    const known = this.made.get(name);
    if (known && known.kinds === fingerprint) return known;
    const document = openApiDocument(this.kinds, group, version);
    if (!isObject(document)) return undefined;
    const text = JSON.stringify(document);
    const fresh = { kinds: fingerprint, text, hash: createHash('sha256').update(text).digest('hex').toUpperCase() };
    this.made.set(name, fresh);
    return fresh;
  }

  index(): Fields {
    const names = this.kinds.groupVersions().map((gv) => (gv.includes('/') ? `apis/${gv}` : `api/${gv}`));
    return { paths: Object.fromEntries(names.map((name) => [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${this.document(name)?.hash ?? ''}` }])) };
  }
}
