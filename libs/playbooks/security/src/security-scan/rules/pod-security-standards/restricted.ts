import { listOf, recordOf, valueIn } from '@larry/contracts';
import type { ContainerView, PodView } from '../../pod-view';
import { baselineCapabilities, capabilitiesAdded, unmaskedProc } from './baseline';
import { containerBreach, inContainers, isSet, podBreach, type Breach, type Control } from './control';
import { rule } from './rules';

/**
 * Volume types that restricted allows. `image` is in the admission controller since 1.33 (kubernetes#130394), though the
 * page of the standards does not list it yet (website#55370).
 */
export const restrictedVolumes: ReadonlySet<string> = new Set([
  'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret',
]); // prettier-ignore

/** What restricted asks on top of baseline, as Kubernetes 1.36 defines it. What baseline says already is not said twice. */
export const restrictedControls: readonly Control[] = [
  {
    rule: rule('pss-restricted/volume-types'),
    check: volumeTypes,
    decide:
      'the volume has to come from a persistent volume claim or from one of the allowed types; what it is for decides which',
  },
  {
    rule: rule('pss-restricted/privilege-escalation'),
    check: (pod) => (pod.windows ? [] : inContainers(pod, escalation)),
  },
  // Since 1.35 root in a pod with its own user namespace is nobody on the node, so these two are relaxed (KEP-127).
  { rule: rule('pss-restricted/run-as-non-root'), check: (pod) => (pod.userNamespace ? [] : runsAsRoot(pod)) },
  {
    rule: rule('pss-restricted/run-as-user'),
    check: (pod) => (pod.userNamespace ? [] : userZero(pod)),
    decide: 'choose a user other than 0 that owns the files the container needs, in the image or as runAsUser',
  },
  { rule: rule('pss-restricted/seccomp'), check: (pod) => (pod.windows ? [] : seccompMissing(pod)) },
  { rule: rule('pss-restricted/capabilities'), check: (pod) => (pod.windows ? [] : inContainers(pod, capabilities)) },
  { rule: rule('pss-restricted/proc-mount'), check: (pod) => (pod.userNamespace ? unmaskedProc(pod) : []) },
];

function volumeTypes(pod: PodView): Breach[] {
  return listOf(pod.spec['volumes']).flatMap((entry, i) => {
    const set = Object.entries(recordOf(entry)).filter(([key, value]) => key !== 'name' && isSet(value));
    // A volume without a source becomes an emptyDir; hostPath is baseline's.
    return set
      .filter(([type]) => !restrictedVolumes.has(type) && type !== 'hostPath')
      .map(([type]) => ({ at: `${pod.at}.spec.volumes[${i}].${type}`, value: 'present' }));
  });
}

function escalation(container: ContainerView): Breach[] {
  const value = container.security['allowPrivilegeEscalation'];
  return value === false
    ? []
    : [containerBreach(container, ['securityContext', 'allowPrivilegeEscalation'], value, { value: false })];
}

/** The pod's word counts for the containers that say nothing; a false anywhere is a breach, as in the admission controller. */
function runsAsRoot(pod: PodView): Breach[] {
  const field = ['securityContext', 'runAsNonRoot'];
  const podSays = pod.security['runAsNonRoot'];
  const onPod = podSays === false ? [podBreach(pod, field, false, { value: true })] : [];
  const onContainers = inContainers(pod, (c) => {
    const says = c.security['runAsNonRoot'];
    if (says === true || (!isSet(says) && podSays === true)) return [];
    return [containerBreach(c, field, says, { value: true })];
  });
  return [...onPod, ...onContainers];
}

function userZero(pod: PodView): Breach[] {
  const field = ['securityContext', 'runAsUser'];
  return [
    ...(pod.security['runAsUser'] === 0 ? [podBreach(pod, field, 0)] : []),
    ...inContainers(pod, (c) => (c.security['runAsUser'] === 0 ? [containerBreach(c, field, 0)] : [])),
  ];
}

/** A profile that is set to something bad is baseline's; here it is about nobody having said anything. */
function seccompMissing(pod: PodView): Breach[] {
  if (isSet(pod.security['seccompProfile'])) return [];
  return inContainers(pod, (c) =>
    isSet(c.security['seccompProfile'])
      ? []
      : [containerBreach(c, ['securityContext', 'seccompProfile', 'type'], undefined, { value: 'RuntimeDefault' })],
  );
}

function capabilities(container: ContainerView): Breach[] {
  const added = capabilitiesAdded(container);
  const extra = added.filter((c) => c !== 'NET_BIND_SERVICE' && baselineCapabilities.has(c));
  const dropped = listOf(valueIn(container.security, 'capabilities', 'drop'));
  const field = (name: string) => ['securityContext', 'capabilities', name];
  const kept = added.includes('NET_BIND_SERVICE') ? { value: ['NET_BIND_SERVICE'] } : ('remove' as const);
  return [
    ...(dropped.includes('ALL')
      ? []
      : [containerBreach(container, field('drop'), dropped.length > 0 ? dropped : undefined, { value: ['ALL'] })]),
    ...(extra.length > 0 ? [containerBreach(container, field('add'), extra, kept)] : []),
  ];
}
