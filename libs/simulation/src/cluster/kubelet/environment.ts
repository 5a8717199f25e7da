import type { Informer } from '../informer';
import type { ConfigMap, Container, Node, Pod, Secret } from '../types';

/** A container cannot be created as configured; `message` is the kubelet's own. */
export class ConfigError extends Error {}

export interface Sources {
  configMaps: Pick<Informer<ConfigMap>, 'get'>;
  secrets: Pick<Informer<Secret>, 'get'>;
}

/**
 * The environment of a container, resolved as the kubelet does (kubernetes `pkg/kubelet/kubelet_pods.go`).
 * Service links are not injected.
 * @throws ConfigError where a Secret, ConfigMap or key is missing.
 */
export function environmentOf(pod: Pod, container: Container, podIp: string, node: Node, sources: Sources): Record<string, string> {
  const env: Record<string, string> = { KUBERNETES_SERVICE_HOST: '10.43.0.1', KUBERNETES_SERVICE_PORT: '443', HOSTNAME: pod.spec.hostname ?? pod.metadata.name };
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
  if (from.fieldRef) return fieldOf(pod, from.fieldRef.fieldPath, podIp, node);
  if (from.resourceFieldRef) {
    const [section, resource] = from.resourceFieldRef.resource.split('.');
    return container.resources?.[section === 'limits' ? 'limits' : 'requests']?.[resource ?? ''] ?? '0';
  }
  return undefined;
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

function fieldOf(pod: Pod, path: string, podIp: string, node: Node): string | undefined {
  const bracket = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (bracket) return pod.metadata[bracket[1] as 'labels' | 'annotations']?.[bracket[2] ?? ''] ?? '';
  const hostIp = node.status?.addresses?.find((address) => address.type === 'InternalIP')?.address ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec.nodeName,
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? 'default',
    'status.podIP': podIp,
    'status.podIPs': podIp,
    'status.hostIP': hostIp,
    'status.hostIPs': hostIp,
  };
  return fields[path];
}
