import type { KubeObject } from '@larry/contracts';
import { Chance } from './chance';
import { dressLogs, dressOwners } from './dress';
import { settleEndpoints } from './endpoints';
import { aKubeEvent, type EventParts } from './events';
import { isLost, lease, makeNodes, markPods, quickStart, versions, type Flavour } from './nodes';
import type { Node, Pod, PodSpec, Service, ServicePort, Target } from './objects';
import { runningPod } from './pods';
import { settleWorkload } from './settle';
import { podSpec, mainName, workloadVersions, type Workload, type WorkloadSpec } from './workload';

/** Measurements beside a snapshot, as `probes.json` holds them. */
export interface ProbeResults {
  kind: 'ProbeResults';
  version: 1;
  connectivity?: { namespace: string; service: string; port: number; fromNode?: string; connected: boolean; address?: string; targetPort?: number; timedOut?: boolean }[];
  nodeServices?: { node: string; service: string; active: boolean; sub: string; error?: string; log: string[] }[];
  metricAnomalies?: { kind: 'Service' | 'Node'; name: string; window: string; evidence: string[] }[];
}

/** Everything that a diagnosis is given of one case. */
export interface World {
  objects: KubeObject[];
  /** By `namespace/pod/container`, with `:previous` behind it for the run before. */
  logs: Record<string, string[]>;
  probes?: ProbeResults;
  takenAt: string;
  serverVersion: string;
}

const day = 86_400;

/** A cluster being built: healthy until a case does something to it. Times are told as seconds before the snapshot. */
export class Cluster {
  readonly chance: Chance;
  readonly version: string;
  readonly mastersTainted: boolean;
  readonly nodes: Node[];
  readonly workloads: Workload[] = [];
  readonly services: Service[] = [];
  readonly events: KubeObject[] = [];
  readonly logs: Record<string, string[]> = {};
  probes?: ProbeResults;
  private readonly others: KubeObject[] = [];
  private readonly namespaces = new Map<string, KubeObject>();
  private readonly now: number;
  private placed = 0;

