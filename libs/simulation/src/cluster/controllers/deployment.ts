import { ApiError } from '../api-client';
import { Controller, type ClientContext } from '../controller';
import { kinds, keyOf } from '../kinds';
import { isFinished, isTerminating } from '../pod-state';
import { sameValue, shortHash, templateWithout, controllerReference } from '../template';
import { writeStatus } from '../status-patch';
import type { Deployment, ReplicaSet } from '../types';
import { deploymentStatus } from './deployment-status';
import { bounds, proportions, rollingPlan } from './deployment-plan';
import { DependentControl, ownersOf, remove } from './pod-control';

const hashLabel = 'pod-template-hash';
const revisionKey = 'deployment.kubernetes.io/revision';
const sizeKeys = { desired: 'deployment.kubernetes.io/desired-replicas', max: 'deployment.kubernetes.io/max-replicas' };

/** Moves a Deployment's pods from template to template through ReplicaSets, one for each template. */
export class DeploymentController extends Controller {
  private readonly deployments = this.watch(kinds.deployments);
  private readonly sets = this.watchFor(kinds.replicaSets, (set) => ownersOf(set, this.deployments));
  private readonly pods = this.watchFor(kinds.pods, (pod) => {
    const set = this.sets.get(`${pod.metadata.namespace}/${pod.metadata.ownerReferences?.find((o) => o.controller && o.kind === 'ReplicaSet')?.name}`);
    return set ? ownersOf(set, this.deployments) : [];
  });
  private readonly control = new DependentControl(this.context, 'deployment-controller');

  constructor(context: ClientContext) {
    super(context, 'deployment');
  }

  protected async sync(key: string): Promise<void> {
    const deployment = this.deployments.get(key);
    if (!deployment) return;
    const sets = await this.control.claim(deployment, deployment.spec.selector, this.sets);
    if (!isTerminating(deployment)) await this.progress(deployment, sets);
    await this.report(key);
  }

  private async progress(deployment: Deployment, sets: ReplicaSet[]): Promise<void> {
    let current = this.currentOf(deployment, sets);
    const old = () => this.setsOf(deployment).filter((set) => set.metadata.uid !== current?.metadata.uid);
    if (deployment.spec.paused || this.isScaling(deployment, sets)) {
      await this.scaleAll(deployment, this.setsOf(deployment));
      return;
    }
    if (!current && deployment.spec.strategy?.type === 'Recreate' && !(await this.oldAreGone(deployment, sets))) return;
    current = current ? await this.markRevision(deployment, current, sets) : await this.createCurrent(deployment, sets);
    if (!current) return;
    if (deployment.spec.strategy?.type === 'Recreate') {
      if (await this.oldAreGone(deployment, old())) await this.scale(deployment, current, deployment.spec.replicas ?? 1);
    } else {
      for (const step of rollingPlan(deployment, current, old())) await this.scale(deployment, step.set, step.replicas);
    }
    await this.forgetHistory(deployment, old());
  }

  private setsOf(deployment: Deployment): ReplicaSet[] {
    return this.sets.ownedBy(deployment.metadata.uid ?? '');
  }

  private currentOf(deployment: Deployment, sets: ReplicaSet[]): ReplicaSet | undefined {
    const wanted = templateWithout(deployment.spec.template, hashLabel);
    return sets
      .filter((set) => sameValue(templateWithout(set.spec.template, hashLabel), wanted))
      .sort((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))[0];
  }

  private async oldAreGone(deployment: Deployment, old: ReplicaSet[]): Promise<boolean> {
    for (const set of old) await this.scale(deployment, set, 0);
    return old.every((set) => this.pods.ownedBy(set.metadata.uid ?? '').every(isFinished));
  }

  /** Whether somebody changed `spec.replicas` since the sets were last sized: then they are resized in proportion. */
  private isScaling(deployment: Deployment, sets: ReplicaSet[]): boolean {
    return sets.some((set) => {
      const desired = set.metadata.annotations?.[sizeKeys.desired];
      return (set.spec.replicas ?? 0) > 0 && desired !== undefined && Number(desired) !== (deployment.spec.replicas ?? 1);
    });
  }

  private async scaleAll(deployment: Deployment, sets: ReplicaSet[]): Promise<void> {
    for (const { set, replicas } of proportions(deployment, sets, this.currentOf(deployment, sets))) await this.scale(deployment, set, replicas);
  }

