import { changeAnnotation, describeRef, type KubeObject, type ObjectRef, type PlannedChange } from '@larry/contracts';
import type { ClusterReader, ClusterWriter, GitBranches, WriteOutcome } from '@larry/kube';
import type { HelmReleases } from '@larry/helm';
import { changeDigest, changeId } from './change-digest';
import { PatchError } from './errors';
import { applyGitBranch, resolveGitBranch } from './git-effect';
import { applyHelmUpgrade, resolveHelmUpgrade } from './helm-effect';
import { intentOf, standsAsWanted, type EffectJournal, type Intent } from './intent';
import { conditionalPatch, type PatchOperation } from './json-patch';
import { carries, markOf, ofOneRun } from './marks';

/** Everything an effect needs; the guard is synchronous and throws when the lease may be over. */
export interface EffectContext {
  run: string;
  task: string;
  cluster: ClusterReader;
  writer: ClusterWriter;
  /** For upgrades of Helm releases; absent where there is no helm. */
  helm?: HelmReleases;
  /** For branches in the working clone of the manifests; absent where none is configured. */
  git?: GitBranches;
  journal: EffectJournal;
  /** The audit log says that this change was made or begun before: a mark at its target is ours. */
  vouched?: boolean;
  guard(): void;
  signal: AbortSignal;
}

/** What became of one change at its target. */
export type EffectOutcome =
  /** `commit`: of a change that is one. `foundMarked`: neither the journal nor the audit log knows that we made it. */
  | { outcome: 'applied' | 'adopted'; commit?: string; foundMarked?: true }
  | { outcome: 'superseded' | 'refused' | 'outcome-unknown'; reason: string };

export { changeDigest, changeId };

/** Status churn makes a version test fail that has nothing to do with the change: it is read again, this often. */
const attemptsOnConflict = 8;
const attemptsWithoutAnswer = 2;

/**
 * Makes one change, at most once over all attempts: look, intent, guard, one conditional request, outcome.
 * `expectedDigest` is the digest that was diagnosed (or approved); another one means the object changed in between.
 * `earlier` is the intent of an attempt that came to nothing.
 */
export async function applyChange(context: EffectContext, change: PlannedChange, expectedDigest: string, earlier?: Intent): Promise<EffectOutcome> {
  if (change.verb === 'helm-upgrade') return applyHelmUpgrade(context, change, expectedDigest, earlier);
  if (change.verb === 'git-branch') return applyGitBranch(context, change, expectedDigest, earlier);
  const id = changeId(context.run, context.task, change.step);
  let last: Intent | undefined;
  let unanswered = 0;
  for (let attempt = 1; attempt <= attemptsOnConflict; attempt++) {
    context.signal.throwIfAborted();
    const live = await context.cluster.get(change.target, context.signal);
    const kept = last ?? earlier;
    if (live && !kept && !context.vouched && carries(live, id) && isMarkAlone(live, change)) return { outcome: 'superseded', reason: markAlone(change) };
    if (carries(live, id)) return adopt(context, kept ?? intentOf(id, { ...change, patch: [] }, expectedDigest, live), kept !== undefined);
    // Gone is what a deletion wants, whoever made it so; a journal that is lost must not stop the steps that follow.
    if (change.verb === 'delete' && (!live || (kept && isGone(live, kept)))) return adopt(context, kept ?? intentOf(id, change, expectedDigest, live), kept !== undefined);
    const changed = whyChanged(change, live, expectedDigest);
    if (changed) return { outcome: 'superseded', reason: changed };

    last = intentFor(id, change, expectedDigest, live);
    if (!last) return { outcome: 'superseded', reason: `the patch does not fit ${describeRef(change.target)} any more` };
    await context.journal.intent(last);
    const written = await request(context, change, id, live);
    if (written.outcome === 'done') return record(context, id, { outcome: 'applied' });
    if (written.outcome === 'refused') return record(context, id, { outcome: 'refused', reason: written.message });
    if (written.outcome === 'unknown') {
      const became = await resolveIntent(context, last);
      if (became === 'applied') return record(context, id, { outcome: 'adopted' });
      // The intent stays open: whoever comes next looks again.
      if (became === 'outcome-unknown' || ++unanswered === attemptsWithoutAnswer) return { outcome: 'outcome-unknown', reason: written.message };
    }
    await context.journal.outcome(id, 'not-applied');
  }
  return { outcome: 'superseded', reason: `${describeRef(change.target)} keeps changing; gave up after ${attemptsOnConflict} tries` };
}

