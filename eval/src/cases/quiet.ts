import type { KubeObject } from '@larry/contracts';
import type { Cluster } from '../cluster/cluster';
import { complete, gone } from '../cluster/noise';
import { target } from '../cluster/objects';
import { schedulingMessage, spreadReason, volumeElsewhereReason } from '../cluster/scheduler';
import { attached, longhorn, longhornClaim, multiAttach, onClaim, storageClass } from '../cluster/storage';
import { restarted } from '../cluster/trouble';
import { sources } from '../sources';
import { deleting, overdue } from './endings';
import { calm, young, type LookAlike } from './healthy';
import { firstBalancer } from './placement';
import { callFailed, registerHook, webhooks } from './policies';

/** More clusters with nothing wrong: webhooks, volumes, ports, Jobs and endings that look as if. */
const day = 86_400;
const days = { ageS: 40 * day, podAgeS: 6 * day };
const policyService = { namespace: 'kyverno', name: 'kyverno-svc' };

/** A policy engine that runs. */
function policyEngine(c: Cluster, ageS = 6 * day): void {
  registerHook(c, policyService, webhooks.kyverno);
  c.workload({ kind: 'Deployment', namespace: 'kyverno', name: 'kyverno' }, { ageS: 40 * day, podAgeS: ageS, port: 9443, replicas: 1, service: false });
  c.service(policyService, { app: 'kyverno' }, [{ name: 'https', port: 443, targetPort: 9443 }]);
}

function claimPending(c: Cluster, name: string, storageClassName: string, ageS: number): KubeObject {
  return c.add('v1', 'PersistentVolumeClaim', { name, namespace: 'lab' }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '5Gi' } } }, status: { phase: 'Pending' } }, ageS);
}

