import { Controller, type ClientContext } from '../controller';
import { kinds, keyOf } from '../kinds';
import { isFinished, isTerminating } from '../pod-state';
import type { Pod } from '../types';
import { endDisrupted } from './pod-disruption';

/** Ends the pods that no kubelet can end: of nodes that are gone, and deleted ones that never came to a node. */
export class PodGarbageCollector extends Controller {
  private readonly pods = this.watch(kinds.pods);
  private readonly nodes = this.watchFor(kinds.nodes, (node) => this.pods.all().filter((pod) => pod.spec.nodeName === node.metadata.name).map(keyOf));

  constructor(context: ClientContext) {
    super(context, 'pod-garbage-collector');
  }

  protected async sync(key: string): Promise<void> {
    const pod = this.pods.get(key);
    if (!pod) return;
    if (pod.spec.nodeName) {
      if (!this.nodes.get(pod.spec.nodeName)) await this.end(pod, { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' });
    } else if (isTerminating(pod)) {
      await this.end(pod, undefined);
    }
  }

  private async end(pod: Pod, why: { reason: string; message: string } | undefined): Promise<void> {
    if (isFinished(pod) && isTerminating(pod)) return;
    await endDisrupted(this.context, pod, isFinished(pod) ? undefined : why, !isFinished(pod));
  }
}
