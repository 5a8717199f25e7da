import type { Severity } from '@larry/contracts';
import type { Rule } from '../family';

/** The standards as of Kubernetes 1.36: the page, read together with the checks of k8s.io/pod-security-admission where they differ. */
const standards = 'Kubernetes 1.36, Pod Security Standards';

const row = (id: string, control: string, title: string, severity: Severity, why: string): Rule => ({
  id,
  title,
  severity,
  why,
  source: `${standards}, ${id.startsWith('pss-baseline') ? 'Baseline' : 'Restricted'}: ${control}`,
});

/** The rules of this family with their severities: what gives the node away is critical or high, a missing hardening alone is low. */
export const podSecurityRules: readonly Rule[] = [
  row(
    'pss-baseline/host-process',
    'HostProcess',
    'A Windows container runs as a process of the host',
    'critical',
    'it has the rights of a process of the node',
  ),
  row(
    'pss-baseline/host-namespaces',
    'Host Namespaces',
    'A pod shares the network, processes or IPC of its node',
    'high',
    'it can see and reach what other pods and the node do; a way out needs one more step',
  ),
  row(
    'pss-baseline/privileged',
    'Privileged Containers',
    'A container is privileged',
    'critical',
    'it can do to the node what root can: no further step is needed',
  ),
  row(
    'pss-baseline/capabilities',
    'Capabilities',
    'A container adds Linux capabilities beyond the default ones',
    'high',
    'most of them reach past the container; SYS_ADMIN, ALL and the like are critical because they equal root on the node',
  ),
  row(
    'pss-baseline/host-path',
    'HostPath Volumes',
    'A pod mounts a folder of its node',
    'high',
    'files of the node survive the pod and are shared with it; folders that hold the node itself are critical',
  ),
  row(
    'pss-baseline/host-ports',
    'Host Ports',
    'A container opens a port on its node',
    'medium',
    'network policies do not guard ports of a node',
  ),
  row(
    'pss-baseline/apparmor',
    'AppArmor',
    'A container switches its AppArmor profile off',
    'medium',
    'one layer of several is gone',
  ),
  row(
    'pss-baseline/selinux',
    'SELinux',
    'A container chooses its own SELinux type, user or role',
    'medium',
    'one layer of several is gone',
  ),
  row(
    'pss-baseline/proc-mount',
    '/proc Mount Type',
    'A container sees /proc without the usual masks',
    'medium',
    'it reads and writes settings of the kernel; a way out needs one more step',
  ),
  row(
    'pss-baseline/seccomp',
    'Seccomp',
    'A container switches its seccomp profile off',
    'medium',
    'every system call of the kernel can be reached',
  ),
  row(
    'pss-baseline/sysctls',
    'Sysctls',
    'A pod sets kernel parameters that are not known to be safe',
    'medium',
    'they can touch other pods or the node',
  ),
  row(
    'pss-baseline/host-probes',
    'Host Probes / Lifecycle Hooks (since 1.34, KEP-4940)',
    'A probe or lifecycle hook names the host to call',
    'medium',
    'the kubelet can be made to send requests from the network of the node',
  ),
  row(
    'pss-restricted/volume-types',
    'Volume Types',
    'A pod mounts a volume of a type that goes around persistent volumes',
    'low',
    'nothing is open yet; the rules of storage classes are gone around',
  ),
  row(
    'pss-restricted/privilege-escalation',
    'Privilege Escalation (v1.8+)',
    'A container may gain more privileges than it started with',
    'low',
    'it matters after another flaw: a set-user-ID program is needed',
  ),
  row(
    'pss-restricted/run-as-non-root',
    'Running as Non-root',
    'A container is not kept from running as root',
    'low',
    'it matters after another flaw, and the image may run as another user anyway',
  ),
  row(
    'pss-restricted/run-as-user',
    'Running as Non-root user (v1.23+)',
    'A container is told to run as root',
    'medium',
    'root in the container for certain: the kernel is the only wall left',
  ),
  row(
    'pss-restricted/seccomp',
    'Seccomp (v1.19+)',
    'No seccomp profile is set',
    'low',
    'a kubelet may set the default one (seccompDefault), which the object does not tell',
  ),
  row(
    'pss-restricted/capabilities',
    'Capabilities (v1.22+)',
    'A container does not drop all Linux capabilities',
    'low',
    'the default ones are few and do not reach the node by themselves',
  ),
  row(
    'pss-restricted/proc-mount',
    '/proc Mount Type (since 1.35, KEP-127)',
    'A container in a user namespace sees /proc without the usual masks',
    'low',
    'root there is nobody on the node; baseline allows it',
  ),
  {
    id: 'pss-admission/not-enforced',
    title: 'The namespace does not enforce a Pod Security Standard',
    severity: 'low',
    why: 'nothing is open by it alone: it decides what the next pod may be',
    source: 'Kubernetes 1.36, Pod Security Admission, Pod Security Admission labels for namespaces',
  },
  {
    id: 'pss-admission/bad-label',
    title: 'A Pod Security label of the namespace has a value that means nothing',
    severity: 'medium',
    why: 'somebody meant to enforce a standard, and something else happens',
    source: 'Kubernetes 1.36, Pod Security Admission, Pod Security Admission labels for namespaces',
  },
];

/** The rule of that id. */
export function rule(id: string): Rule {
  const found = podSecurityRules.find((r) => r.id === id);
  if (!found) throw new Error(`no rule ${id} in the table of rules`);
  return found;
}
