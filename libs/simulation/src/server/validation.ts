import type { Cause } from './api-error';
import { invalid } from './api-error';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { at, isObject, list, record, sameJson, text } from './kube-object';
import { fieldEntries, jsonFields } from './schema';
import { matchesLabels } from './selectors';

type Causes = Required<Cause>[];

export const required = (field: string, detail = ''): Required<Cause> => ({ reason: 'FieldValueRequired', message: `Required value${detail ? `: ${detail}` : ''}`, field });
export const wrong = (field: string, value: unknown, why: string): Required<Cause> => ({ reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field });
const forbidden = (field: string, why: string): Required<Cause> => ({ reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field });
const unsupported = (field: string, value: unknown, allowed: string[]): Required<Cause> => ({
  reason: 'FieldValueNotSupported', message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((a) => `"${a}"`).join(', ')}`, field,
});

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const NAME_PART = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const VALUE = `(${NAME_PART})?`;
const compiled = new Map<string, RegExp>();

function matches(pattern: string, value: string, max: number): boolean {
  let regex = compiled.get(pattern);
  if (!regex) compiled.set(pattern, (regex = new RegExp(`^${pattern}$`)));
  return value.length <= max && regex.test(value);
}

const SUBDOMAIN_RULE = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;
const LABEL_RULE = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`;
const DNS_1035_RULE = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const KEY_RULE = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME_PART}')`;
const VALUE_RULE = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME_PART})?')`;

/** Names with other rules than a DNS subdomain. */
const PATH_NAMES = new Set(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);

function checkName(kind: Kind, name: string): Causes {
  if (PATH_NAMES.has(kind.kind)) return /[/%]/.test(name) ? [wrong('metadata.name', name, "may not contain '/' or '%'")] : [];
  if (kind.kind === 'Namespace') return matches(LABEL, name, 63) ? [] : [wrong('metadata.name', name, LABEL_RULE)];
  if (kind.kind === 'Service') return matches('[a-z]([-a-z0-9]*[a-z0-9])?', name, 63) ? [] : [wrong('metadata.name', name, DNS_1035_RULE)];
  return matches(SUBDOMAIN, name, 253) ? [] : [wrong('metadata.name', name, SUBDOMAIN_RULE)];
}

export function checkLabels(labels: unknown, field: string): Causes {
  return Object.entries(record(labels)).flatMap(([key, value]) => {
    const slash = key.indexOf('/');
    const part = key.slice(slash + 1);
    const out: Causes = [];
    if (slash > 0 && !matches(SUBDOMAIN, key.slice(0, slash), 253)) out.push(wrong(field, key, `prefix part ${SUBDOMAIN_RULE}`));
    if (!matches(NAME_PART, part, 63)) out.push(wrong(field, key, KEY_RULE));
    if (!matches(VALUE, String(value), 63)) out.push(wrong(field, value, String(value).length > 63 ? 'must be no more than 63 bytes' : VALUE_RULE));
    return out;
  });
}

/** What server-side apply leaves behind when a strategy changes: `rollingUpdate` was defaulted, and nobody owns it (kubernetes, `ValidateDeploymentStrategy`). */
function checkStrategy(object: KubeObject): Causes {
  const isBoth = at(object, 'spec', 'strategy', 'type') === 'Recreate' && at(object, 'spec', 'strategy', 'rollingUpdate') !== undefined;
  return isBoth ? [forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'")] : [];
}

/** Enumerated values and required strings of built-in types, from the schema table. */
function checkType(type: string, value: Fields, path: string, out: Causes): void {
  for (const [name, field] of fieldEntries(type)) {
    const here = path ? `${path}.${name}` : name;
    const inner = value[name];
    if (inner === undefined || inner === null || name === 'status' || name === 'metadata') continue;
    if (field.e && typeof inner === 'string' && !field.e.includes(inner) && inner !== '') out.push(unsupported(here, inner, field.e));
    if (!jsonFields(field.t)) continue;
    if (field.c === 'l') list(inner).forEach((item, i) => isObject(item) && checkType(field.t, item, `${here}[${i}]`, out));
    else if (!field.c && isObject(inner)) checkType(field.t, inner, here, out);
  }
}

function checkContainers(spec: unknown, path: string): Causes {
  const out: Causes = [];
  const containers = list(at(spec, 'containers'));
  if (containers.length === 0) out.push(required(`${path}.containers`));
  const seen = new Set<unknown>();
  for (const [group, all] of [['containers', containers], ['initContainers', list(at(spec, 'initContainers'))]] as const) {
    all.forEach((c, i) => {
      const here = `${path}.${group}[${i}]`;
      const name = text(c['name']);
      if (!name) out.push(required(`${here}.name`));
      else if (!matches(LABEL, name, 63)) out.push(wrong(`${here}.name`, name, LABEL_RULE));
      if (!text(c['image'])) out.push(required(`${here}.image`));
      list(c['ports']).forEach((port, j) => {
        const number = Number(port['containerPort']);
        if (number < 1 || number > 65_535) out.push(wrong(`${here}.ports[${j}].containerPort`, number, 'must be between 1 and 65535, inclusive'));
      });
      if (seen.has(name)) out.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: "${name}"`, field: `${here}.name` });
      seen.add(name);
      const volumes = new Set(list(at(spec, 'volumes')).map((v) => v['name']));
      list(c['volumeMounts']).forEach((m, j) => {
        if (!volumes.has(m['name'])) out.push({ reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(m['name'])}`, field: `${here}.volumeMounts[${j}].name` });
      });
    });
  }
  return out;
}

