import type { CaseClass, Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import { affinityReason, schedulingMessage, taintReason, unboundMessage, unschedulableReason, volumeElsewhereReason } from '../cluster/scheduler';
import { attached, boundClaim, localClaim, longhorn, longhornClaim, multiAttach, notAttached, onClaim, storageClass } from '../cluster/storage';
import { crashLoop, dropPods, pullError, refused, setCondition, unschedulable } from '../cluster/trouble';
import type { Workload } from '../cluster/workload';
import { sources } from '../sources';
import { deleting, noSandbox } from './endings';
import { mountFailed, mountFails } from './mounts';
import { callFailed, enforced, forbidden, registerHook, webhooks } from './policies';

/** Where the loud one is a symptom: webhooks, provisioners, drivers, networks and nodes that have a cause of their own. */
const fresh = { ageS: 7200, podAgeS: 2600 };
const days = { ageS: 40 * 86_400, podAgeS: 6 * 86_400 };

function trap(caseClass: CaseClass, cause: string, from: readonly string[], ...variants: Fault['variants']): Fault {
  return { class: caseClass, cause, sources: from, variants };
}

/** The node's kubelet no longer speaks. */
function silent(c: Cluster, name: string, sinceS: number): void {
  const node = c.node(name);
  for (const condition of node.status.conditions) Object.assign(condition, { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastHeartbeatTime: c.ago(sinceS + 40), lastTransitionTime: c.ago(sinceS) });
  node.spec.taints = ['NoSchedule', 'NoExecute'].map((effect) => ({ key: 'node.kubernetes.io/unreachable', effect, timeAdded: c.ago(sinceS) }));
  c.staleLease(name, sinceS + 40);
  c.event(node, { type: 'Normal', reason: 'NodeNotReady', message: `Node ${name} status is now: NodeNotReady`, from: 'node-controller', lastS: Math.min(sinceS, 3400) });
}

/** A pod on a silent node that was told to go: nobody there hears it. */
function unheard(c: Cluster, workload: Workload, sinceS: number): void {
  for (const pod of workload.pods) {
    setCondition(pod, 'Ready', 'False', { lastTransitionTime: c.ago(sinceS) });
    pod.metadata.deletionTimestamp = c.ago(sinceS - 330);
    pod.metadata['deletionGracePeriodSeconds'] = 30;
    c.event(pod, { type: 'Normal', reason: 'TaintManagerEviction', message: `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`, from: 'taint-eviction-controller', lastS: Math.min(sinceS - 300, 3400) });
  }
}

/** Its pod was replaced on another node, but the volume is still where nobody answers. */
function attachedToSilent(namespace: string, name: string, sinceS: number, to: string, named: boolean): Recipe {
  return (c, at) => {
    longhorn(c);
    const { volume } = longhornClaim(c, namespace, `${name}-data`);
    attached(c, volume, at.name);
    const workload = c.workload({ kind: 'Deployment', namespace, name }, { ...days, replicas: 1, nodes: [at.name], ...onClaim(`${name}-data`, '/data') });
    silent(c, at.name, sinceS);
    unheard(c, workload, sinceS);
    const [old] = workload.pods;
    const replacement = c.addPod({ ...workload, spec: { ...workload.spec, nodes: [to], podAgeS: sinceS - 301 } }, 0);
    notAttached(c, { ...workload, pods: [replacement] }, multiAttach(volume, ...(named && old ? [old.metadata.name] : [])), { saidS: sinceS - 302 });
    workload.pods.push(replacement);
  };
}

/** A webhook's own workload is unwell; everybody who needs a pod is refused. */
function behindHook(service: string, hook: keyof typeof webhooks, why: string, unwell: (c: Cluster, workload: Workload) => void, ...refusedOnes: string[]): Recipe {
  return (c, at) => {
    const own = { namespace: at.namespace, name: service };
    registerHook(c, own, webhooks[hook]);
    const workload = c.workload({ kind: 'Deployment', namespace: at.namespace, name: at.kind === 'Service' ? `${at.name}-controller` : at.name }, { ...days, podAgeS: 2600, replicas: 1, port: 9443, service: false, image: 'registry.example.com/mirror/policies:1.15.1' });
    const made = c.service(own, { app: workload.target.name }, [{ name: 'https', port: 443, targetPort: 9443 }]);
    unwell(c, workload);
    for (const path of refusedOnes) forbidden(callFailed(own, webhooks[hook], why.replaceAll('SERVICE_IP', made.spec.clusterIP ?? '')))(c, { kind: 'Deployment', namespace: path.split('/')[0] ?? '', name: path.split('/')[1] ?? '' });
  };
}

/** A StatefulSet whose directory is on a node that was cordoned. */
function cordonedData(name: string, node: string): Recipe {
  return (c, { namespace }) => {
    c.node(node).spec.unschedulable = true;
    c.node(node).spec.taints = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: c.ago(3000) }];
    localClaim(c, namespace, `data-${name}-0`, node);
    const workload = c.workload({ kind: 'StatefulSet', namespace, name }, { ...days, podAgeS: 2600, ...onClaim(`data-${name}-0`, '/data') });
    unschedulable(c, workload, schedulingMessage(c, volumeElsewhereReason(c), { [unschedulableReason]: 1 }));
  };
}