  private async createCurrent(deployment: Deployment, sets: ReplicaSet[]): Promise<ReplicaSet | undefined> {
    const hash = shortHash(templateWithout(deployment.spec.template, hashLabel), deployment.status?.collisionCount);
    const revision = nextRevision(sets);
    const labels = { ...deployment.spec.template.metadata?.labels, [hashLabel]: hash };
    const set: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        namespace: deployment.metadata.namespace,
        labels,
        annotations: { ...inherited(deployment), ...sizes(deployment), [revisionKey]: String(revision) },
        ownerReferences: [controllerReference(deployment)],
      },
      spec: {
        replicas: 0,
        ...(deployment.spec.minReadySeconds ? { minReadySeconds: deployment.spec.minReadySeconds } : {}),
        selector: { ...deployment.spec.selector, matchLabels: { ...deployment.spec.selector.matchLabels, [hashLabel]: hash } },
        template: { ...deployment.spec.template, metadata: { ...deployment.spec.template.metadata, labels } },
      },
    };
    try {
      const made = await this.control.create(kinds.replicaSets, deployment, set, true);
      await this.annotateRevision(deployment, revision);
      return made;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) await this.resolveCollision(deployment, set);
      throw error;
    }
  }

  /** A set of this name exists that our cache does not know as ours: read it; if it is no set of ours, hash anew. */
  private async resolveCollision(deployment: Deployment, wanted: ReplicaSet): Promise<void> {
    const existing = this.sets.observe(await this.context.api.get(kinds.replicaSets, wanted.metadata.namespace, wanted.metadata.name));
    if (this.currentOf(deployment, [existing]) && existing.metadata.ownerReferences?.some((o) => o.uid === deployment.metadata.uid)) return;
    await writeStatus(this.context, kinds.deployments, deployment, { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 });
  }

  /** The current set carries the highest revision; one that comes back by `rollout undo` gets a new one. */
  private async markRevision(deployment: Deployment, current: ReplicaSet, sets: ReplicaSet[]): Promise<ReplicaSet> {
    const others = sets.filter((set) => set !== current);
    const mine = revisionOf(current);
    const revision = others.some((set) => revisionOf(set) >= mine) ? nextRevision(others) : mine;
    const annotations: Record<string, string> = { ...inherited(deployment), ...sizes(deployment), [revisionKey]: String(revision) };
    if (revision !== mine && mine > 0) {
      const history = current.metadata.annotations?.['deployment.kubernetes.io/revision-history'];
      annotations['deployment.kubernetes.io/revision-history'] = history ? `${history},${mine}` : String(mine);
    }
    const differs = Object.entries(annotations).some(([key, value]) => current.metadata.annotations?.[key] !== value);
    const marked = differs ? this.sets.observe(await this.context.api.patch(kinds.replicaSets, current, { metadata: { uid: current.metadata.uid, annotations } })) : current;
    await this.annotateRevision(deployment, revision);
    return marked;
  }

  private async annotateRevision(deployment: Deployment, revision: number): Promise<void> {
    if (deployment.metadata.annotations?.[revisionKey] === String(revision)) return;
    const patch = { metadata: { uid: deployment.metadata.uid, annotations: { [revisionKey]: String(revision) } } };
    // By way of the status, as the real controller does: elsewhere an annotation raises the generation.
    this.deployments.observe(await this.context.api.patch(kinds.deployments, deployment, patch, 'merge', 'status'));
  }

  private async scale(deployment: Deployment, set: ReplicaSet, replicas: number): Promise<void> {
    const from = set.spec.replicas ?? 0;
    const wanted = sizes(deployment);
    const annotated = Object.entries(wanted).every(([key, value]) => set.metadata.annotations?.[key] === value);
    if (from === replicas && annotated) return;
    const patch = { metadata: { uid: set.metadata.uid, annotations: wanted }, ...(from === replicas ? {} : { spec: { replicas } }) };
    this.sets.observe(await this.context.api.patch(kinds.replicaSets, set, patch));
    if (from === replicas) return;
    const direction = replicas > from ? 'up' : 'down';
    this.control.say(deployment, 'Normal', 'ScalingReplicaSet', `Scaled ${direction} replica set ${set.metadata.name} from ${from} to ${replicas}`);
  }

  /** Deletes the oldest empty sets beyond the history limit. */
  private async forgetHistory(deployment: Deployment, old: ReplicaSet[]): Promise<void> {
    const limit = deployment.spec.revisionHistoryLimit ?? 10;
    const empty = old.filter((set) => !isTerminating(set) && !set.spec.replicas && !set.status?.replicas);
    empty.sort((a, b) => revisionOf(a) - revisionOf(b));
    for (const set of empty.slice(0, Math.max(0, old.length - limit))) await remove(this.context, kinds.replicaSets, set);
  }

  private async report(key: string): Promise<void> {
    const deployment = this.deployments.get(key);
    if (!deployment) return;
    const sets = this.setsOf(deployment);
    const { status, recheckMs } = deploymentStatus(deployment, sets, this.currentOf(deployment, sets), this.context.clock);
    if (recheckMs !== undefined) this.enqueueAfter(keyOf(deployment), recheckMs);
    await writeStatus(this.context, kinds.deployments, deployment, status);
  }
}

export function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[revisionKey] ?? 0);
}

function nextRevision(sets: ReplicaSet[]): number {
  return Math.max(0, ...sets.map(revisionOf)) + 1;
}

/** The Deployment's annotations that its sets carry too: all but the ones with a meaning of their own. */
function inherited(deployment: Deployment): Record<string, string> {
  const own = ['kubectl.kubernetes.io/last-applied-configuration', revisionKey, 'deployment.kubernetes.io/revision-history', ...Object.values(sizeKeys), 'deprecated.deployment.rollback.to'];
  return Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !own.includes(key)));
}

function sizes(deployment: Deployment): Record<string, string> {
  const replicas = deployment.spec.replicas ?? 1;
  return { [sizeKeys.desired]: String(replicas), [sizeKeys.max]: String(replicas + bounds(deployment).surge) };
}
