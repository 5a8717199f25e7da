import { ApiError } from '../api-client';
import { Controller, type ClientContext } from '../controller';
import { keyOf, kinds } from '../kinds';
import { isTerminating } from '../pod-state';
import { parseAmount } from '../quantity';
import { writeStatus } from '../status-patch';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../types';
import { remove } from './pod-control';

const selectedNode = 'volume.kubernetes.io/selected-node';

/**
 * Binds claims to volumes: to a fitting free one, or to one made for it where its class names
 * `rancher.io/local-path`. A class that waits for the first consumer binds when the scheduler has chosen a node.
 */
export class ClaimBinder extends Controller {
  private readonly claims = this.watch(kinds.claims);
  private readonly volumes = this.watchFor(kinds.volumes, (volume) => [volume.spec.claimRef ? `${volume.spec.claimRef.namespace}/${volume.spec.claimRef.name}` : '', `pv:${volume.metadata.name}`]);
  private readonly classes = this.context.informers.of(kinds.storageClasses);

  constructor(context: ClientContext) {
    super(context, 'persistentvolume-binder');
    this.classes.onChange(() => this.claims.all().forEach((claim) => this.enqueue(keyOf(claim))));
    this.claims.onChange((change) => {
      if (change.type === 'deleted' && change.object.spec.volumeName) this.enqueue(`pv:${change.object.spec.volumeName}`);
    });
  }

  protected async sync(key: string): Promise<void> {
    if (key.startsWith('pv:')) return this.reclaim(key.slice(3));
    const claim = this.claims.get(key);
    if (!claim || isTerminating(claim)) return;
    const volume = claim.spec.volumeName ? this.volumes.get(claim.spec.volumeName) : await this.findOrMake(claim);
    if (volume) await this.bind(claim, volume);
    else if (!claim.status?.phase) await writeStatus(this.context, kinds.claims, claim, { ...claim.status, phase: 'Pending' });
  }

  private async findOrMake(claim: PersistentVolumeClaim): Promise<PersistentVolume | undefined> {
    const reserved = this.volumes.all().find((volume) => volume.spec.claimRef && belongs(volume, claim));
    if (reserved) return reserved;
    const storageClass = this.classes.get(claim.spec.storageClassName ?? '');
    const free = this.volumes.all().find((volume) => !volume.spec.claimRef && fits(volume, claim));
    const waits = storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && !claim.metadata.annotations?.[selectedNode];
    if (waits) return undefined;
    if (free) return free;
    if (storageClass?.provisioner === 'rancher.io/local-path') return this.provision(claim, storageClass);
    if (!claim.spec.storageClassName) this.say(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
    else if (!storageClass) this.say(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${claim.spec.storageClassName}" not found`);
    else this.say(claim, 'Normal', 'ExternalProvisioning', `Waiting for a volume to be created either by the external provisioner '${storageClass.provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`);
    return undefined;
  }

  private async provision(claim: PersistentVolumeClaim, storageClass: StorageClass): Promise<PersistentVolume> {
    const name = `pvc-${claim.metadata.uid}`;
    const node = claim.metadata.annotations?.[selectedNode];
    const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }];
    const volume: PersistentVolume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': storageClass.provisioner } },
      spec: {
        capacity: { storage: claim.spec.resources?.requests?.storage ?? '1Gi' },
        accessModes: claim.spec.accessModes,
        storageClassName: storageClass.metadata.name,
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
        volumeMode: 'Filesystem',
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: claim.metadata.namespace ?? '', name: claim.metadata.name, uid: claim.metadata.uid },
        hostPath: { path: `/var/lib/rancher/k3s/storage/${name}_${claim.metadata.namespace}_${claim.metadata.name}`, type: 'DirectoryOrCreate' },
        ...(node ? { nodeAffinity: { required: { nodeSelectorTerms: terms } } } : {}),
      },
    };
    try {
      const made = this.volumes.observe(await this.context.api.create(kinds.volumes, volume));
      this.say(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`);
      return made;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return this.context.api.get(kinds.volumes, undefined, name);
      throw error;
    }
  }

  private async bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    let bound = volume;
    if (volume.spec.claimRef?.uid !== claim.metadata.uid) {
      if (volume.spec.claimRef && !belongs(volume, claim)) return;
      const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: claim.metadata.namespace, name: claim.metadata.name, uid: claim.metadata.uid };
      bound = this.volumes.observe(await this.context.api.patch(kinds.volumes, volume, { metadata: { resourceVersion: volume.metadata.resourceVersion }, spec: { claimRef } }));
    }
    if (bound.status?.phase !== 'Bound') await writeStatus(this.context, kinds.volumes, bound, { ...bound.status, phase: 'Bound' });
    let mine = claim;
    if (!claim.spec.volumeName) {
      const annotations = { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' };
      const patch = { metadata: { uid: claim.metadata.uid, annotations }, spec: { volumeName: volume.metadata.name } };
      mine = this.claims.observe(await this.context.api.patch(kinds.claims, claim, patch));
    }
    await writeStatus(this.context, kinds.claims, mine, { ...mine.status, phase: 'Bound', accessModes: volume.spec.accessModes, capacity: volume.spec.capacity });
  }

  /** What happens to a volume whose claim is gone: deleted, or kept and marked released. */
  private async reclaim(name: string): Promise<void> {
    const volume = this.volumes.get(name);
    const ref = volume?.spec.claimRef;
    if (!volume || isTerminating(volume)) return;
    if (!ref?.uid) {
      if (!volume.status?.phase || volume.status.phase === 'Pending') await writeStatus(this.context, kinds.volumes, volume, { ...volume.status, phase: 'Available' });
      return;
    }
    const claim = this.claims.get(`${ref.namespace}/${ref.name}`);
    if (claim?.metadata.uid === ref.uid || volume.status?.phase === undefined) return;
    if (volume.spec.persistentVolumeReclaimPolicy === 'Delete') await remove(this.context, kinds.volumes, volume);
    else await writeStatus(this.context, kinds.volumes, volume, { ...volume.status, phase: 'Released' });
  }

  private say(claim: PersistentVolumeClaim, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.context.events.record(claim, type, reason, message, 'persistentvolume-controller');
  }
}

function belongs(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const ref = volume.spec.claimRef;
  return ref?.name === claim.metadata.name && ref.namespace === claim.metadata.namespace && (!ref.uid || ref.uid === claim.metadata.uid);
}

function fits(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (
    (volume.spec.storageClassName ?? '') === (claim.spec.storageClassName ?? '') &&
    (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode)) &&
    parseAmount(volume.spec.capacity?.storage) >= parseAmount(claim.spec.resources?.requests?.storage)
  );
}
