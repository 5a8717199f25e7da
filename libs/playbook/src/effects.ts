import { canonicalJson, changeAnnotation, describeRef, type KubeObject, type ObjectRef, type PlannedChange } from '@larry/contracts';
import type { ClusterReader, ClusterWriter, WriteOutcome } from '@larry/kube';
import { digestOf } from './digest';
import { conditionalPatch, inversePatch, type PatchOperation } from './json-patch';
import { valueAt } from './json-pointer';

/** What is written down before a change is made, so that a successor can tell what became of it. */
export interface Intent {
  /** `<run>/<task>/<step>`, the same in every attempt. */
  id: string;
  target: ObjectRef;
  verb: PlannedChange['verb'];
  /** Digest of the change and of what it depends on; see {@link changeDigest}. */
  digest: string;
  /** The touched fields as they were: what a rollback restores. Secrets' values are never among them. */
  inverse: PatchOperation[];
  /** The fields the change makes, for telling "applied" from "not applied". */
  wanted: PatchOperation[];
  /** The mark of an earlier change on the same object, which a rollback puts back. */
  previousMark?: string;
}

/** Where intents and outcomes are kept, outside the process; written under the task's fence. */
export interface EffectJournal {
  /** Throws when the fence is stale or the write was not acknowledged: then no effect may follow. */
  intent(intent: Intent): Promise<void>;
  outcome(id: string, outcome: string): Promise<void>;
  /** Intents of this task without an outcome, oldest first. */
  open(): Promise<Intent[]>;
  /** The intent of a change, whatever became of it. */
  find(id: string): Promise<Intent | undefined>;
}

/** Everything an effect needs; the guard is synchronous and throws when the lease may be over. */
export interface EffectContext {
  run: string;
  task: string;
  cluster: ClusterReader;
  writer: ClusterWriter;
  journal: EffectJournal;
  guard(): void;
  signal: AbortSignal;
}

/** What became of one change at its target. */
export type EffectOutcome =
  | { outcome: 'applied' | 'adopted' }
  | { outcome: 'superseded' | 'refused' | 'outcome-unknown'; reason: string };

/** The id of a change: what its annotation, its audit record and its journal entry carry. */
export const changeId = (run: string, task: string, step: string): string => `${run}/${task}/${step}`;

/**
 * What an approval is bound to: the change and the observed fields it depends on (spec, not status), so that status
 * churn invalidates nothing and any relevant edit does. Create: that the object does not exist.
 */
export function changeDigest(change: PlannedChange, observed: KubeObject | undefined): string {
  return digestOf({
    change,
    uid: observed?.metadata.uid ?? null,
    observed: change.depends.map((pointer) => [pointer, valueAt(observed, pointer) ?? null]),
  });
}

const attemptsOnConflict = 4;

/**
 * Makes one change, at most once over all attempts: intent, look, guard, one conditional request, outcome.
 * `expectedDigest` is the digest that was diagnosed (or approved); another one means the object changed in between.
 */
export async function applyChange(context: EffectContext, change: PlannedChange, expectedDigest: string): Promise<EffectOutcome> {
  const id = changeId(context.run, context.task, change.step);
  for (let attempt = 1; attempt <= attemptsOnConflict; attempt++) {
    context.signal.throwIfAborted();
    const live = await context.cluster.get(change.target, context.signal);
    if (carries(live, id)) return record(context, id, { outcome: 'adopted' });
    if (changeDigest(change, live) !== expectedDigest) {
      return record(context, id, { outcome: 'superseded', reason: `${describeRef(change.target)} changed after it was diagnosed` });
    }
    const written = await attemptOnce(context, change, id, expectedDigest, live);
    if (written.outcome === 'done') return record(context, id, { outcome: 'applied' });
    if (written.outcome === 'refused') return record(context, id, { outcome: 'refused', reason: written.message });
    if (written.outcome === 'unknown') {
      const after = await look(context, change.target);
      if (after === 'unreadable') return { outcome: 'outcome-unknown', reason: written.message };
      if (carries(after, id)) return record(context, id, { outcome: 'adopted' });
    }
  }
  return record(context, id, { outcome: 'superseded', reason: `${describeRef(change.target)} keeps changing; gave up after ${attemptsOnConflict} tries` });
}

