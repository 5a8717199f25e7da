import { Controller, type ClientContext } from '../controller';
import { kinds, keyOf } from '../kinds';
import { isFinished, isTerminating } from '../pod-state';
import type { Pod } from '../types';
import { endDisrupted } from './pod-disruption';

/**
 * Ends the pods that no kubelet can end: of nodes that were here and are gone, and deleted ones that never came to a node.
 * A node that never was here is left alone: somebody else may be its kubelet, as in our tests.
 */
export class PodGarbageCollector extends Controller {
  private readonly pods = this.watch(kinds.pods);
  private readonly nodes = this.watchFor(kinds.nodes, (node) => this.pods.all().filter((pod) => pod.spec.nodeName === node.metadata.name).map(keyOf));

  private readonly known = new Set<string>();

  constructor(context: ClientContext) {
    super(context, 'pod-garbage-collector');
    this.nodes.onChange(({ type, object }) => {
      if (type !== 'deleted') this.known.add(object.metadata.name);
    });
  }

  protected async sync(key: string): Promise<void> {
    const pod = this.pods.get(key);
    if (!pod) return;
    if (pod.spec.nodeName) {
      if (this.known.has(pod.spec.nodeName) && !this.nodes.get(pod.spec.nodeName)) await this.end(pod, { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' });
    } else if (isTerminating(pod)) {
      await this.end(pod, undefined);
    }
  }

  private async end(pod: Pod, why: { reason: string; message: string } | undefined): Promise<void> {
    if (isFinished(pod) && isTerminating(pod)) return;
    await endDisrupted(this.context, pod, isFinished(pod) ? undefined : why, !isFinished(pod));
  }
}
