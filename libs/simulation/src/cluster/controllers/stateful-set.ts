import { Controller, type ClientContext } from '../controller';
import { kinds } from '../kinds';
import { isFinished, isReady, isTerminating, msUntilAvailable } from '../pod-state';
import { writeStatus } from '../status-patch';
import { podFrom } from '../template';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../types';
import { DependentControl, ownersOf } from './pod-control';
import { currentRevision, forgetRevisions } from './revisions';

const revisionLabel = 'controller-revision-hash';

/** Pods with stable names and claims, made in order from the first and updated in order from the last. */
export class StatefulSetController extends Controller {
  private readonly sets = this.watch(kinds.statefulSets);
  private readonly pods = this.watchFor(kinds.pods, (pod) => ownersOf(pod, this.sets));
  private readonly claims = this.context.informers.of(kinds.claims);
  private readonly revisions = this.context.informers.of(kinds.controllerRevisions);
  private readonly control = new DependentControl(this.context, 'statefulset-controller');

  constructor(context: ClientContext) {
    super(context, 'statefulset');
  }

  protected async sync(key: string): Promise<void> {
    const set = this.sets.get(key);
    if (!set) return;
    const pods = await this.control.claim(set, set.spec.selector, this.pods);
    if (isTerminating(set)) return;
    const revision = await currentRevision(this.context, this.control, set);
    await this.manage(set, pods, revision.name);
    const after = this.pods.ownedBy(set.metadata.uid ?? '');
    await this.report(set, after, revision.name);
    const inUse = new Set([revision.name, String(set.status?.currentRevision), ...after.map((pod) => pod.metadata.labels?.[revisionLabel] ?? '')]);
    await forgetRevisions(this.context, set, revision.all, inUse);
  }

  /** One thing at a time for `OrderedReady`: the next sync does the next. */
  private async manage(set: StatefulSet, pods: Pod[], revision: string): Promise<void> {
    const ordered = set.spec.podManagementPolicy !== 'Parallel';
    const start = set.spec.ordinals?.start ?? 0;
    const end = start + (set.spec.replicas ?? 1);
    const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]));
    for (let ordinal = start; ordinal < end; ordinal += 1) {
      const pod = byOrdinal.get(ordinal);
      if (pod && isFinished(pod) && !isTerminating(pod)) await this.control.deletePod(set, pod);
      else if (!pod) await this.createPod(set, ordinal, this.revisionFor(set, ordinal, start, revision));
      const now = this.pods.get(`${set.metadata.namespace}/${podName(set, ordinal)}`);
      if (ordered && !(now && this.isAvailable(set, now))) return;
    }
    const condemned = pods.filter((pod) => ordinalOf(set, pod) < start || ordinalOf(set, pod) >= end);
    condemned.sort((a, b) => ordinalOf(set, b) - ordinalOf(set, a));
    for (const pod of condemned) {
      await this.control.deletePod(set, pod);
      if (ordered) return;
    }
    await this.update(set, byOrdinal, { start, end }, revision);
  }

  /** Replaces outdated pods from the last ordinal down to the partition, waiting for each. */
  private async update(set: StatefulSet, byOrdinal: Map<number, Pod>, range: { start: number; end: number }, revision: string): Promise<void> {
    if (set.spec.updateStrategy?.type === 'OnDelete') return;
    const partition = range.start + (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
    for (let ordinal = range.end - 1; ordinal >= partition; ordinal -= 1) {
      const pod = byOrdinal.get(ordinal);
      if (!pod || isTerminating(pod)) return;
      if (pod.metadata.labels?.[revisionLabel] !== revision) {
        await this.control.deletePod(set, pod);
        return;
      }
      if (!this.isAvailable(set, pod)) return;
    }
  }

  /** Ordinals below the partition are made anew from the revision that is current, where it is still known. */
  private revisionFor(set: StatefulSet, ordinal: number, start: number, update: string): string {
    const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
    const current = set.status?.currentRevision;
    return ordinal < start + partition && typeof current === 'string' ? current : update;
  }

  private async createPod(set: StatefulSet, ordinal: number, revision: string): Promise<void> {
    const stored = this.revisions.get(`${set.metadata.namespace}/${revision}`)?.data as { spec?: { template?: StatefulSet['spec']['template'] } } | undefined;
    const name = podName(set, ordinal);
    const labels = { [revisionLabel]: revision, 'statefulset.kubernetes.io/pod-name': name, 'apps.kubernetes.io/pod-index': String(ordinal) };
    const pod = podFrom(set, stored?.spec?.template ?? set.spec.template, { name }, { labels });
    pod.spec.hostname = name;
    if (set.spec.serviceName) pod.spec.subdomain = set.spec.serviceName;
    const own = (set.spec.volumeClaimTemplates ?? []).map((claim) => ({ name: claim.metadata.name, persistentVolumeClaim: { claimName: `${claim.metadata.name}-${name}` } }));
    pod.spec.volumes = [...own, ...(pod.spec.volumes ?? []).filter((volume) => !own.some((claim) => claim.name === volume.name))];
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const claimName = `${template.metadata.name}-${name}`;
      if (this.claims.get(`${set.metadata.namespace}/${claimName}`)) continue;
      const claim = {
        ...structuredClone(template),
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claimName, namespace: set.metadata.namespace, labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels } },
        status: undefined,
      } as unknown as PersistentVolumeClaim;
      this.claims.observe(await this.context.api.create(kinds.claims, claim, set.metadata.namespace));
      this.control.say(set, 'Normal', 'SuccessfulCreate', `create Claim ${claimName} Pod ${name} in StatefulSet ${set.metadata.name} success`);
    }
    await this.control.create(kinds.pods, set, pod, true);
    this.control.say(set, 'Normal', 'SuccessfulCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  }

  private isAvailable(set: StatefulSet, pod: Pod): boolean {
    if (isTerminating(pod)) return false;
    const wait = msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, this.context.clock);
    if (wait > 0 && wait < Infinity) this.enqueueAfter(`${set.metadata.namespace}/${set.metadata.name}`, wait);
    return wait === 0;
  }

  private async report(set: StatefulSet, pods: Pod[], revision: string): Promise<void> {
    const live = pods.filter((pod) => !isTerminating(pod));
    const count = (of: string) => live.filter((pod) => pod.metadata.labels?.[revisionLabel] === of).length;
    const updated = count(revision);
    const old = typeof set.status?.currentRevision === 'string' ? set.status.currentRevision : revision;
    const desired = set.spec.replicas ?? 1;
    const done = updated === desired && live.filter(isReady).length === desired;
    const current = done ? revision : old;
    await writeStatus(this.context, kinds.statefulSets, set, {
      ...set.status,
      observedGeneration: set.metadata.generation,
      replicas: live.length,
      readyReplicas: live.filter(isReady).length || undefined,
      availableReplicas: live.filter((pod) => this.isAvailable(set, pod)).length,
      currentReplicas: count(current) || undefined,
      updatedReplicas: updated || undefined,
      currentRevision: current,
      updateRevision: revision,
      collisionCount: set.status?.collisionCount ?? 0,
    });
  }
}

function podName(set: StatefulSet, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`;
}

function ordinalOf(set: StatefulSet, pod: Pod): number {
  const suffix = pod.metadata.name.slice(set.metadata.name.length + 1);
  return /^\d+$/.test(suffix) ? Number(suffix) : -1;
}
