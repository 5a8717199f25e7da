import { parseImage, type ContainerFacts, type Dialled, type MountView } from '../behaviours';
import { parseAmount } from '../quantity';
import type { Container, Node, Pod } from '../types';
import { ConfigError, environmentOf, expand, type Sources } from './environment';

/** What a container finds around itself on its node. */
export interface Surroundings {
  podIp: string;
  node: Node;
  sources: Sources;
  mounts: readonly MountView[];
  now: Date;
  /** What becomes of a connection from a pod of a namespace. */
  dial(namespace: string, host: string, port: number): Dialled;
}

/**
 * Everything that a container's behaviour may depend on.
 * @throws ConfigError where it cannot be created as configured.
 */
export function factsOf(pod: Pod, container: Container, imageUid: number, around: Surroundings): ContainerFacts {
  const name = parseImage(container.image);
  const uid = checkUser(pod, container, imageUid);
  const env = environmentOf(pod, container, around.podIp, around.node, around.sources);
  const { fsGroup, supplementalGroups = [], runAsGroup = 0 } = pod.spec.securityContext ?? {};
  const limit = container.resources?.limits?.memory;
  return {
    image: container.image,
    repository: name?.repository ?? '',
    tag: name?.tag ?? '',
    command: (container.command ?? []).map((word) => expand(word, env)),
    args: (container.args ?? []).map((word) => expand(word, env)),
    env,
    mounts: around.mounts,
    uid,
    gids: [container.securityContext?.runAsGroup ?? runAsGroup, ...(fsGroup === undefined ? [] : [fsGroup]), ...supplementalGroups],
    memoryLimitBytes: limit === undefined ? undefined : parseAmount(limit),
    readOnlyRoot: container.securityContext?.readOnlyRootFilesystem ?? false,
    ...portRights(pod, container),
    dial: (host, port) => around.dial(pod.metadata.namespace ?? '', host, port),
    podName: pod.metadata.name,
    startedAt: around.now,
  };
}

const sysctl = 'net.ipv4.ip_unprivileged_port_start';

/** containerd 2 opens all ports to everybody unless the pod's sysctl says otherwise; below it counts NET_BIND_SERVICE, and for a file's capabilities that privileges may grow. */
function portRights(pod: Pod, { securityContext = {} }: Container): { bindsPrivilegedPorts: boolean; executesNetBind: boolean } {
  const { add = [], drop = [] } = securityContext.capabilities ?? {};
  const has = (list: readonly string[]) => list.some((name) => /^(?:CAP_)?(?:ALL|NET_BIND_SERVICE)$/i.test(name));
  const executesNetBind = securityContext.privileged === true || has(add) || !has(drop);
  const sysctls = (pod.spec.securityContext?.sysctls ?? []) as { name?: string; value?: string }[];
  const start = Number(sysctls.find((each) => each.name === sysctl)?.value ?? 0);
  return { executesNetBind, bindsPrivilegedPorts: start <= 80 || (executesNetBind && securityContext.allowPrivilegeEscalation !== false) };
}

/**
 * The user that a container runs as.
 * @throws ConfigError where that is root and must not be.
 */
export function checkUser(pod: Pod, container: Container, imageUid: number): number {
  const uid = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser ?? imageUid;
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  if (nonRoot && uid === 0) {
    throw new ConfigError(`container has runAsNonRoot and image will run as root (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`);
  }
  return uid;
}
