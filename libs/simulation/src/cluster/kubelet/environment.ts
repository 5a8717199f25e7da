import type { Informer } from '../informer';
import { parseAmount } from '../quantity';
import type { ConfigMap, Container, Node, Pod, ResourceField, Secret } from '../types';

/** A container cannot be created as configured; `message` is the kubelet's own. */
export class ConfigError extends Error {}

export interface Sources {
  configMaps: Pick<Informer<ConfigMap>, 'get'>;
  secrets: Pick<Informer<Secret>, 'get'>;
}

/** Variables that every container has; the Services of its namespace are left out. */
const playedBase = (pod: Pod) => ({ KUBERNETES_SERVICE_HOST: '10.43.0.1', KUBERNETES_SERVICE_PORT: '443', HOSTNAME: pod.spec.hostname ?? pod.metadata.name });

/**
 * The environment of a container, resolved as the kubelet does (kubernetes `pkg/kubelet/kubelet_pods.go`), over the
 * variables of `base`.
 * @throws ConfigError where a Secret, ConfigMap or key is missing.
 */
export function environmentOf(pod: Pod, container: Container, podIp: string, node: Node, sources: Sources, base: Record<string, string> = playedBase(pod)): Record<string, string> {
  const env = { ...base };
  for (const from of container.envFrom ?? []) {
    const data = from.secretRef ? secretData(pod, from.secretRef, sources) : from.configMapRef ? mapData(pod, from.configMapRef, sources) : undefined;
    for (const [key, value] of Object.entries(data ?? {})) env[`${from.prefix ?? ''}${key}`] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom ? referenced(pod, container, podIp, node, valueFrom, sources) : expand(value ?? '', env);
    if (found !== undefined) env[name] = found;
  }
  return env;
}

type ValueFrom = NonNullable<NonNullable<Container['env']>[number]['valueFrom']>;

function referenced(pod: Pod, container: Container, podIp: string, node: Node, from: ValueFrom, sources: Sources): string | undefined {
  if (from.secretKeyRef) {
    const { name, key, optional } = from.secretKeyRef;
    return keyed(secretData(pod, { name, optional }, sources), key, optional, `Secret ${pod.metadata.namespace}/${name}`);
  }
  if (from.configMapKeyRef) {
    const { name, key, optional } = from.configMapKeyRef;
    return keyed(mapData(pod, { name, optional }, sources), key, optional, `ConfigMap ${pod.metadata.namespace}/${name}`);
  }
  if (from.fieldRef) return fieldText(pod, from.fieldRef.fieldPath, podIp, node);
  return from.resourceFieldRef && resourceText(pod, from.resourceFieldRef, container, node);
}

function keyed(data: Record<string, string> | undefined, key: string, optional: boolean | undefined, where: string): string | undefined {
  const value = data?.[key];
  if (value === undefined && !optional) throw new ConfigError(`couldn't find key ${key} in ${where}`);
  return value;
}

function secretData(pod: Pod, { name, optional }: { name: string; optional?: boolean }, { secrets }: Sources): Record<string, string> | undefined {
  const secret = secrets.get(`${pod.metadata.namespace}/${name}`);
  if (!secret && !optional) throw new ConfigError(`secret "${name}" not found`);
  return secret && Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}

function mapData(pod: Pod, { name, optional }: { name: string; optional?: boolean }, { configMaps }: Sources): Record<string, string> | undefined {
  const map = configMaps.get(`${pod.metadata.namespace}/${name}`);
  if (!map && !optional) throw new ConfigError(`configmap "${name}" not found`);
  return map && (map.data ?? {});
}

/** `$(NAME)` becomes an earlier variable's value; `$$` is a dollar; an unknown name stays as it stands. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^)]+)\))/g, (whole, first: string, name: string | undefined) => (first === '$' ? '$' : ((name && env[name]) ?? whole)));
}

/** A request or limit in units of its divisor, rounded up. A limit that is not set is what the node has. */
export function resourceText(pod: Pod, { resource, containerName, divisor = '1' }: ResourceField, self?: Container, node?: Node): string {
  const container = containerName ? pod.spec.containers.find((each) => each.name === containerName) : self;
  if (!container) throw new ConfigError(`container ${containerName ?? ''} not found`);
  const [section = '', name = ''] = resource.split('.');
  const { limits, requests } = container.resources ?? {};
  const amount = section === 'limits' ? (limits?.[name] ?? node?.status?.allocatable?.[name]) : requests?.[name];
  return String(Math.ceil(parseAmount(amount ?? '0') / (parseAmount(divisor) || 1)));
}

const quoted = (map: Record<string, string> | undefined) => Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n');

/** A field of the pod as text, as fieldRef and downwardAPI volumes give it; undefined for one that is not known. */
export function fieldText(pod: Pod, path: string, podIp: string, node: Node | undefined): string | undefined {
  const bracket = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (bracket) return pod.metadata[bracket[1] as 'labels' | 'annotations']?.[bracket[2] ?? ''] ?? '';
  const hostIp = node?.status?.addresses?.find((address) => address.type === 'InternalIP')?.address ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'metadata.labels': quoted(pod.metadata.labels),
    'metadata.annotations': quoted(pod.metadata.annotations),
    'spec.nodeName': pod.spec.nodeName,
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? 'default',
    'status.podIP': podIp,
    'status.podIPs': podIp,
    'status.hostIP': hostIp,
    'status.hostIPs': hostIp,
  };
  return fields[path];
}
