import type { KubeObject } from '@larry/contracts';
import { ApiError } from '../api-client';
import { Controller, type ClientContext } from '../controller';
import { keyOf, kinds, type ResourceKind } from '../kinds';
import { isFinished, isTerminating } from '../pod-state';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';

/** Lets deleted claims go when no pod uses them any more, and deleted volumes when no claim does. */
export class StorageProtectionController extends Controller {
  private readonly claims = this.watch(kinds.claims);
  private readonly pods = this.watchFor(kinds.pods, (pod) =>
    (pod.spec.volumes ?? []).flatMap((volume) => (volume.persistentVolumeClaim ? [`${pod.metadata.namespace}/${volume.persistentVolumeClaim.claimName}`] : [])),
  );
  private readonly volumes = this.watch(kinds.volumes);

  constructor(context: ClientContext) {
    super(context, 'storage-protection');
  }

  protected async sync(key: string): Promise<void> {
    const claim = this.claims.get(key);
    if (claim && isTerminating(claim) && !this.isUsed(key)) await this.release(kinds.claims, claim, claimFinalizer);
    const volume = this.volumes.get(key);
    if (volume && isTerminating(volume) && !this.claims.get(keyOf({ metadata: volume.spec.claimRef ?? { name: '' } }))) await this.release(kinds.volumes, volume, volumeFinalizer);
  }

  private isUsed(key: string): boolean {
    const [namespace = '', name] = key.split('/');
    return this.pods.inNamespace(namespace).some((pod) => !isFinished(pod) && pod.spec.nodeName && pod.spec.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name));
  }

  private async release<T extends KubeObject>(kind: ResourceKind<T>, object: T, finalizer: string): Promise<void> {
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(finalizer)) return;
    const patch = { metadata: { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, finalizers: finalizers.filter((other) => other !== finalizer) } };
    await this.context.api.patch(kind, object, patch).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }
}
