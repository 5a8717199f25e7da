import { describeRef, groupOf, type KubeObject } from '@larry/contracts';
import type { PodNames } from './facts';
import { podViewOf, type PodView } from './pod-view';
import type { Subject } from './rules/family';

/** Pods named for one workload; the rest is counted. */
const maxNamed = 20;
const maxGroups = 100_000;

/**
 * Knows which workload stands for a pod: what was listed before and controls it, all the way up. Kinds come in the order
 * of `podKinds`, owners first, so that a pod whose owner the source does not have is judged itself.
 */
export class Workloads {
  private readonly roots = new Map<string, string>();
  readonly podsOf = new Map<string, PodNames>();

  /** How an object of one of the pod kinds is to be judged; `view` is undefined where its owner's template says it all. */
  meet(object: KubeObject, namespace: string, subject: () => Subject): { root: string; view?: PodView } {
    const self = keyOf(object.apiVersion, object.kind, namespace, object.metadata.name);
    const controller = object.metadata.ownerReferences?.find((o) => o.controller === true);
    const ownerKey = controller && keyOf(controller.apiVersion, controller.kind, namespace, controller.name);
    const root =
      (ownerKey !== undefined && this.roots.get(ownerKey)) ||
      describeRef({ kind: object.kind, namespace, name: object.metadata.name });
    const covered = ownerKey !== undefined && this.roots.has(ownerKey);
    if (object.kind === 'Pod') this.count(root, object.metadata.name, covered);
    else this.roots.set(self, root);
    const onlyEphemeral = covered && object.kind === 'Pod' && hasEphemeral(object);
    if (covered && !onlyEphemeral) return { root };
    const group = !covered && controller ? `${controller.kind} ${namespace}/${controller.name}` : undefined;
    const view = podViewOf(object, { namespace, subject, root, onlyEphemeral, ...(group ? { group } : {}) });
    return { root, ...(view ? { view } : {}) };
  }

  private count(root: string, name: string, covered: boolean): void {
    if (!covered || this.podsOf.size > maxGroups) return;
    const pods = this.podsOf.get(root) ?? { count: 0, names: [] };
    this.podsOf.set(root, pods);
    pods.count += 1;
    if (pods.names.length < maxNamed) pods.names.push(name);
  }
}

function keyOf(apiVersion: string, kind: string, namespace: string, name: string): string {
  return `${groupOf(apiVersion)}/${kind} ${namespace}/${name}`;
}

function hasEphemeral(pod: KubeObject): boolean {
  const containers = (pod['spec'] as { ephemeralContainers?: unknown } | undefined)?.ephemeralContainers;
  return Array.isArray(containers) && containers.length > 0;
}