const notFound = (image: string) => `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;

/** Somebody waits for claims that a provisioner of the cluster does not serve while it does not run. */
function waitsForProvisioner(c: Cluster, namespace: string, name: string, storageClassName: string, provisioner: string): void {
  const claim = c.add('v1', 'PersistentVolumeClaim', { name: `${name}-data`, namespace }, { metadataAnnotations: { 'volume.kubernetes.io/storage-provisioner': provisioner }, spec: { accessModes: ['ReadWriteOnce'], storageClassName, volumeMode: 'Filesystem', resources: { requests: { storage: '5Gi' } } }, status: { phase: 'Pending' } }, 2500);
  c.event(claim, { type: 'Normal', reason: 'ExternalProvisioning', message: `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`, from: 'persistentvolume-controller', count: 160, firstS: 2490, lastS: 10 });
  unschedulable(c, c.workload({ kind: 'StatefulSet', namespace, name }, { ...fresh, podAgeS: 2500, ...onClaim(`${name}-data`, '/data') }), unboundMessage(c));
}

export const volumeTraps: Fault[] = [
  trap('startup', 'incorrect_image_reference', [sources.webhooks, sources.imagePull],
    ['Deployment kyverno/kyverno-admission', 'a webhook after an update of its image: everybody else is refused and louder', behindHook('kyverno-svc', 'kyverno', 'no endpoints available for service "kyverno-svc"', (c, workload) => pullError(c, workload, notFound('registry.example.com/mirror/policies:1.15.1')), 'shop/cart', 'shop/orders', 'web/portal')],
    ['Deployment nfs/nfs-provisioner', 'a provisioner: claims wait for it', (c, at) => {
      storageClass(c, 'nfs-client', 'cluster.local/nfs-provisioner');
      const workload = c.workload(at, { ...fresh, replicas: 1, port: 0, service: false, image: 'registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.22' });
      pullError(c, workload, notFound('registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.22'));
      waitsForProvisioner(c, 'media', 'sonarr', 'nfs-client', 'cluster.local/nfs-provisioner');
      waitsForProvisioner(c, 'wiki', 'dokuwiki', 'nfs-client', 'cluster.local/nfs-provisioner');
    }],
    ['DaemonSet kube-flannel/kube-flannel-ds', 'the network\'s own pods: new ones get no address', (c, at) => {
      const image = 'ghcr.io/flannel-io/flannel:v0.27.40';
      pullError(c, c.workload(at, { ...fresh, port: 0, image, pod: { hostNetwork: true, tolerations: [{ operator: 'Exists' }] } }), notFound(image));
      for (const name of ['orders', 'search']) noSandbox(c, c.workload({ kind: 'Deployment', namespace: 'shop', name }, { ...days, podAgeS: 1500 }), 'plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory');
    }],
    ['Deployment tea/house', 'a webhook refused it half an hour ago and is well again', (c, at) => {
      const workload = c.workload(at, { ...fresh, image: 'docker.io/library/nginx:1.29-alpnie' });
      pullError(c, workload, notFound('docker.io/library/nginx:1.29-alpnie'));
      registerHook(c, { namespace: 'kyverno', name: 'kyverno-svc' }, webhooks.kyverno);
      c.workload({ kind: 'Deployment', namespace: 'kyverno', name: 'kyverno' }, { ...days, port: 9443, service: false });
      c.service({ namespace: 'kyverno', name: 'kyverno-svc' }, { app: 'kyverno' }, [{ name: 'https', port: 443, targetPort: 9443 }]);
      c.event(workload.controller, { reason: 'FailedCreate', from: 'replicaset-controller', message: `Error creating: ${callFailed({ namespace: 'kyverno', name: 'kyverno-svc' }, webhooks.kyverno, 'context deadline exceeded')}`, count: 4, lastS: 2700 });
    }]),
  trap('running', 'deployment_zero_replicas', [sources.webhooks],
    ['Deployment gatekeeper/gatekeeper-manager', 'a webhook that somebody scaled to zero', behindHook('gatekeeper-webhook', 'gatekeeper', 'no endpoints available for service "gatekeeper-webhook"', (c, workload) => {
      dropPods(c, workload);
      Object.assign(workload.root['spec'] as object, { replicas: 0 });
    }, 'crm/web', 'crm/api')]),
  trap('running', 'oom_killed', [sources.memory, sources.webhooks, sources.mounts],
    ['Deployment linkerd/injector', 'a webhook that runs out of memory', behindHook('linkerd-proxy-injector', 'linkerd', 'dial tcp SERVICE_IP:443: connect: connection refused', (c, workload) => crashLoop(c, workload, { exitCode: 137, reason: 'OOMKilled', livedS: 40, log: ['time="2026-05-02T09:11:07Z" level=info msg="listening on :9443"'] }), 'pay/ledger')],
    ['StatefulSet storage/nfs-server', 'a file server that is a pod: its clients\' mounts hang', (c, at) => {
      const server = c.workload(at, { ...days, podAgeS: 7000, port: 2049, image: 'registry.k8s.io/volume-nfs:0.8', service: false, container: { resources: { limits: { memory: '64Mi' } } } });
      const { clusterIP = '' } = c.service({ namespace: at.namespace, name: at.name }, { app: at.name }, [{ name: 'nfs', port: 2049, targetPort: 2049 }]).spec;
      crashLoop(c, server, { exitCode: 137, reason: 'OOMKilled', livedS: 90, log: ['Serving /exports', 'NFS started'] });
      boundClaim(c, 'media', 'films', { volume: 'films', storageClass: '', mode: 'ReadWriteMany', source: { nfs: { server: clusterIP, path: '/exports/films' } } });
      mountFails(c, c.workload({ kind: 'Deployment', namespace: 'media', name: 'kodi' }, { ...fresh, ...onClaim('films', '/films') }), mountFailed('films', 'nfs', '', `${clusterIP}:/exports/films`, `mount.nfs: Connection refused for ${clusterIP}:/exports/films on WHERE`));
    }]),
  trap('routing', 'service_selector_mismatch', [sources.webhooks, sources.services],
    ['Service vault/agent-injector', 'a webhook runs and its Service does not find it', behindHook('agent-injector', 'vault', 'no endpoints available for service "agent-injector"', (c) => {
      for (const service of c.services) if (service.metadata.name === 'agent-injector') service.spec.selector = { app: 'agent-injector-controler' };
    }, 'hr/payroll')]),
  trap('admission', 'pod_security_violation', [sources.podSecurity, sources.mounts],
    ['DaemonSet democratic-csi/iscsi-node', 'a CSI driver that may not run: volumes are not mounted anywhere', enforced('baseline', (c, at) => {
      const driver = 'org.democratic-csi.iscsi';
      storageClass(c, 'truenas', driver);
      const node = c.workload(at, { ...days, podAgeS: 2600, port: 0, pod: { hostNetwork: true } });
      refused(c, node, `pods "${at.name}-${c.chance.name(5)}" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), hostPath volumes (volumes "kubelet-dir", "dev-dir"), privileged (container "csi-driver" must not set securityContext.privileged=true)`);
      for (const name of ['gitea', 'outline']) {
        const { volume } = boundClaim(c, 'apps', `${name}-data`, { storageClass: 'truenas', source: { csi: { driver, volumeHandle: name } } });
        mountFails(c, c.workload({ kind: 'StatefulSet', namespace: 'apps', name }, { ...days, podAgeS: 1500, ...onClaim(`${name}-data`, '/data') }), `MountVolume.MountDevice failed for volume "${volume.metadata.name}" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ${driver} not found in the list of registered CSI drivers`);
      }
    })]),
  trap('infrastructure', 'kubelet_unavailable', [sources.nodes, sources.attachDetach],
    ['Node lab-node3', 'a volume is still attached to it', attachedToSilent('wiki', 'outline', 2400, 'lab-node4', true)],
    ['Node lab-node4', 'a volume is still attached to it, said without names', attachedToSilent('media', 'nextcloud', 3000, 'lab-node1', false)],
    ['Node node-4', 'the data of a pending pod are on its disk', (c, at) => {
      localClaim(c, 'data', 'influx', at.name);
      const workload = c.workload({ kind: 'Deployment', namespace: 'data', name: 'influxdb' }, { ...days, replicas: 1, nodes: [at.name], ...onClaim('influx', '/var/lib/influxdb2') });
      silent(c, at.name, 1800);
      unheard(c, workload, 1800);
      const replacement = c.addPod({ ...workload, spec: { ...workload.spec, podAgeS: 1500, nodes: ['node-1'] } }, 0);
      workload.pods.push(replacement);
      unschedulable(c, workload, schedulingMessage(c, volumeElsewhereReason(c), { [taintReason(c, 'node.kubernetes.io/unreachable')]: 1 }), { only: [1] });
    }],
    ['Node cp-3', 'a namespace waits for a pod that nobody there ends', (c, at) => {
      const namespace = c.namespace('preview', true);
      const workload = c.workload({ kind: 'Pod', namespace: 'preview', name: 'review-app' }, { ...days, nodes: [at.name], service: false });
      silent(c, at.name, 2600);
      unheard(c, workload, 2600);
      deleting(c, namespace, 2200, { remaining: 'Some resources are remaining: pods. has 1 resource instances' });
    }]),
  trap('scheduling', 'node_cordon_mismatch', [sources.placement, sources.scheduler],
    ['Node lab-node1', 'a directory of a node that was cordoned', (c, at) => cordonedData('victoria', at.name)(c, { ...at, namespace: 'data' })],
    ['Node lab-node4', 'the same, and its callers end', (c, at) => feltBy(cordonedData('ledger', at.name), 'ledger', { name: 'invoices', log: [complaints.postgres] })(c, { ...at, namespace: 'billing' })]),
  trap('running', 'application_error', [sources.attachDetach, sources.sandbox],
    ['Deployment violin/tuner', 'its volume was elsewhere when it started, and came', (c, at) => {
      longhorn(c);
      const { volume } = longhornClaim(c, at.namespace, 'tuner');
      attached(c, volume, 'k3s-worker03', 1400);
      const workload = c.workload(at, { ...days, podAgeS: 1500, replicas: 1, nodes: ['k3s-worker03'], ...onClaim('tuner', '/data') });
      crashLoop(c, workload, { exitCode: 1, log: ['Traceback (most recent call last):', '  File "/app/tuner.py", line 31, in <module>', "ValueError: invalid literal for int() with base 10: 'A4'"], livedS: 6 });
      for (const pod of workload.pods) {
        c.event(pod, { reason: 'FailedAttachVolume', message: multiAttach(volume), from: 'attachdetach-controller', lastS: 1498 });
        c.event(pod, { type: 'Normal', reason: 'SuccessfulAttachVolume', message: `AttachVolume.Attach succeeded for volume "${volume.metadata.name}"`, from: 'attachdetach-controller', lastS: 1390 });
      }
    }]),
  trap('scheduling', 'node_selector_mismatch', [sources.scheduler, sources.provisioners],
    ['StatefulSet orchard/press', 'its claim waits for a consumer that is never placed', (c, at) => {
      const claim = c.add('v1', 'PersistentVolumeClaim', { name: 'data-press-0', namespace: at.namespace }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', resources: { requests: { storage: '5Gi' } } }, status: { phase: 'Pending' } }, 2600);
      c.event(claim, { type: 'Normal', reason: 'WaitForPodScheduled', message: 'waiting for pod press-0 to be scheduled', from: 'persistentvolume-controller', count: 170, lastS: 8, firstS: 2590 });
      unschedulable(c, c.workload(at, { ...fresh, ...onClaim('data-press-0', '/data', { pod: { nodeSelector: { disk: 'nvme' } } }) }), schedulingMessage(c, affinityReason));
    }]),
];