export const quiet: LookAlike[] = [
  calm('namespace-just-deleted', 'a namespace that was deleted ten seconds ago', [sources.finalizers], (c) => {
    const namespace = c.namespace('preview-318');
    const pod = c.workload(target('Pod preview-318/web'), { ageS: 7200, service: false }).pods[0];
    if (pod) Object.assign(pod.metadata, { deletionTimestamp: c.ago(-22), deletionGracePeriodSeconds: 30 });
    deleting(c, namespace, 10, { remaining: 'Some resources are remaining: pods. has 1 resource instances' });
  }),
  calm('claims-without-consumer', 'claims of two classes that wait for pods that nobody made', [sources.pvController], (c) => {
    storageClass(c, 'lvm-thin', 'local.csi.openebs.io', 'WaitForFirstConsumer');
    for (const [name, className] of [['scratch', 'local-path'], ['bench', 'lvm-thin'], ['bench-2', 'lvm-thin']] as const) {
      c.event(claimPending(c, name, className, 5 * day), { type: 'Normal', reason: 'WaitForFirstConsumer', message: 'waiting for first consumer to be created before binding', from: 'persistentvolume-controller', count: 27_000, lastS: 6, firstS: 3400 });
    }
  }),
  calm('provisioned-slowly', 'a volume that took a minute, and one of ten seconds', [sources.provisioners], (c) => {
    longhorn(c);
    const { claim } = longhornClaim(c, 'lab', 'results');
    const said = { type: 'Normal' as const, reason: 'ExternalProvisioning', message: "Waiting for a volume to be created either by the external provisioner 'driver.longhorn.io' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.", from: 'persistentvolume-controller' };
    c.event(claim, { ...said, count: 4, lastS: 1560 });
    c.event(claim, { type: 'Normal', reason: 'ProvisioningSucceeded', message: `Successfully provisioned volume pvc-${claim.metadata.uid}`, from: 'driver.longhorn.io_csi-provisioner-7c9d6b5f4-8kqzl_2f1c', lastS: 1540 });
    young('Deployment lab/notebook', { replicas: 1, ...onClaim('results', '/results') })(c);
    c.event(claimPending(c, 'new', 'longhorn', 10), { ...said, lastS: 9 });
  }),
  calm('webhook-refused-once', 'a webhook that refused one pod made by hand; everything of the Deployment is there', [sources.policies], (c) => {
    policyEngine(c);
    const workload = young('Deployment shop/cart', { replicas: 3 })(c);
    c.event(workload.controller, { reason: 'FailedCreate', from: 'replicaset-controller', message: `Error creating: admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/shop/${workload.controller.metadata.name}-x2k4p was blocked due to the following policies \n\nrequire-labels:\n  check-team: 'validation error: label team is required. rule check-team failed at path /metadata/labels/team/'\n`, count: 3, lastS: 1490 });
    c.event(gone(c, workload, 'by-hand'), { reason: 'PolicyViolation', message: "policy require-labels/check-team fail: validation error: label team is required. rule check-team failed at path /metadata/labels/team/", from: 'kyverno-admission', lastS: 800 });
  }),
  calm('webhook-upgraded', 'a webhook that was away while it was upgraded', [sources.webhooks], (c) => {
    policyEngine(c, 1450);
    for (const name of ['Deployment shop/orders', 'Deployment web/portal']) {
      const workload = young(name, { podAgeS: 1400 })(c);
      c.event(workload.controller, { reason: 'FailedCreate', from: 'replicaset-controller', message: `Error creating: ${callFailed(policyService, webhooks.kyverno, 'no endpoints available for service "kyverno-svc"')}`, count: 6, lastS: 1405 });
    }
  }),
  calm('host-ports-everywhere', 'agents with a host port on every node, and k3s\' load balancer', [sources.serviceLB], (c) => {
    firstBalancer(c);
    c.workload(target('DaemonSet monitoring/agent'), { ...days, port: 9101, container: { ports: [{ name: 'metrics', containerPort: 9101, hostPort: 9101, protocol: 'TCP' }] } });
    const agents = c.workload(target('DaemonSet logging/fluent-bit'), { ...days, port: 2020, container: { ports: [{ name: 'http', containerPort: 2020, hostPort: 2020, protocol: 'TCP' }] } });
    c.event(gone(c, agents, 'fluent-bit-x4k2p'), { reason: 'FailedScheduling', message: schedulingMessage(c, "node(s) didn't have free ports for the requested pod ports"), from: 'default-scheduler', lastS: 2200 });
  }),
  calm('job-within-deadline', 'a Job of an hour that has run five minutes', [sources.deadline], (c) => {
    const job = c.workload(target('Job batch/reindex'), { ageS: 320, podAgeS: 318, port: 0, spec: { activeDeadlineSeconds: 3600 } });
    for (const pod of job.pods) c.log(pod, job.main, ['INFO 120000 of 900000 documents', 'WARN slow: deadline for this batch exceeded by 2 s, continuing']);
  }),
  calm('deadline-of-before', 'a CronJob whose run before last took too long', [sources.deadline], (c) => {
    const cron = c.workload(target('CronJob ops/vacuum'), { port: 0, podAgeS: 900 });
    complete(c, cron);
    const before: KubeObject = { ...cron.controller, spec: { ...(cron.controller['spec'] as object) }, metadata: { ...cron.controller.metadata, name: 'vacuum-28999930', uid: c.chance.uid(), creationTimestamp: c.ago(2700) } };
    overdue(c, before, 600, 2700);
    c.keep(before);
  }),
  calm('drained', 'a drain that is over: volumes were elsewhere for some seconds', [sources.attachDetach], (c) => {
    longhorn(c);
    for (const name of ['nextcloud', 'gitea']) {
      const { volume } = longhornClaim(c, 'apps', name);
      attached(c, volume, 'k3s-worker03', 1470);
      const workload = young(`Deployment apps/${name}`, { replicas: 1, nodes: ['k3s-worker03'], ...onClaim(name, '/data') })(c);
      for (const pod of workload.pods) {
        c.event(pod, { reason: 'FailedAttachVolume', message: multiAttach(volume), from: 'attachdetach-controller', lastS: 1499 });
        c.event(pod, { reason: 'FailedScheduling', message: schedulingMessage(c, volumeElsewhereReason(c)), from: 'default-scheduler', lastS: 1500 });
        c.event(pod, { type: 'Normal', reason: 'SuccessfulAttachVolume', message: `AttachVolume.Attach succeeded for volume "${volume.metadata.name}"`, from: 'attachdetach-controller', lastS: 1462 });
      }
    }
  }),
  calm('finalizers-that-run', 'pods with finalizers that run, and one that has twenty seconds left', [sources.finalizers], (c) => {
    const job = c.workload(target('Job ml/train'), { ageS: 4000, podAgeS: 3990, port: 0 });
    for (const pod of job.pods) pod.metadata.finalizers = ['batch.kubernetes.io/job-tracking', 'kueue.x-k8s.io/managed'];
    const peers = c.workload(target('StatefulSet vpn/peer'), { ...days, replicas: 3 });
    for (const pod of peers.pods) pod.metadata.finalizers = ['wireguard.example.com/peer'];
    const [leaving] = peers.pods;
    if (leaving) Object.assign(leaving.metadata, { deletionTimestamp: c.ago(-20), deletionGracePeriodSeconds: 30 });
  }),
  calm('network-after-reboot', 'a node that came back: its first pods had no network for a moment', [sources.sandbox], (c) => {
    for (const name of ['Deployment shop/orders', 'Deployment crm/api']) {
      const workload = c.workload(target(name), { ageS: 30 * day, replicas: 1, nodes: ['k3s-worker02'] });
      restarted(c, workload, { exitCode: 255, reason: 'Unknown', log: [], restarts: 1, endedS: 1700, ready: true });
      for (const pod of workload.pods) c.event(pod, { reason: 'FailedCreatePodSandBox', message: `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "${c.chance.hex(64)}": plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory`, count: 3, lastS: 1712 });
    }
    c.event(c.node('k3s-worker02'), { reason: 'Rebooted', message: 'Node k3s-worker02 has been rebooted, boot id: 9a1c6c0e-63ac-4f1c-8a5d-5e2b4bb0cf2a', lastS: 1760 });
  }),
  calm('wishes-not-met', 'spreads and neighbours that are wished for and cannot be had', [sources.placement], (c) => {
    c.workload(target('Deployment web/portal'), { ...days, replicas: 3, pod: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { app: 'portal' } } }] } });
    const cache = c.workload(target('Deployment web/cache'), { ...days, pod: { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: { labelSelector: { matchLabels: { app: 'nobody' } }, topologyKey: 'kubernetes.io/hostname' } }] } } } });
    c.event(gone(c, cache, `${cache.controller.metadata.name}-q7x2m`), { reason: 'FailedScheduling', message: schedulingMessage(c, spreadReason), from: 'default-scheduler', lastS: 2500 });
  }),
  calm('warned-not-refused', 'Pod Security that only warns, and a LimitRange that everybody keeps to', [sources.podSecurity, sources.limitRanger], (c) => {
    Object.assign(c.namespace('apps').metadata.labels ?? {}, { 'pod-security.kubernetes.io/warn': 'restricted', 'pod-security.kubernetes.io/audit': 'restricted', 'pod-security.kubernetes.io/enforce': 'privileged' });
    c.workload(target('Deployment apps/legacy'), { ...days, container: { securityContext: { privileged: true } } });
    c.add('v1', 'LimitRange', { name: 'limits', namespace: 'apps' }, { spec: { limits: [{ type: 'Container', max: { memory: '512Mi' }, default: { memory: '256Mi' } }] } });
  }),
  calm('mounted-late', 'a file server that was away for two minutes when a pod started', [sources.mounts], (c) => {
    const workload = young('Deployment media/jellyfin', { replicas: 1, pod: { volumes: [{ name: 'films', nfs: { server: '192.168.50.5', path: '/films' } }] }, container: { volumeMounts: [{ name: 'films', mountPath: '/films' }] } })(c);
    for (const pod of workload.pods) c.event(pod, { reason: 'FailedMount', message: `MountVolume.SetUp failed for volume "films" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs 192.168.50.5:/films /var/lib/kubelet/pods/${pod.metadata.uid}/volumes/kubernetes.io~nfs/films\nOutput: mount.nfs: Connection refused\n`, count: 2, lastS: 1490 });
  }),
];
