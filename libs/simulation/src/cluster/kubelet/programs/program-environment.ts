import type { Informer } from '../../informer';
import type { Container, EndpointSlice, Node, Pod, Service } from '../../types';
import { environmentOf, type Sources } from '../environment';
import { imageRoot } from './catalog';
import type { LoopbackNetwork } from './loopback-network';

/** What the environment of a program is made from. */
export interface EnvironmentParts {
  podIp: string;
  node: Node;
  sources: Sources;
  /** Where the API server is, for programs in pods. */
  apiServer: { host: string; port: string };
  services: Informer<Service>;
  slices: Informer<EndpointSlice>;
  network: LoopbackNetwork;
  mounts: readonly { mountPath: string; folder: string }[];
  imageFolder: string;
  /** HOME and, without a mount of /tmp, the place for temporary files. */
  home: string;
}

/**
 * The environment of one of our programs: what the kubelet would give it, with stand-ins for what a process of this machine
 * has not. Paths of volumes become their folders, names of Services become their addresses, and `LARRY_LISTEN=0.0.0.0`
 * becomes the pod's address.
 * @throws ConfigError
 */
export function programEnvironment(pod: Pod, container: Container, parts: EnvironmentParts): Record<string, string> {
  const links = pod.spec.enableServiceLinks === false ? {} : serviceLinks(pod, parts);
  const base = { ...links, ...apiServerVariables(parts.apiServer), HOSTNAME: pod.spec.hostname ?? pod.metadata.name };
  const resolved = environmentOf(pod, container, parts.podIp, parts.node, parts.sources, base);
  const env = Object.fromEntries(Object.entries(resolved).map(([name, value]) => [name, standIn(value, pod, parts)]));
  if (env['LARRY_LISTEN'] === '0.0.0.0') env['LARRY_LISTEN'] = parts.podIp;
  return { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: parts.home, TMPDIR: standIn('/tmp', pod, parts) === '/tmp' ? parts.home : standIn('/tmp', pod, parts), ...env };
}

/** A value with this machine's folders for mount paths and addresses for Service names. */
export function standIn(value: string, pod: Pod, parts: Pick<EnvironmentParts, 'mounts' | 'imageFolder' | 'network' | 'services' | 'slices'>): string {
  for (const { mountPath, folder } of [...parts.mounts, { mountPath: imageRoot, folder: parts.imageFolder }]) {
    if (value === mountPath || value.startsWith(`${mountPath}/`)) return folder + value.slice(mountPath.length);
  }
  return value.replace(/(?<![\w.-])([a-z][a-z0-9-]*)\.([a-z0-9][a-z0-9-]*)\.svc(?:\.cluster\.local)?\.?(?![\w.-])/g, (whole, name: string, namespace: string) =>
    isElsewhere(parts, namespace, name) ? whole : parts.network.ofService(namespace, name),
  );
}

/** A Service all of whose pods are played by scripts: nothing of it listens on this machine, so its name stays. */
function isElsewhere({ services, slices, network }: Pick<EnvironmentParts, 'services' | 'slices' | 'network'>, namespace: string, name: string): boolean {
  if (!services.get(`${namespace}/${name}`)?.spec.selector) return false;
  const addresses = slicesOf(slices, namespace, name).flatMap((slice) => slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
  return addresses.length > 0 && !addresses.some((address) => network.answersAt(address));
}

export function slicesOf(slices: Informer<EndpointSlice>, namespace: string, service: string): EndpointSlice[] {
  return slices.inNamespace(namespace).filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === service);
}

function apiServerVariables({ host, port }: { host: string; port: string }): Record<string, string> {
  return { ...linkVariables('KUBERNETES', host, [{ name: 'https', port: Number(port), protocol: 'TCP' }]) };
}

/** Variables for the Services of the pod's namespace that have an address (kubernetes `pkg/kubelet/envvars`). */
function serviceLinks(pod: Pod, { services, network, slices }: EnvironmentParts): Record<string, string> {
  const namespace = pod.metadata.namespace ?? '';
  const linked = services.inNamespace(namespace).filter(hasLinks);
  return Object.assign({}, ...linked.map(({ metadata: { name }, spec }) => {
    const host = isElsewhere({ services, slices, network }, namespace, name) ? (spec.clusterIP ?? '') : network.ofService(namespace, name);
    return linkVariables(name.toUpperCase().replaceAll('-', '_'), host, spec.ports ?? []);
  })) as Record<string, string>;
}

function hasLinks({ metadata, spec }: Service): boolean {
  const isApiServer = metadata.namespace === 'default' && metadata.name === 'kubernetes';
  return !isApiServer && Boolean(spec.clusterIP) && spec.clusterIP !== 'None' && Boolean(spec.ports?.length);
}

function linkVariables(prefix: string, host: string, ports: readonly { name?: string; port: number; protocol?: string }[]): Record<string, string> {
  const env: Record<string, string> = { [`${prefix}_SERVICE_HOST`]: host, [`${prefix}_SERVICE_PORT`]: String(ports[0]?.port) };
  for (const [i, { name, port, protocol = 'TCP' }] of ports.entries()) {
    const scheme = protocol.toLowerCase();
    const each = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    if (name) env[`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll('-', '_')}`] = String(port);
    if (i === 0) env[`${prefix}_PORT`] = `${scheme}://${host}:${port}`;
    Object.assign(env, { [each]: `${scheme}://${host}:${port}`, [`${each}_PROTO`]: scheme, [`${each}_PORT`]: String(port), [`${each}_ADDR`]: host });
  }
  return env;
}