const notNegative = (value: unknown, field: string): Causes => (typeof value === 'number' && value < 0 ? [wrong(field, value, 'must be greater than or equal to 0')] : []);

function checkWorkload(object: KubeObject, restart: string[]): Causes {
  const out: Causes = [];
  const selector = at(object, 'spec', 'selector');
  const labels = at(object, 'spec', 'template', 'metadata', 'labels') as Record<string, string> | undefined;
  if (!isObject(selector)) out.push(required('spec.selector'));
  else if (Object.keys(record(selector['matchLabels'])).length === 0 && list(selector['matchExpressions']).length === 0) out.push(wrong('spec.selector', {}, 'empty selector is invalid for deployment'));
  else if (!matchesLabels(selector, labels)) out.push(wrong('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'));
  out.push(...checkLabels(labels, 'spec.template.labels'), ...checkContainers(at(object, 'spec', 'template', 'spec'), 'spec.template.spec'));
  const policy = at(object, 'spec', 'template', 'spec', 'restartPolicy');
  if (typeof policy === 'string' && !restart.includes(policy)) out.push(unsupported('spec.template.spec.restartPolicy', policy, restart));
  out.push(...notNegative(at(object, 'spec', 'replicas'), 'spec.replicas'));
  return out;
}

function checkService(object: KubeObject): Causes {
  const spec = record(object['spec']);
  const ports = list(spec['ports']);
  if (ports.length === 0 && spec['type'] !== 'ExternalName' && spec['clusterIP'] !== 'None') return [required('spec.ports')];
  return ports.flatMap((port, i) => {
    const out: Causes = [];
    if (ports.length > 1 && !port['name']) out.push(required(`spec.ports[${i}].name`));
    const number = port['port'];
    if (typeof number !== 'number' || number < 1 || number > 65_535) out.push(wrong(`spec.ports[${i}].port`, number ?? 0, 'must be between 1 and 65535, inclusive'));
    return out;
  });
}

const ALWAYS = ['Always'];
const RESTARTS = ['Always', 'OnFailure', 'Never'];

function checkPod(object: KubeObject): Causes {
  const policy = at(object, 'spec', 'restartPolicy');
  const out = checkContainers(object['spec'], 'spec');
  return typeof policy === 'string' && !RESTARTS.includes(policy) ? [...out, unsupported('spec.restartPolicy', policy, RESTARTS)] : out;
}

const RULES: Record<string, (object: KubeObject) => Causes> = {
  Pod: checkPod,
  Deployment: (o) => [...checkWorkload(o, ALWAYS), ...checkStrategy(o)],
  ReplicaSet: (o) => checkWorkload(o, ALWAYS),
  // Its mounts may name claims of volumeClaimTemplates; Kubernetes checks none of them here.
  StatefulSet: (o) => checkWorkload(o, ALWAYS).filter((cause) => !/volumeMounts\[\d+\]\.name$/.test(cause.field ?? '')),
  DaemonSet: (o) => checkWorkload(o, ALWAYS),
  Job: (o) => [
    ...checkContainers(at(o, 'spec', 'template', 'spec'), 'spec.template.spec'),
    ...(at(o, 'spec', 'template', 'spec', 'restartPolicy') === 'Always'
      ? [{ reason: 'FieldValueRequired', message: 'Required value: valid values: "OnFailure", "Never"', field: 'spec.template.spec.restartPolicy' }] : []),
    ...notNegative(at(o, 'spec', 'parallelism'), 'spec.parallelism'),
  ],
  CronJob: (o) => (text(at(o, 'spec', 'schedule')) ? [] : [required('spec.schedule')]),
  Service: checkService,
  PersistentVolumeClaim: (o) => (at(o, 'spec', 'resources', 'requests', 'storage') === undefined ? [required('spec.resources[storage]')] : []),
  RoleBinding: (o) => (text(at(o, 'roleRef', 'name')) ? [] : [required('roleRef.name')]),
  ClusterRoleBinding: (o) => (text(at(o, 'roleRef', 'name')) ? [] : [required('roleRef.name')]),
};

