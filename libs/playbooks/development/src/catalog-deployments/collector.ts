import { describeRef, listOf, numberOf, printable, textOf, valueIn, type KubeObject, type ObjectRef, type Owner } from '@larry/contracts';
import { controllerOf } from '@larry/kube';
import { assetId, type Asset } from '../inventory';
import { isDerived } from './count';
import { objectReferences, podLabelsOf, textMap } from './object-references';
import { unique } from './pod-references';

/** An asset with what is needed until all objects are known. */
export interface CollectedAsset extends Asset {
  uid?: string;
  podLabels?: Record<string, string>;
  /** A Service's selector. */
  selector?: Record<string, string>;
}

interface PodGroup {
  count: number;
  ready: number;
  restarts: number;
  digests: Map<string, Set<string>>;
}

/** Controllers whose pods need nothing that their template does not say. */
const templated = ['ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'ReplicationController', 'Node'];
const maxLabels = 20;

/** Takes objects one by one and keeps of each what the inventory needs; pods are folded into what controls them. */
export class Collector {
  readonly assets: CollectedAsset[] = [];
  readonly namespaces = new Set<string>();
  /** What pods of an operator's own kind need: no template in Kubernetes' kinds says it. */
  readonly operated = new Map<string, Asset>();
  private readonly pods = new Map<string, PodGroup>();
  private readonly controllers = new Map<string, ObjectRef>();

  constructor(private readonly ownerOf: (object: KubeObject) => Owner) {}

  take(object: KubeObject): void {
    if (object.kind === 'Namespace') this.namespaces.add(printable(object.metadata.name, 100));
    else if (object.metadata.namespace) this.namespaces.add(printable(object.metadata.namespace, 100));
    const controller = controllerOf(object);
    if (object.kind === 'Pod' && controller && !templated.includes(controller.kind)) this.noteOperated(object, controller);
    if (object.kind === 'Pod') this.foldPod(object, controller?.uid ?? object.metadata.uid ?? '');
    if (!isDerived(object)) this.assets.push(compact(object, this.ownerOf(object)));
    else if (controller && object.metadata.uid && object.kind !== 'Pod') this.controllers.set(object.metadata.uid, controller);
  }

  /** The assets with their pods; to be called once, when everything was taken. */
  finish(): CollectedAsset[] {
    const groups = new Map<string, PodGroup>();
    for (const [uid, group] of this.pods) merge(groups, this.root(uid), group);
    for (const asset of this.assets) {
      const group = asset.uid === undefined ? undefined : groups.get(asset.uid);
      if (!group) continue;
      asset.pods = { count: group.count, ready: group.ready, restarts: group.restarts };
      asset.digests = Object.fromEntries([...group.digests].map(([image, digests]) => [image, [...digests].slice(0, 10)]));
    }
    return this.assets;
  }

  private root(uid: string): string {
    let at = uid;
    for (let depth = 0; depth < 5; depth++) {
      const above = this.controllers.get(at)?.uid;
      if (above === undefined) break;
      at = above;
    }
    return at;
  }

  private noteOperated(pod: KubeObject, controller: ObjectRef): void {
    const id = printable(assetId(controller), 600);
    const known = this.operated.get(id);
    const references = [...(known?.references ?? []), ...objectReferences(pod).references];
    const { apiVersion, kind, name } = controller;
    this.operated.set(id, { id, apiVersion, kind, name, owner: { kind: 'none' }, references: unique(references) });
  }

  private foldPod(pod: KubeObject, controller: string): void {
    const group = this.pods.get(controller) ?? { count: 0, ready: 0, restarts: 0, digests: new Map<string, Set<string>>() };
    this.pods.set(controller, group);
    group.count++;
    if (listOf(valueIn(pod, 'status', 'conditions')).some((c) => valueIn(c, 'type') === 'Ready' && valueIn(c, 'status') === 'True')) group.ready++;
    const specImages = new Map(listOf(valueIn(pod, 'spec', 'containers')).map((c) => [valueIn(c, 'name'), textOf(valueIn(c, 'image'))]));
    for (const status of listOf(valueIn(pod, 'status', 'containerStatuses'))) {
      group.restarts += numberOf(valueIn(status, 'restartCount')) ?? 0;
      const digest = /sha256:[0-9a-f]{64}/.exec(textOf(valueIn(status, 'imageID')) ?? '')?.[0];
      const image = specImages.get(valueIn(status, 'name')) ?? textOf(valueIn(status, 'image'));
      if (digest && image) addTo(group.digests, printable(image, 300), digest);
    }
  }
}

function merge(groups: Map<string, PodGroup>, key: string, group: PodGroup): void {
  const into = groups.get(key);
  if (!into) {
    groups.set(key, group);
    return;
  }
  into.count += group.count;
  into.ready += group.ready;
  into.restarts += group.restarts;
  for (const [image, digests] of group.digests) for (const digest of digests) addTo(into.digests, image, digest);
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}

function compact(object: KubeObject, owner: Owner): CollectedAsset {
  const { metadata, apiVersion, kind } = object;
  const ref = { apiVersion: printable(apiVersion, 150), kind: printable(kind, 100), ...(metadata.namespace ? { namespace: printable(metadata.namespace, 260) } : {}), name: printable(metadata.name, 260) };
  const { images, ports, references } = objectReferences(object);
  const labels = Object.entries(textMap(metadata.labels)).slice(0, maxLabels);
  const selector = kind === 'Service' ? textMap(valueIn(object, 'spec', 'selector')) : {};
  const podLabels = podLabelsOf(object);
  const replicas = replicasOf(object);
  const builtin = builtinOf(object);
  const release = releaseOf(object);
  const type = kind === 'Secret' || kind === 'Service' ? textOf(object['type'] ?? valueIn(object, 'spec', 'type')) : undefined;
  return {
    id: assetId(ref),
    ...ref,
    owner,
    ...(metadata.uid ? { uid: metadata.uid } : {}),
    ...(labels.length > 0 ? { labels: Object.fromEntries(labels.map(([k, v]) => [printable(k, 200), printable(v, 200)])) } : {}),
    ...(images.length > 0 ? { images } : {}),
    ...(references.length > 0 ? { references } : {}),
    ...(ports.length > 0 ? { ports } : {}),
    ...(replicas ? { replicas } : {}),
    ...(builtin ? { builtin } : {}),
    ...(release ? { release } : {}),
    ...(type ? { type: printable(type, 100) } : {}),
    ...(metadata.creationTimestamp ? { createdAt: metadata.creationTimestamp } : {}),
    ...(Object.keys(selector).length > 0 ? { selector } : {}),
    ...(podLabels ? { podLabels } : {}),
  };
}

function replicasOf(object: KubeObject): Asset['replicas'] {
  const status = (field: string) => numberOf(valueIn(object, 'status', field)) ?? 0;
  if (object['status'] === undefined) return undefined;
  if (object.kind === 'DaemonSet') return { desired: status('desiredNumberScheduled'), ready: status('numberReady') };
  if (!['Deployment', 'StatefulSet', 'ReplicaSet'].includes(object.kind)) return undefined;
  return { desired: numberOf(valueIn(object, 'spec', 'replicas')) ?? 1, ready: status('readyReplicas') };
}

/** Helm marks what it makes, also when Flux or Argo CD let it. */
function releaseOf({ metadata }: KubeObject): string | undefined {
  const name = textOf(valueIn(metadata, 'annotations', 'meta.helm.sh/release-name'));
  const namespace = textOf(valueIn(metadata, 'annotations', 'meta.helm.sh/release-namespace')) ?? metadata.namespace;
  return name === undefined ? undefined : printable(`${namespace ?? ''}/${name}`, 520);
}

/** What a cluster has by itself: nobody refers to it, and nobody shall clean it away. */
function builtinOf(object: KubeObject): string | undefined {
  const { kind, metadata } = object;
  const { name, namespace = '' } = metadata;
  if (kind === 'ConfigMap' && (name === 'kube-root-ca.crt' || ['kube-system', 'kube-public', 'kube-node-lease'].includes(namespace))) return 'kubernetes';
  if (kind === 'Secret' && /^(?:helm\.sh\/release|bootstrap\.kubernetes\.io|kubernetes\.io\/service-account-token)/.test(textOf(object['type']) ?? '')) {
    return String(object['type']).startsWith('helm') ? 'helm' : 'kubernetes';
  }
  if (kind === 'Secret' && namespace === 'kube-system') return 'kubernetes';
  if (kind === 'ConfigMap' && name.startsWith('sh.helm.release.v1.')) return 'helm';
  if (kind === 'Service' && describeRef({ kind, namespace, name }) === 'Service default/kubernetes') return 'kubernetes';
  return undefined;
}
