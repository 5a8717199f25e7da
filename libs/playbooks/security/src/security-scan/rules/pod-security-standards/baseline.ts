import { listOf, numberOf, recordOf, textOf, valueIn } from '@larry/contracts';
import type { ContainerView, PodView } from '../../pod-view';
import { containerBreach, inContainers, isSet, podBreach, shown, type Breach, type Control } from './control';
import { rule } from './rules';

/** Capabilities that baseline lets a container add (Pod Security Standards, *Capabilities*). */
export const baselineCapabilities: ReadonlySet<string> = new Set([
  'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT',
]); // prettier-ignore

/** Sysctls that baseline allows as of 1.36; 1.37 adds two, which a 1.36 cluster refuses. */
export const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports', // 1.27
  'net.ipv4.tcp_keepalive_time', // 1.29, as the next three
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem', // 1.32
  'net.ipv4.tcp_wmem', // 1.32
]);

const selinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']); // the last since 1.31
const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';
const profileTypes = new Set(['RuntimeDefault', 'Localhost']);

/** Capabilities that make a container as good as root on the node. */
const rootCapabilities = new Set([
  'ALL',
  'SYS_ADMIN',
  'SYS_MODULE',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'DAC_READ_SEARCH',
  'BPF',
]);
/** Host paths whose holder holds the node. */
const nodePath =
  /^\/+$|^\/(etc|root|boot|dev|proc|sys|var|run|home)\/*$|^\/(etc\/(kubernetes|rancher|shadow|cron)|var\/lib\/(kubelet|rancher|docker|containerd|etcd)|(var\/)?run\/(docker|containerd|crio|k3s)|root\/)|\.sock$/;

/** The baseline controls, as Kubernetes 1.36 defines them. */
export const baselineControls: readonly Control[] = [
  {
    rule: rule('pss-baseline/host-process'),
    check: (pod) => {
      const field = ['securityContext', 'windowsOptions', 'hostProcess'];
      return [
        ...(valueIn(pod.spec, ...field) === true ? [podBreach(pod, field, true, 'remove')] : []),
        ...inContainers(pod, (c) =>
          valueIn(c.body, ...field) === true ? [containerBreach(c, field, true, 'remove')] : [],
        ),
      ];
    },
  },
  {
    rule: rule('pss-baseline/host-namespaces'),
    check: (pod) =>
      ['hostNetwork', 'hostPID', 'hostIPC']
        .filter((f) => pod.spec[f] === true)
        .map((f) => podBreach(pod, [f], true, 'remove')),
  },
  {
    rule: rule('pss-baseline/privileged'),
    check: (pod) =>
      inContainers(pod, (c) =>
        c.security['privileged'] === true
          ? [containerBreach(c, ['securityContext', 'privileged'], true, { value: false })]
          : [],
      ),
  },
  { rule: rule('pss-baseline/capabilities'), check: (pod) => inContainers(pod, addedCapabilities) },
  {
    rule: rule('pss-baseline/host-path'),
    check: hostPaths,
    decide:
      'what the volume is for decides what takes its place: a persistent volume claim, a ConfigMap, an emptyDir, or an agent of the node that is trusted by exception',
  },
  {
    rule: rule('pss-baseline/host-ports'),
    check: (pod) => inContainers(pod, hostPorts),
    decide: 'take .hostPort out of these ports; where two share a number, a patch cannot tell them apart',
  },
  {
    rule: rule('pss-baseline/apparmor'),
    check: (pod) => [...appArmorAnnotations(pod), ...profiles(pod, 'appArmorProfile')],
  },
  { rule: rule('pss-baseline/selinux'), check: selinux },
  {
    rule: rule('pss-baseline/proc-mount'),
    // Since 1.35 a pod in its own user namespace may unmask /proc (KEP-127); restricted still forbids it.
    check: (pod) => (pod.userNamespace ? [] : unmaskedProc(pod)),
  },
  { rule: rule('pss-baseline/seccomp'), check: (pod) => profiles(pod, 'seccompProfile') },
  { rule: rule('pss-baseline/sysctls'), check: sysctls },
  { rule: rule('pss-baseline/host-probes'), check: (pod) => inContainers(pod, probeHosts) },
];

/** Containers whose `/proc` is not masked. */
export function unmaskedProc(pod: PodView): Breach[] {
  return inContainers(pod, (c) => {
    const value = c.security['procMount'];
    return isSet(value) && value !== 'Default'
      ? [containerBreach(c, ['securityContext', 'procMount'], value, 'remove')]
      : [];
  });
}

/** The capabilities that a container adds, as text. */
export function capabilitiesAdded(container: ContainerView): string[] {
  return listOf(valueIn(container.security, 'capabilities', 'add')).map((c) => (typeof c === 'string' ? c : shown(c)));
}