/** Throws a 422 with every broken rule of the object's kind. Rules not listed here are not checked: the simulation then accepts what Kubernetes would refuse. */
export function validate(kind: Kind, object: KubeObject, more: Causes = []): void {
  const causes = [...checkName(kind, object.metadata.name ?? ''), ...checkLabels(object.metadata.labels, 'metadata.labels')];
  if (kind.type) {
    causes.push(...(RULES[kind.kind]?.(object) ?? []));
    const enumerated: Causes = [];
    checkType(kind.type, object, '', enumerated);
    causes.push(...enumerated.filter((e) => !causes.some((c) => c.field === e.field)));
  }
  causes.push(...more);
  if (causes.length > 0) throw invalid(kind.group, kind.kind, object.metadata.name ?? '', causes);
}

const immutable = (field: string, value: unknown) => wrong(field, value, 'field is immutable');
const IMMUTABLE: Record<string, string[][]> = {
  Deployment: [['spec', 'selector']], ReplicaSet: [['spec', 'selector']], DaemonSet: [['spec', 'selector']],
  Job: [['spec', 'selector'], ['spec', 'template'], ['spec', 'completionMode']],
  StorageClass: [['provisioner'], ['parameters'], ['reclaimPolicy'], ['volumeBindingMode']],
  PriorityClass: [['value']],
};
const STATEFUL_MAY_CHANGE = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds'];

/** What may not change between two states of an object of this kind. */
export function changesForbidden(kind: Kind, before: KubeObject, after: KubeObject): Causes {
  if (!kind.type) return [];
  const out = (IMMUTABLE[kind.kind] ?? []).filter((path) => !sameJson(at(before, ...path), at(after, ...path))).map((path) => immutable(path.join('.'), at(after, ...path)));
  const spec = record(after['spec']);
  const was = record(before['spec']);
  if (kind.kind === 'Service' && was['clusterIP'] && was['clusterIP'] !== 'None' && spec['type'] !== 'ExternalName' && spec['clusterIP'] !== was['clusterIP']) {
    out.push(wrong('spec.clusterIPs[0]', [spec['clusterIP']], 'may not change once set'));
  }
  if (kind.kind === 'RoleBinding' || kind.kind === 'ClusterRoleBinding') if (!sameJson(before['roleRef'], after['roleRef'])) out.push(wrong('roleRef', after['roleRef'], 'cannot change roleRef'));
  if (kind.kind === 'StatefulSet') {
    const frozen = [...new Set([...Object.keys(spec), ...Object.keys(was)])].filter((k) => !STATEFUL_MAY_CHANGE.includes(k) && !sameJson(spec[k], was[k]));
    if (frozen.length > 0) {
      const names = STATEFUL_MAY_CHANGE.map((n) => `'${n}'`);
      out.push({ reason: 'FieldValueForbidden', message: `Forbidden: updates to statefulset spec for fields other than ${names.slice(0, -1).join(', ')} and ${names.at(-1)} are forbidden`, field: 'spec' });
    }
  }
  if ((kind.kind === 'ConfigMap' || kind.kind === 'Secret') && before['immutable'] === true) {
    for (const field of ['data', 'binaryData']) if (!sameJson(before[field], after[field])) out.push({ reason: 'FieldValueForbidden', message: 'Forbidden: field is immutable when `immutable` is set', field });
  }
  if (kind.kind === 'Secret' && before['type'] !== after['type']) out.push(immutable('type', after['type']));
  if (kind.kind === 'Pod') out.push(...podChanges(was, spec));
  return out;
}

/** Of a pod's spec only images, deadlines, tolerations that are added, and scheduling gates may change. */
function podChanges(was: Fields, spec: Fields): Causes {
  const comparable = (s: Fields): Fields => {
    const { activeDeadlineSeconds: _a, tolerations: _t, schedulingGates: _g, terminationGracePeriodSeconds: _p, nodeName: _n, ephemeralContainers: _e, ...rest } = s;
    const images = (containers: unknown) => list(containers).map(({ image: _i, ...c }) => c);
    return { ...rest, containers: images(rest['containers']), initContainers: images(rest['initContainers']) };
  };
  if (sameJson(comparable(was), comparable(spec))) return [];
  const message = 'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';
  return [{ reason: 'FieldValueForbidden', message, field: 'spec' }];
}