  constructor(
    seed: string,
    readonly flavour: Flavour = quickStart,
  ) {
    this.chance = new Chance(seed);
    this.now = Date.UTC(2026, this.chance.int(2, 9), this.chance.int(1, 28), this.chance.int(0, 23), this.chance.int(0, 59), this.chance.int(0, 59));
    this.version = this.chance.pick(versions).replace(flavour.kubeadm ? '+k3s1' : /$/, '');
    this.mastersTainted = this.chance.next() < 0.5 || flavour.kubeadm;
    const { names } = flavour;
    const { nodes, leases } = makeNodes(this.chance, names, this.version, this.mastersTainted, (s) => this.ago(s));
    this.nodes = nodes;
    this.others.push(...leases);
    for (const component of ['kube-scheduler', 'kube-controller-manager']) {
      this.others.push(lease('kube-system', component, `${this.chance.pick(names.slice(0, 2))}_${this.chance.uid()}`, this.ago(1), 15));
    }
    for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) this.namespace(name);
    this.add('storage.k8s.io/v1', 'StorageClass', { name: 'local-path' }, { provisioner: 'rancher.io/local-path', reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer', metadataAnnotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } });
  }

  /** The time so many seconds before the snapshot, as the API writes it. */
  ago(seconds: number): string {
    return new Date(this.now - seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  /** The scheduler and the kubelets that word their messages as Kubernetes 1.34 and newer do. */
  get recent(): boolean {
    return Number(/^v1\.(\d+)/.exec(this.version)?.[1]) >= 34;
  }

  node(name: string): Node {
    const found = this.nodes.find((node) => node.metadata.name === name);
    if (!found) throw new Error(`eval: no node ${name}`);
    return found;
  }

  /** A namespace with what every one has; `bare` without, as when its content has been deleted. */
  namespace(name: string, bare = false): KubeObject {
    const known = this.namespaces.get(name);
    if (known) return known;
    const made = this.make('v1', 'Namespace', { name }, { metadataLabels: { 'kubernetes.io/metadata.name': name }, status: { phase: 'Active' } }, 20 * day);
    this.namespaces.set(name, made);
    this.keep(made);
    if (bare) return made;
    this.add('v1', 'ServiceAccount', { name: 'default', namespace: name });
    this.add('v1', 'ConfigMap', { name: 'kube-root-ca.crt', namespace: name }, { data: { 'ca.crt': '(certificate)' } });
    return made;
  }

  /** Any other object; `metadataLabels` and `metadataAnnotations` go to its metadata, the rest stands at its top. */
  add(apiVersion: string, kind: string, at: { name: string; namespace?: string }, fields: Record<string, unknown> = {}, ageS = 20 * day): KubeObject {
    if (at.namespace !== undefined) this.namespace(at.namespace);
    return this.keep(this.make(apiVersion, kind, at, fields, ageS));
  }

  /** Puts an object into the snapshot as it is. */
  keep(object: KubeObject): KubeObject {
    this.others.push(object);
    return object;
  }

  private make(apiVersion: string, kind: string, at: { name: string; namespace?: string }, fields: Record<string, unknown>, ageS: number): KubeObject {
    const { metadataLabels, metadataAnnotations, ownerReferences, ...rest } = fields;
    return {
      apiVersion,
      kind,
      metadata: {
        ...at,
        uid: this.chance.uid(),
        resourceVersion: String(this.chance.int(100_000, 9_000_000)),
        creationTimestamp: this.ago(ageS),
        ...(metadataLabels ? { labels: metadataLabels } : {}),
        ...(metadataAnnotations ? { annotations: metadataAnnotations } : {}),
        ...(ownerReferences ? { ownerReferences } : {}),
      },
      ...rest,
    } as KubeObject;
  }

  /** Is there already something of that kind and name? */
  has({ kind, namespace, name }: Target): boolean {
    return this.workloads.some(({ target }) => target.kind === kind && target.namespace === namespace && target.name === name);
  }

  /** A healthy workload with its controllers and pods. */
  workload(at: Target, spec: WorkloadSpec = {}): Workload {
    const namespace = at.namespace ?? 'default';
    this.namespace(namespace);
    const { name, kind } = at;
    const labels = { app: name, ...spec.labels };
    const template = podSpec(name, spec);
    if (kind === 'Job' || kind === 'CronJob') template['restartPolicy'] = spec.pod?.['restartPolicy'] ?? 'Never';
    const root = this.make(workloadVersions[kind] ?? 'v1', kind, { name, namespace }, { metadataLabels: labels, metadataAnnotations: { ...(kind === 'Deployment' ? { 'deployment.kubernetes.io/revision': '4' } : {}), ...spec.annotations } }, spec.ageS ?? 9 * day);
    const workload: Workload = { target: { kind, namespace, name }, spec, root, controller: root, template, labels, pods: [], main: mainName(name) };
    this.workloads.push(workload);
    this.fillIn(workload);
    const service = spec.service ?? (kind === 'Deployment' || kind === 'StatefulSet');
    if (service && spec.port !== 0) this.service({ namespace, name }, labels, [{ name: 'http', port: 80, targetPort: spec.port ?? 8080 }]);
    return workload;
  }

  service(at: { namespace: string; name: string }, selector: Record<string, string> | undefined, ports: ServicePort[], spec: Record<string, unknown> = {}): Service {
    this.namespace(at.namespace);
    const service = this.make('v1', 'Service', at, { metadataLabels: { app: at.name } }, 9 * day) as Service;
    const clusterIP = `10.43.${this.chance.int(0, 250)}.${this.chance.int(2, 250)}`;
    service.spec = {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ...(selector ? { selector } : {}),
      ports: ports.map((port) => ({ protocol: 'TCP', targetPort: port.port, ...port })),
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      ...spec,
    };
    // Some types of Service have no address: `spec` says so with undefined.
    for (const [key, value] of Object.entries(service.spec)) if (value === undefined) delete service.spec[key];
    this.services.push(service);
    return service;
  }

  serviceOf(workload: Workload): Service {
    const found = this.services.find(({ metadata }) => metadata.namespace === workload.target.namespace && metadata.name === workload.target.name);
    if (!found) throw new Error(`eval: no service for ${workload.target.name}`);
    return found;
  }

  event(about: KubeObject, parts: EventParts): KubeObject {
    const event = aKubeEvent(this.chance, (s) => this.ago(s), about, parts);
    this.events.push(event);
    return event;
  }

  log(pod: Pod, container: string, lines: readonly string[], previous = false): void {
    this.logs[`${pod.metadata.namespace}/${pod.metadata.name}/${container}${previous ? ':previous' : ''}`] = [...lines];
  }

  /** A lease that was last renewed so long ago; `holder` also says whose it was. */
  staleLease(name: string, renewedS: number, namespace = 'kube-node-lease', holder?: string): void {
    const found = this.others.find(({ kind, metadata }) => kind === 'Lease' && metadata.namespace === namespace && metadata.name === name);
    Object.assign((found?.['spec'] ?? {}) as object, { renewTime: this.ago(renewedS).replace('Z', '.104882Z'), ...(holder === undefined ? {} : { holderIdentity: holder }) });
  }

  /** One more pod of a workload; running and ready. */
  addPod(workload: Workload, ordinal: number, controller = workload.controller, template: PodSpec = workload.template): Pod {
    const { spec, target, labels } = workload;
    const well = this.nodes.slice(3).filter((node) => !isLost(node));
    const workers = well.length > 0 ? well : this.nodes.slice(3);
    const daemonNode = this.nodes[ordinal % this.nodes.length];
    const node = spec.nodes?.[ordinal] ? this.node(spec.nodes[ordinal]) : target.kind === 'DaemonSet' ? daemonNode : workers[this.placed++ % workers.length];
    if (!node) throw new Error('eval: no node for a pod');
    const podAgeS = spec.podAgeS ?? spec.ageS ?? 9 * day;
    const index = this.nodes.indexOf(node);
    const hash = controller.metadata.labels?.['pod-template-hash'];
    const pod = runningPod(this.chance, {
      name: podName(target.kind, controller.metadata.name, ordinal, this.chance),
      namespace: target.namespace,
      labels: { ...labels, ...(hash === undefined ? {} : { 'pod-template-hash': hash }), ...(target.kind === 'StatefulSet' ? { 'apps.kubernetes.io/pod-index': String(ordinal) } : {}) },
      template,
      nodeName: node.metadata.name,
      hostIP: `192.168.50.${11 + index}`,
      podIP: `10.42.${index}.${this.chance.int(4, 250)}`,
      createdAt: this.ago(podAgeS),
      startedAt: this.ago(podAgeS - 4),
      ...(target.kind === 'Pod' ? {} : { owner: { apiVersion: controller.apiVersion, kind: controller.kind, name: controller.metadata.name, uid: controller.metadata.uid ?? '' } }),
    });
    this.log(pod, pod.spec.containers[0]?.name ?? '', [`${this.ago(podAgeS - 5)} INFO starting ${target.name}`, `${this.ago(podAgeS - 6)} INFO ready to serve`]);
    return pod;
  }

  /** The snapshot: statuses of controllers and endpoints follow from the pods as they are now. */
  build(): World {
    dressLogs(this.chance, this.workloads, this.logs);
    dressOwners(this.chance, this.workloads);
    const pods = this.workloads.flatMap((workload) => workload.pods);
    for (const node of this.nodes) markPods(node, pods);
    const owned = this.workloads.flatMap((workload) => settleWorkload(workload, (s) => this.ago(s)));
    const endpoints = settleEndpoints(this.services, pods, this.chance);
    const objects = [...this.nodes, ...this.others, ...this.services, ...endpoints, ...new Set([...owned, ...pods]), ...this.events];
    return { objects, logs: this.logs, ...(this.probes ? { probes: this.probes } : {}), takenAt: this.ago(0), serverVersion: this.version };
  }

  private fillIn(workload: Workload): void {
    const { target, spec, root, template, labels } = workload;
    const meta = { labels };
    const replicas = spec.replicas ?? (target.kind === 'Deployment' ? 2 : 1);
    const count = spec.pods ?? (target.kind === 'DaemonSet' ? this.nodes.length : replicas);
    const selector = { matchLabels: { app: target.name } };
    if (target.kind === 'CronJob') {
      root['spec'] = { schedule: '*/30 * * * *', concurrencyPolicy: 'Forbid', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1, jobTemplate: { spec: { backoffLimit: 4, template: { metadata: meta, spec: template } } }, ...spec.spec };
      workload.controller = this.childJob(workload);
    } else if (target.kind === 'Job') {
      root['spec'] = { backoffLimit: 4, completions: 1, parallelism: 1, template: { metadata: meta, spec: template }, ...spec.spec };
    } else if (target.kind !== 'Pod') {
      root['spec'] = {
        ...(target.kind === 'DaemonSet' ? {} : { replicas }),
        selector,
        template: { metadata: meta, spec: template },
        ...(target.kind === 'Deployment' ? { strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } }, progressDeadlineSeconds: 600, revisionHistoryLimit: 10 } : {}),
        ...(target.kind === 'StatefulSet' ? { serviceName: target.name, podManagementPolicy: 'OrderedReady' } : {}),
        ...spec.spec,
      };
    }
    if (target.kind === 'Deployment') workload.controller = this.replicaSet(workload, replicas);
    for (let i = 0; i < count; i += 1) workload.pods.push(this.addPod(workload, i));
    if (target.kind === 'Pod' && workload.pods[0]) {
      workload.pods[0].metadata.name = target.name;
      workload.root = workload.controller = workload.pods[0];
    }
  }

  /** A ReplicaSet of a Deployment with a template hash of its own; the one in force has revision 4 unless told otherwise. */
  replicaSet(workload: Workload, replicas: number, { ageS = workload.spec.podAgeS ?? workload.spec.ageS ?? 9 * day, template = workload.template, revision = 4 }: { ageS?: number; template?: PodSpec; revision?: number } = {}): KubeObject {
    const { root, labels, target } = workload;
    const hash = this.chance.name(10);
    const own = { ...labels, 'pod-template-hash': hash };
    return this.make(
      'apps/v1',
      'ReplicaSet',
      { name: `${target.name}-${hash}`, namespace: target.namespace },
      {
        metadataLabels: own,
        metadataAnnotations: { 'deployment.kubernetes.io/revision': String(revision), 'deployment.kubernetes.io/desired-replicas': String(replicas) },
        ownerReferences: [{ apiVersion: root.apiVersion, kind: root.kind, name: root.metadata.name, uid: root.metadata.uid, controller: true, blockOwnerDeletion: true }],
        spec: { replicas, selector: { matchLabels: own }, template: { metadata: { labels: own }, spec: template } },
      },
      ageS,
    );
  }

  private childJob(workload: Workload): KubeObject {
    const { root, target, template, spec } = workload;
    const ageS = spec.podAgeS ?? 1500;
    return this.make('batch/v1', 'Job', { name: `${target.name}-${29_000_000 + this.chance.int(0, 900_000)}`, namespace: target.namespace }, {
      metadataLabels: workload.labels,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: root.metadata.name, uid: root.metadata.uid, controller: true, blockOwnerDeletion: true }],
      spec: { backoffLimit: 4, completions: 1, parallelism: 1, template: { metadata: { labels: workload.labels }, spec: template } },
    }, ageS);
  }
}

function podName(kind: string, owner: string, ordinal: number, chance: Chance): string {
  return kind === 'StatefulSet' ? `${owner}-${ordinal}` : kind === 'Pod' ? owner : `${owner}-${chance.name(5)}`;
}
