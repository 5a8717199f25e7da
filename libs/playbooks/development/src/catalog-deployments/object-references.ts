import { listOf, numberOf, printable, recordOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import type { AssetReference } from '../inventory';
import { podSpecFacts, unique, type PodSpecFacts } from './pod-references';

/** Where the kinds of Kubernetes hold a pod's spec. */
const podSpecPaths: Record<string, string[]> = {
  Pod: ['spec'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  PodTemplate: ['template', 'spec'],
};

/** The path to the pod's template of a workload, or undefined. */
export function podSpecOf(object: KubeObject): unknown {
  const path = podSpecPaths[object.kind];
  if (path) return valueIn(object, ...path);
  const spec = valueIn(object, 'spec', 'template', 'spec');
  return Array.isArray(valueIn(spec, 'containers')) ? spec : undefined;
}

/** The labels that a workload's pods have: what a Service's selector is compared with. */
export function podLabelsOf(object: KubeObject): Record<string, string> | undefined {
  const labels =
    object.kind === 'Pod'
      ? object.metadata.labels
      : object.kind === 'CronJob'
        ? valueIn(object, 'spec', 'jobTemplate', 'spec', 'template', 'metadata', 'labels')
        : valueIn(object, 'spec', 'template', 'metadata', 'labels');
  return labels === undefined ? undefined : textMap(labels);
}

/** An object of strings, without anything else. */
export function textMap(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(recordOf(value)).filter((e): e is [string, string] => typeof e[1] === 'string'));
}

/** Everything an object refers to, with its images and ports. */
export function objectReferences(object: KubeObject): PodSpecFacts {
  const { namespace } = object.metadata;
  const podSpec = podSpecOf(object);
  const facts = podSpec === undefined ? { images: [], ports: [], references: [] } : podSpecFacts(podSpec, namespace);
  const own = ownReferences(object);
  const ports = object.kind === 'Service' ? listOf(valueIn(object, 'spec', 'ports')).flatMap((p) => numberOf(valueIn(p, 'port')) ?? []) : facts.ports;
  return { images: facts.images, ports, references: unique([...facts.references, ...own]) };
}

type Add = (kind: string, name: unknown, via: string, more?: { namespace?: unknown; optional?: boolean }) => void;

function ownReferences(object: KubeObject): AssetReference[] {
  const { namespace } = object.metadata;
  const found: AssetReference[] = [];
  const add: Add = (kind, name, via, more = {}) => {
    const text = textOf(name);
    const target = textOf(more.namespace) ?? namespace;
    const scoped = clusterKinds.includes(kind) || target === undefined ? {} : { namespace: printable(target, 260) };
    if (text !== undefined) found.push({ kind, ...scoped, name: printable(text, 260), via, ...(more.optional ? { optional: true } : {}) });
  };
  const known = byKind[object.kind];
  if (known) known(object, add);
  else if (isCustom(object)) customReferences(object, add);
  return found;
}

const clusterKinds = ['PersistentVolume', 'StorageClass', 'IngressClass', 'ClusterRole', 'PriorityClass', 'Node', 'Namespace'];

/** A kind of its own: the group of a custom resource is a domain that is not Kubernetes'. */
function isCustom(object: KubeObject): boolean {
  const group = object.apiVersion.split('/')[0] ?? '';
  return group.includes('.') && !group.endsWith('.k8s.io');
}

const byKind: Record<string, (object: KubeObject, add: Add) => void> = {
  Ingress(object, add) {
    const backend = (b: unknown) => add('Service', valueIn(b, 'service', 'name'), 'backend');
    backend(valueIn(object, 'spec', 'defaultBackend'));
    for (const rule of listOf(valueIn(object, 'spec', 'rules'))) for (const path of listOf(valueIn(rule, 'http', 'paths'))) backend(valueIn(path, 'backend'));
    for (const tls of listOf(valueIn(object, 'spec', 'tls'))) add('Secret', valueIn(tls, 'secretName'), 'tls');
    add('IngressClass', valueIn(object, 'spec', 'ingressClassName'), 'ingressClassName', { optional: true });
  },
  StatefulSet(object, add) {
    add('Service', valueIn(object, 'spec', 'serviceName'), 'serviceName', { optional: true });
    const replicas = Math.min(numberOf(valueIn(object, 'spec', 'replicas')) ?? 1, 100);
    for (const template of listOf(valueIn(object, 'spec', 'volumeClaimTemplates'))) {
      const claim = textOf(valueIn(template, 'metadata', 'name'));
      for (let i = 0; claim !== undefined && i < replicas; i++) add('PersistentVolumeClaim', `${claim}-${object.metadata.name}-${i}`, 'volumeClaimTemplates', { optional: true });
    }
  },
  PersistentVolumeClaim(object, add) {
    add('PersistentVolume', valueIn(object, 'spec', 'volumeName'), 'volumeName');
    add('StorageClass', valueIn(object, 'spec', 'storageClassName'), 'storageClassName', { optional: true });
  },
  PersistentVolume(object, add) {
    add('StorageClass', valueIn(object, 'spec', 'storageClassName'), 'storageClassName', { optional: true });
  },
  ServiceAccount(object, add) {
    for (const field of ['secrets', 'imagePullSecrets']) for (const s of listOf(object[field])) add('Secret', valueIn(s, 'name'), field, { optional: true });
  },
  HorizontalPodAutoscaler(object, add) {
    add(textOf(valueIn(object, 'spec', 'scaleTargetRef', 'kind')) ?? 'Deployment', valueIn(object, 'spec', 'scaleTargetRef', 'name'), 'scaleTargetRef');
  },
  RoleBinding: bindingReferences,
  ClusterRoleBinding: bindingReferences,
  APIService(object, add) {
    add('Service', valueIn(object, 'spec', 'service', 'name'), 'service', { namespace: valueIn(object, 'spec', 'service', 'namespace') });
  },
  ValidatingWebhookConfiguration: webhookReferences,
  MutatingWebhookConfiguration: webhookReferences,
};

function bindingReferences(object: KubeObject, add: Add): void {
  add(textOf(valueIn(object, 'roleRef', 'kind')) ?? 'Role', valueIn(object, 'roleRef', 'name'), 'roleRef', { optional: true });
  for (const subject of listOf(object['subjects'])) {
    if (valueIn(subject, 'kind') === 'ServiceAccount') add('ServiceAccount', valueIn(subject, 'name'), 'subjects', { namespace: valueIn(subject, 'namespace'), optional: true });
  }
}

function webhookReferences(object: KubeObject, add: Add): void {
  for (const webhook of listOf(object['webhooks'])) {
    const service = valueIn(webhook, 'clientConfig', 'service');
    add('Service', valueIn(service, 'name'), 'webhook', { namespace: valueIn(service, 'namespace') });
  }
}

/**
 * References in custom resources, by the names that nearly all of them use for such fields. Marked optional: what the
 * field means is the operator's to say. At most 2,000 values are looked at.
 */
function customReferences(object: KubeObject, add: Add): void {
  const queue: { value: unknown; key: string }[] = [{ value: object['spec'], key: 'spec' }];
  for (let looked = 0; queue.length > 0 && looked < 2000; looked++) {
    const { value, key } = queue.shift() as { value: unknown; key: string };
    if (Array.isArray(value)) queue.push(...value.slice(0, 200).map((v: unknown) => ({ value: v, key })));
    else if (typeof value === 'string') namedBy(key, value, undefined, add);
    else if (typeof value === 'object' && value !== null) {
      const { name, namespace } = recordOf(value);
      if (typeof name === 'string') namedBy(key, name, namespace, add);
      const members = Object.entries(value).filter(([k]) => k !== 'name').slice(0, 200);
      queue.push(...members.map(([k, v]) => ({ value: v as unknown, key: k })));
    }
  }
}

const referringKeys: [RegExp, string][] = [
  [/secret(?:Name|Ref|KeyRef)?$|tls$|credentials$/i, 'Secret'],
  [/configMap(?:Name|Ref|KeyRef)?$/i, 'ConfigMap'],
  [/^(?:existing)?(?:pvc|claim(?:Name)?)$/i, 'PersistentVolumeClaim'],
  [/^(?:service(?:Name|Ref)?s?|backendRefs?)$/i, 'Service'],
  [/^serviceAccount(?:Name|Ref)?$/i, 'ServiceAccount'],
];

function namedBy(key: string, name: string, namespace: unknown, add: Add): void {
  const kind = referringKeys.find(([pattern]) => pattern.test(key))?.[1];
  if (kind && /^[a-z0-9][a-z0-9.-]{0,252}$/.test(name)) add(kind, name, `field ${printable(key, 60)}`, { namespace, optional: true });
}
