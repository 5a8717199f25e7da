import { canonicalJson, describeRef, type KubeObject } from '@larry/contracts';
import type { WriteOutcome } from '@larry/kube';
import type { EffectContext, EffectOutcome } from './effects';
import { rollBackGit } from './git-effect';
import { rollBackHelm } from './helm-effect';
import { asCreated, standsAsLeft, type Intent } from './intent';
import { versionTest, type PatchOperation } from './json-patch';
import { valueAt } from './json-pointer';
import { carries, unmark } from './marks';

const attempts = 8;

/**
 * Takes a change back: restores the touched fields where they still are as we left them, and our mark with them.
 * `adopted`: it was taken back already, by a request whose answer was lost. An attempt that dies in here leaves the
 * outcome `rolling-back`, and its successor calls this again.
 */
export async function rollBack(context: EffectContext, intent: Intent): Promise<EffectOutcome> {
  if (!intent.restorable) return { outcome: 'refused', reason: `what ${describeRef(intent.target)} was before is not kept; restore it by hand` };
  await context.journal.outcome(intent.id, 'rolling-back');
  const became = await takenBack(context, intent);
  if (became.outcome === 'applied' || became.outcome === 'adopted') await context.journal.outcome(intent.id, 'rolled-back');
  return became;
}

function takenBack(context: EffectContext, intent: Intent): Promise<EffectOutcome> {
  if (intent.verb === 'helm-upgrade') return rollBackHelm(context, intent);
  return intent.verb === 'git-branch' ? rollBackGit(context, intent) : restore(context, intent);
}

async function restore(context: EffectContext, intent: Intent): Promise<EffectOutcome> {
  let message = '';
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const live = await context.cluster.get(intent.target, context.signal);
    const already = alreadyDecided(live, intent);
    if (already) return already;
    const written = await request(context, intent, live);
    if (written.outcome === 'done') return { outcome: 'applied' };
    if (written.outcome === 'refused') return { outcome: 'refused', reason: written.message };
    message = written.message;
  }
  return { outcome: 'outcome-unknown', reason: message };
}

function alreadyDecided(live: KubeObject | undefined, intent: Intent): EffectOutcome | undefined {
  const name = describeRef(intent.target);
  switch (intent.verb) {
    case 'create':
      if (!live) return { outcome: 'adopted' };
      return carries(live, intent.id) ? undefined : { outcome: 'superseded', reason: `${name} is not the object that was created` };
    case 'delete':
      if (!live) return undefined;
      if (live.metadata.deletionTimestamp) return { outcome: 'superseded', reason: `${name} is still being deleted` };
      return isAsBefore(live, intent) ? { outcome: 'adopted' } : { outcome: 'superseded', reason: `there is another ${name} by now` };
    case 'helm-upgrade':
    case 'git-branch':
      throw new TypeError(`${intent.verb} is no write to ${name}`);
    case 'patch':
      if (!live || live.metadata.uid !== intent.uid) return { outcome: 'refused', reason: `${name} is gone` };
      if (!carries(live, intent.id)) {
        return intent.inverse.every((undo) => isUndone(live, undo)) ? { outcome: 'adopted' } : { outcome: 'superseded', reason: `${name} no longer carries the change` };
      }
      return standsAsLeft(live, intent) ? undefined : { outcome: 'superseded', reason: `${name} was changed by somebody else since` };
  }
}

/** What an operation would restore stands restored: what it would remove is not there. */
function isUndone(live: KubeObject, { op, path, value }: PatchOperation): boolean {
  const now = valueAt(live, path);
  return op === 'remove' ? now === undefined : canonicalJson(now ?? null) === canonicalJson(value ?? null);
}

function request(context: EffectContext, intent: Intent, live: KubeObject | undefined): Promise<WriteOutcome> {
  const { writer, signal } = context;
  const guard = (): void => context.guard();
  const options = { dryRun: false, signal, guard };
  guard();
  if (intent.verb === 'delete') return writer.create(intent.before as KubeObject, options);
  const { uid = '', resourceVersion } = (live as KubeObject).metadata;
  if (intent.verb === 'create') return writer.remove(intent.target, { uid, ...(resourceVersion ? { resourceVersion } : {}) }, options);
  return writer.patch({ target: intent.target, patch: restoringPatch(live as KubeObject, intent) }, options);
}

function restoringPatch(live: KubeObject, intent: Intent): PatchOperation[] {
  const tests: PatchOperation[] = [{ op: 'test', path: '/metadata/uid', value: live.metadata.uid }, versionTest(live)];
  const names = (intent.elements ?? []).map(({ path, value }): PatchOperation => ({ op: 'test', path, value }));
  return [...tests, ...names, ...intent.inverse, ...unmark(live, intent)];
}

/** Created again by a rollback whose answer was lost. The server's defaults were in the pre-image already. */
function isAsBefore(live: KubeObject, intent: Intent): boolean {
  return live.metadata.uid !== intent.uid && intent.before !== undefined && canonicalJson(asCreated(live)) === canonicalJson(intent.before);
}