function addedCapabilities(container: ContainerView): Breach[] {
  const added = capabilitiesAdded(container);
  const bad = added.filter((c) => !baselineCapabilities.has(c));
  if (bad.length === 0) return [];
  const left = added.filter((c) => baselineCapabilities.has(c));
  const breach = containerBreach(
    container,
    ['securityContext', 'capabilities', 'add'],
    bad,
    left.length > 0 ? { value: left } : 'remove',
  );
  return [{ ...breach, ...(bad.some((c) => rootCapabilities.has(c)) ? { severity: 'critical' as const } : {}) }];
}

function hostPaths(pod: PodView): Breach[] {
  return listOf(pod.spec['volumes']).flatMap((entry, i) => {
    const hostPath = recordOf(entry)['hostPath'];
    if (!isSet(hostPath)) return [];
    const path = textOf(recordOf(hostPath)['path']) ?? '';
    return [
      {
        at: `${pod.at}.spec.volumes[${i}].hostPath.path`,
        value: shown(path),
        ...(nodePath.test(path) ? { severity: 'critical' as const } : {}),
      },
    ];
  });
}

function hostPorts(container: ContainerView): Breach[] {
  const ports = listOf(container.body['ports']).map(recordOf);
  return ports.flatMap((port, i) => {
    const hostPort = numberOf(port['hostPort']) ?? 0;
    if (hostPort === 0) return [];
    const breach: Breach = { at: `${container.at}.ports[${i}].hostPort`, value: String(hostPort) };
    const containerPort = numberOf(port['containerPort']);
    // The merge key of ports is containerPort alone: a port of TCP and UDP cannot be told apart in a patch.
    const unique = ports.filter((p) => p['containerPort'] === containerPort).length === 1;
    if (containerPort === undefined || !unique || container.list === 'ephemeralContainers') return [breach];
    return [{ ...breach, change: { path: [...container.path, 'ports', { containerPort }, 'hostPort'], remove: true } }];
  });
}

function appArmorAnnotations(pod: PodView): Breach[] {
  return Object.entries(recordOf(pod.metadata['annotations']))
    .filter(
      ([key, value]) =>
        key.startsWith(appArmorAnnotation) &&
        !['', 'runtime/default'].includes(String(value)) &&
        !String(value).startsWith('localhost/'),
    )
    .map(([key, value]) => ({
      at: `${pod.at}.metadata.annotations[${JSON.stringify(key)}]`,
      value: shown(value),
      change: { path: [...pod.path, 'metadata', 'annotations', key], remove: true as const },
    }));
}

/** A profile that is set must be one of those that keep the confinement. */
function profiles(pod: PodView, name: 'appArmorProfile' | 'seccompProfile'): Breach[] {
  const field = ['securityContext', name, 'type'];
  const bad = (security: unknown) => {
    const profile = valueIn(security, name);
    return isSet(profile) && !profileTypes.has(String(valueIn(profile, 'type')));
  };
  const change = { value: 'RuntimeDefault' };
  return [
    ...(bad(pod.security) ? [podBreach(pod, field, valueIn(pod.security, name, 'type'), change)] : []),
    ...inContainers(pod, (c) =>
      bad(c.security) ? [containerBreach(c, field, valueIn(c.security, name, 'type'), change)] : [],
    ),
  ];
}

function selinux(pod: PodView): Breach[] {
  const bad = (security: unknown) => {
    const options = recordOf(valueIn(security, 'seLinuxOptions'));
    return ['type', 'user', 'role'].filter((f) => {
      const value = options[f];
      return isSet(value) && (f === 'type' ? !selinuxTypes.has(String(value)) : value !== '');
    });
  };
  const field = (name: string) => ['securityContext', 'seLinuxOptions', name];
  return [
    ...bad(pod.security).map((f) => podBreach(pod, field(f), valueIn(pod.security, 'seLinuxOptions', f), 'remove')),
    ...inContainers(pod, (c) =>
      bad(c.security).map((f) => containerBreach(c, field(f), valueIn(c.security, 'seLinuxOptions', f), 'remove')),
    ),
  ];
}

function sysctls(pod: PodView): Breach[] {
  const all = listOf(pod.security['sysctls']);
  const safe = all.filter((s) => safeSysctls.has(String(valueIn(s, 'name'))));
  return all.flatMap((s, i) => {
    const name = String(valueIn(s, 'name'));
    if (safeSysctls.has(name)) return [];
    const path = [...pod.path, 'spec', 'securityContext', 'sysctls'];
    return [
      {
        at: `${pod.at}.spec.securityContext.sysctls[${i}].name`,
        value: name,
        change: safe.length > 0 ? { path, value: safe } : { path, remove: true as const },
      },
    ];
  });
}

function probeHosts(container: ContainerView): Breach[] {
  const handlers = [
    ['livenessProbe'],
    ['readinessProbe'],
    ['startupProbe'],
    ['lifecycle', 'postStart'],
    ['lifecycle', 'preStop'],
  ];
  return handlers.flatMap((handler) =>
    ['httpGet', 'tcpSocket'].flatMap((action) => {
      const field = [...handler, action, 'host'];
      const host = valueIn(container.body, ...field);
      return isSet(host) && host !== '' ? [containerBreach(container, field, host, 'remove')] : [];
    }),
  );
}
