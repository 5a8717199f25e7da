import type { JsonRecord } from '@larry/contracts';
import { breaking, compliant } from './compliant-pod';

/** A compliant pod with one field changed so that one control breaks. */
export interface BreachCase {
  rule: string;
  what: string;
  spec(): JsonRecord;
  metadata?: JsonRecord;
  at: string;
  value: string;
  /** The same as one container's own change, for breaking it in any list. */
  inContainer?: { container: JsonRecord; spec?: JsonRecord };
}

const pod = '.spec.template.spec';
const first = `${pod}.containers[0]`;

const inSpec = (rule: string, what: string, change: JsonRecord, at: string, value: string): BreachCase => ({
  rule,
  what,
  spec: () => ({ ...compliant(), ...change }),
  at: pod + at,
  value,
});

const inPodContext = (rule: string, what: string, change: JsonRecord, at: string, value: string): BreachCase =>
  inSpec(
    rule,
    what,
    { securityContext: { ...(compliant()['securityContext'] as JsonRecord), ...change } },
    `.securityContext.${at}`,
    value,
  );

const inContainer = (
  rule: string,
  what: string,
  container: JsonRecord,
  at: string,
  value: string,
  spec: JsonRecord = {},
): BreachCase => ({
  rule,
  what,
  spec: () => ({ ...compliant(), ...spec, containers: [breaking(container)] }),
  at: `${first}.${at}`,
  value,
  inContainer: { container, spec },
});

const probe = (field: string, action: string): BreachCase => {
  const [outer = '', inner] = field.split('.');
  const handler = { [action]: { host: '10.0.0.1', port: 80 } };
  return inContainer(
    'pss-baseline/host-probes',
    `${field}.${action}`,
    { body: { [outer]: inner === undefined ? handler : { [inner]: handler } } },
    `${field}.${action}.host`,
    '10.0.0.1',
  );
};

const volume = (type: string): BreachCase =>
  inSpec(
    'pss-restricted/volume-types',
    `volume ${type}`,
    { volumes: [{ name: 'v', [type]: {} }] },
    `.volumes[0].${type}`,
    'present',
  );