/**
 * @internal A mark alone is anybody's who may write the object: without our own word for it the change itself must stand there, and
 * what is planned only to be verified says nothing of what it was.
 */
export function isMarkAlone(live: KubeObject, { verb, patch = [] }: PlannedChange): boolean {
  return verb === 'patch' && (patch.length === 0 || !standsAsWanted(live, patch as PatchOperation[]));
}

/** @internal What is said of such a step. */
export function markAlone({ target }: PlannedChange): string {
  return `${describeRef(target)} carries the mark of this change and not the change, and neither the journal nor the audit log knows of it: somebody else wrote one of them`;
}

function whyChanged(change: PlannedChange, live: KubeObject | undefined, expectedDigest: string): string | undefined {
  const name = describeRef(change.target);
  if (change.verb === 'create' && live) return `${name} exists already`;
  if (change.verb === 'patch' && !live) return `${name} is gone`;
  return changeDigest(change, live) === expectedDigest ? undefined : `${name} changed after it was diagnosed`;
}

function intentFor(id: string, change: PlannedChange, digest: string, live: KubeObject | undefined): Intent | undefined {
  try {
    return intentOf(id, change, digest, live);
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

/** The guard goes along: what happens between here and the socket takes time as well. */
function request(context: EffectContext, change: PlannedChange, id: string, live: KubeObject | undefined): Promise<WriteOutcome> {
  const { writer, signal } = context;
  const guard = (): void => context.guard();
  const options = { dryRun: false, signal, guard };
  guard();
  if (change.verb === 'create') return writer.create(withAnnotation(change.object as unknown as KubeObject, id), options);
  if (!live) throw new TypeError(`${change.verb} of what is gone`);
  if (change.verb === 'delete') {
    const { uid, resourceVersion } = live.metadata;
    return writer.remove(change.target, { uid: uid ?? '', ...(resourceVersion ? { resourceVersion } : {}) }, options);
  }
  return writer.patch({ target: change.target, patch: conditionalPatch(live, (change.patch ?? []) as PatchOperation[], change.depends, id) }, options);
}

/** The mark is there without an intent of ours: one is written now, so that the outcome has its place. Its pre-image is lost. */
async function adopt(context: EffectContext, intent: Intent, kept: boolean): Promise<EffectOutcome> {
  if (!kept) await context.journal.intent({ ...intent, restorable: intent.verb === 'create' });
  return record(context, intent.id, { outcome: 'adopted', ...(kept || context.vouched ? {} : { foundMarked: true as const }) });
}

/** Decides what became of an intent that has no outcome, by looking at its target. `half-made`: it has to be taken back. */
export async function resolveIntent(context: EffectContext, intent: Intent): Promise<'applied' | 'not-applied' | 'half-made' | 'outcome-unknown'> {
  if (intent.verb === 'helm-upgrade') return resolveHelmUpgrade(context, intent);
  if (intent.verb === 'git-branch') return resolveGitBranch(context, intent);
  const live = await look(context, intent.target);
  if (live === 'unreadable') return 'outcome-unknown';
  if (carries(live, intent.id)) return 'applied';
  if (intent.verb === 'create') return live ? 'outcome-unknown' : 'not-applied';
  if (intent.verb === 'delete') return isGone(live, intent) ? 'applied' : 'not-applied';
  if (!live || live.metadata.uid !== intent.uid) return 'outcome-unknown';
  const mark = markOf(live);
  // A later change of this run would have kept our id; one of another run has not, and ours may have been under it.
  const told = live.metadata.resourceVersion === intent.resourceVersion || mark === intent.previousMark || (mark !== undefined && ofOneRun(mark, intent.id));
  return told ? 'not-applied' : 'outcome-unknown';
}

/** The object that was to be deleted is gone, going, or another one of the same name. */
function isGone(live: KubeObject | undefined, intent: Intent): boolean {
  return !live || live.metadata.uid !== intent.uid || live.metadata.deletionTimestamp !== undefined;
}

function withAnnotation(object: KubeObject, id: string): KubeObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [changeAnnotation]: id } } };
}

async function look(context: EffectContext, target: ObjectRef): Promise<KubeObject | undefined | 'unreadable'> {
  try {
    return await context.cluster.get(target);
  } catch {
    return 'unreadable';
  }
}

async function record(context: EffectContext, id: string, became: EffectOutcome): Promise<EffectOutcome> {
  await context.journal.outcome(id, became.outcome);
  return became;
}