async function attemptOnce(
  context: EffectContext,
  change: PlannedChange,
  id: string,
  digest: string,
  live: KubeObject | undefined,
): Promise<WriteOutcome> {
  const { target, verb } = change;
  const signal = context.signal;
  if (verb === 'create') {
    const object = withAnnotation(change.object as unknown as KubeObject, id);
    await context.journal.intent({ id, target, verb, digest, inverse: [], wanted: [] });
    context.guard();
    return context.writer.create(object, { dryRun: false, signal });
  }
  if (!live) return { outcome: 'refused', status: 404, message: `${describeRef(target)} is gone` };
  if (verb === 'delete') {
    await context.journal.intent({ id, target, verb, digest, inverse: [], wanted: [] });
    context.guard();
    const { uid, resourceVersion } = live.metadata;
    return context.writer.remove(target, { uid: uid ?? '', ...(resourceVersion ? { resourceVersion } : {}) }, { dryRun: false, signal });
  }
  const wanted = (change.patch ?? []) as PatchOperation[];
  const patch = conditionalPatch(live, wanted, change.depends, id);
  const previousMark = live.metadata.annotations?.[changeAnnotation];
  const inverse = inversePatch(live, wanted);
  await context.journal.intent({ id, target, verb, digest, inverse, wanted, ...(previousMark ? { previousMark } : {}) });
  context.guard();
  return context.writer.patch({ target, patch }, { dryRun: false, signal });
}

/** Takes a change back: restores the touched fields where they still are as we left them, and removes our mark. */
export async function rollBack(context: EffectContext, intent: Intent): Promise<EffectOutcome> {
  const live = await context.cluster.get(intent.target, context.signal);
  if (!live) {
    return intent.verb === 'create' ? { outcome: 'adopted' } : { outcome: 'refused', reason: `${describeRef(intent.target)} is gone` };
  }
  if (!carries(live, intent.id)) return { outcome: 'superseded', reason: `${describeRef(intent.target)} no longer carries the change` };
  context.guard();
  const written =
    intent.verb === 'create'
      ? await context.writer.remove(intent.target, { uid: live.metadata.uid ?? '' }, { dryRun: false })
      : await context.writer.patch({ target: intent.target, patch: restoringPatch(live, intent) }, { dryRun: false });
  if (written.outcome === 'done') return { outcome: 'applied' };
  if (written.outcome === 'unknown') return { outcome: 'outcome-unknown', reason: written.message };
  return { outcome: 'refused', reason: written.message };
}

/** Decides what became of an intent that has no outcome, by looking at its target. */
export async function resolveIntent(context: EffectContext, intent: Intent): Promise<'applied' | 'not-applied' | 'outcome-unknown'> {
  const live = await look(context, intent.target);
  if (live === 'unreadable') return 'outcome-unknown';
  if (carries(live, intent.id)) return 'applied';
  if (intent.verb === 'create') return live ? 'outcome-unknown' : 'not-applied';
  if (intent.verb === 'delete') return live ? 'not-applied' : 'applied';
  if (!live) return 'outcome-unknown';
  const asWanted = intent.wanted.every((op) => op.op === 'remove' || same(valueAt(live, op.path), op.value));
  return asWanted ? 'outcome-unknown' : 'not-applied';
}

function restoringPatch(live: KubeObject, intent: Intent): PatchOperation[] {
  const tests: PatchOperation[] = [{ op: 'test', path: '/metadata/uid', value: live.metadata.uid }];
  const ours = intent.wanted
    .filter((op) => op.op !== 'remove' && !op.path.endsWith('/-'))
    .map((op): PatchOperation => ({ op: 'test', path: op.path, value: op.value }));
  const mark = `/metadata/annotations/${changeAnnotation.replaceAll('/', '~1')}`;
  const unmark: PatchOperation = intent.previousMark
    ? { op: 'replace', path: mark, value: intent.previousMark }
    : { op: 'remove', path: mark };
  return [...tests, ...ours, { op: 'test', path: mark, value: intent.id }, ...intent.inverse, unmark];
}

function carries(object: KubeObject | undefined, id: string): boolean {
  return object?.metadata.annotations?.[changeAnnotation] === id;
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

async function record<O extends EffectOutcome>(context: EffectContext, id: string, outcome: O): Promise<O> {
  await context.journal.outcome(id, outcome.outcome);
  return outcome;
}

const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);