/** At least one case for every control of both standards. */
export const breaches: BreachCase[] = [
  inPodContext(
    'pss-baseline/host-process',
    'the pod',
    { windowsOptions: { hostProcess: true } },
    'windowsOptions.hostProcess',
    'true',
  ),
  inContainer(
    'pss-baseline/host-process',
    'a container',
    { windowsOptions: { hostProcess: true } },
    'securityContext.windowsOptions.hostProcess',
    'true',
  ),
  inSpec('pss-baseline/host-namespaces', 'network', { hostNetwork: true }, '.hostNetwork', 'true'),
  inSpec('pss-baseline/host-namespaces', 'processes', { hostPID: true }, '.hostPID', 'true'),
  inSpec('pss-baseline/host-namespaces', 'IPC', { hostIPC: true }, '.hostIPC', 'true'),
  inContainer('pss-baseline/privileged', 'true', { privileged: true }, 'securityContext.privileged', 'true'),
  inContainer(
    'pss-baseline/capabilities',
    'NET_RAW',
    { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } },
    'securityContext.capabilities.add',
    '["NET_RAW"]',
  ),
  inContainer(
    'pss-baseline/capabilities',
    'ALL',
    { capabilities: { drop: ['ALL'], add: ['ALL'] } },
    'securityContext.capabilities.add',
    '["ALL"]',
  ),
  inContainer(
    'pss-baseline/capabilities',
    'another spelling',
    { capabilities: { drop: ['ALL'], add: ['CAP_CHOWN'] } },
    'securityContext.capabilities.add',
    '["CAP_CHOWN"]',
  ),
  inSpec(
    'pss-baseline/host-path',
    'a folder',
    { volumes: [{ name: 'v', hostPath: { path: '/data' } }] },
    '.volumes[0].hostPath.path',
    '/data',
  ),
  inContainer(
    'pss-baseline/host-ports',
    'a port',
    { body: { ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 8081 }] } },
    'ports[1].hostPort',
    '8081',
  ),
  {
    rule: 'pss-baseline/apparmor',
    what: 'the annotation',
    spec: compliant,
    metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/app': 'unconfined' } },
    at: '.spec.template.metadata.annotations["container.apparmor.security.beta.kubernetes.io/app"]',
    value: 'unconfined',
  },
  inPodContext(
    'pss-baseline/apparmor',
    'the pod',
    { appArmorProfile: { type: 'Unconfined' } },
    'appArmorProfile.type',
    'Unconfined',
  ),
  inContainer(
    'pss-baseline/apparmor',
    'a container',
    { appArmorProfile: { type: 'Unconfined' } },
    'securityContext.appArmorProfile.type',
    'Unconfined',
  ),
  inPodContext(
    'pss-baseline/selinux',
    'the type of the pod',
    { seLinuxOptions: { type: 'spc_t' } },
    'seLinuxOptions.type',
    'spc_t',
  ),
  inContainer(
    'pss-baseline/selinux',
    'the user',
    { seLinuxOptions: { user: 'root' } },
    'securityContext.seLinuxOptions.user',
    'root',
  ),
  inContainer(
    'pss-baseline/selinux',
    'the role',
    { seLinuxOptions: { type: 'container_t', role: 'sysadm_r' } },
    'securityContext.seLinuxOptions.role',
    'sysadm_r',
  ),
  inContainer(
    'pss-baseline/proc-mount',
    'Unmasked',
    { procMount: 'Unmasked' },
    'securityContext.procMount',
    'Unmasked',
  ),
  inPodContext(
    'pss-baseline/seccomp',
    'the pod',
    { seccompProfile: { type: 'Unconfined' } },
    'seccompProfile.type',
    'Unconfined',
  ),
  inContainer(
    'pss-baseline/seccomp',
    'a container',
    { seccompProfile: { type: 'Unconfined' } },
    'securityContext.seccompProfile.type',
    'Unconfined',
  ),
  inPodContext(
    'pss-baseline/sysctls',
    'one that is not safe',
    {
      sysctls: [
        { name: 'kernel.shm_rmid_forced', value: '1' },
        { name: 'kernel.msgmax', value: '1' },
      ],
    },
    'sysctls[1].name',
    'kernel.msgmax',
  ),
  inPodContext(
    'pss-baseline/sysctls',
    'one that only 1.37 allows',
    { sysctls: [{ name: 'net.ipv4.tcp_notsent_lowat', value: '1' }] },
    'sysctls[0].name',
    'net.ipv4.tcp_notsent_lowat',
  ),
  ...['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle.postStart', 'lifecycle.preStop'].flatMap(
    (field) => [probe(field, 'httpGet'), probe(field, 'tcpSocket')],
  ),
  ...['nfs', 'iscsi', 'gitRepo', 'cephfs', 'photonPersistentDisk', 'somethingNew'].map(volume),
  inContainer(
    'pss-restricted/privilege-escalation',
    'true',
    { allowPrivilegeEscalation: true },
    'securityContext.allowPrivilegeEscalation',
    'true',
  ),
  inContainer(
    'pss-restricted/privilege-escalation',
    'null',
    { allowPrivilegeEscalation: null },
    'securityContext.allowPrivilegeEscalation',
    'absent',
  ),
  inPodContext('pss-restricted/run-as-non-root', 'nobody says so', { runAsNonRoot: undefined }, '', 'absent'),
  inContainer(
    'pss-restricted/run-as-non-root',
    'a container says no',
    { runAsNonRoot: false },
    'securityContext.runAsNonRoot',
    'false',
  ),
  inPodContext('pss-restricted/run-as-user', 'the pod', { runAsUser: 0 }, 'runAsUser', '0'),
  inContainer('pss-restricted/run-as-user', 'a container', { runAsUser: 0 }, 'securityContext.runAsUser', '0'),
  inPodContext('pss-restricted/seccomp', 'nobody says anything', { seccompProfile: null }, '', 'absent'),
  inContainer(
    'pss-restricted/capabilities',
    'nothing dropped',
    { capabilities: {} },
    'securityContext.capabilities.drop',
    'absent',
  ),
  inContainer(
    'pss-restricted/capabilities',
    'not all dropped',
    { capabilities: { drop: ['NET_RAW'] } },
    'securityContext.capabilities.drop',
    '["NET_RAW"]',
  ),
  inContainer(
    'pss-restricted/capabilities',
    'one of the default ones added',
    { capabilities: { drop: ['ALL'], add: ['CHOWN', 'NET_BIND_SERVICE'] } },
    'securityContext.capabilities.add',
    '["CHOWN"]',
  ),
  inContainer(
    'pss-restricted/proc-mount',
    'in a user namespace',
    { procMount: 'Unmasked' },
    'securityContext.procMount',
    'Unmasked',
    { hostUsers: false },
  ),
].map(pointedAtContainer);

/** A missing word is missed at each container. */
function pointedAtContainer(breach: BreachCase): BreachCase {
  if (!breach.at.endsWith('securityContext.')) return breach;
  const field = breach.rule.endsWith('seccomp') ? 'seccompProfile.type' : 'runAsNonRoot';
  return { ...breach, at: `${first}.securityContext.${field}` };
}
