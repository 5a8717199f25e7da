import type { HelmUpgrade, PlannedChange } from '@larry/contracts';
import type { HelmReleases } from '@larry/helm';
import { changeDigest, changeId } from './change-digest';
import type { EffectContext, EffectOutcome } from './effects';
import { holdsValues, isOver, readSettled, upgradeState } from './helm-release-state';
import { intentOf, type Intent } from './intent';

/**
 * @internal Makes one upgrade of a Helm release, at most once over all attempts: look, intent, guard, one `helm upgrade` that fails at
 * any other revision than the one diagnosed, outcome. Its mark is in the chart that the release keeps.
 */
export async function applyHelmUpgrade(context: EffectContext, change: PlannedChange, expectedDigest: string, earlier?: Intent): Promise<EffectOutcome> {
  const { helm } = context;
  const upgrade = change.helm;
  if (!helm || !upgrade) return { outcome: 'refused', reason: 'there is no helm to upgrade the release with' };
  const id = changeId(context.run, context.task, change.step);
  const reading = await helm.read(upgrade.namespace, upgrade.release, context.signal);
  if ('unreadable' in reading) return { outcome: 'refused', reason: reading.unreadable };
  const { release } = reading;
  const live = await context.cluster.get(change.target, context.signal);
  const intent = intentOf(id, change, expectedDigest, live);
  const state = upgradeState(release, id);
  if (state === 'in-effect') {
    if (!earlier && !holdsValues(release, upgrade)) return { outcome: 'superseded', reason: `${named(upgrade)} carries the mark of this change and not its values: somebody else wrote one of them` };
    if (!earlier) await context.journal.intent(intent);
    return record(context, id, { outcome: 'adopted' });
  }
  if (state !== 'not-in-effect') return { outcome: 'outcome-unknown', reason: `${named(upgrade)} is ${release.status} at revision ${release.revision}: see helm history` };
  if (release.revision !== upgrade.revision || release.status !== 'deployed') return { outcome: 'superseded', reason: `${named(upgrade)} is at revision ${release.revision} (${release.status}) by now, not ${upgrade.revision}` };
  if (changeDigest(change, live) !== expectedDigest) return { outcome: 'superseded', reason: `${named(upgrade)} or its object changed after it was diagnosed` };
  await context.journal.intent(intent);
  context.guard();
  const answer = await helm.upgrade(upgrade, { id, signal: context.signal, guard: () => context.guard() });
  return answer.outcome === 'done' ? record(context, id, { outcome: 'applied' }) : afterTrouble(context, helm, intent, upgrade, answer.message);
}

/** Helm did not say that it was done: its records tell what became of it. What is left half made is taken back at once. */
async function afterTrouble(context: EffectContext, helm: HelmReleases, intent: Intent, upgrade: HelmUpgrade, message: string): Promise<EffectOutcome> {
  const reading = await helm.read(upgrade.namespace, upgrade.release, context.signal);
  if ('unreadable' in reading) return { outcome: 'outcome-unknown', reason: message };
  const state = upgradeState(reading.release, intent.id);
  if (state === 'in-effect') return record(context, intent.id, { outcome: 'adopted' });
  if (state === 'not-in-effect') {
    const { revision, description } = reading.release;
    if (revision === upgrade.revision || isRollbackTo(description, upgrade)) return record(context, intent.id, { outcome: 'refused', reason: `helm upgrade: ${message}` });
    return record(context, intent.id, { outcome: 'superseded', reason: `${named(upgrade)} is at revision ${revision} by now; helm upgrade: ${message}` });
  }
  if (state !== 'half-made') return { outcome: 'outcome-unknown', reason: message };
  await context.journal.outcome(intent.id, 'rolling-back');
  const back = await rollBackHelm(context, intent);
  if (back.outcome !== 'applied' && back.outcome !== 'adopted') return { outcome: 'outcome-unknown', reason: `${message}; and it could not be taken back: ${'reason' in back ? back.reason : ''}` };
  return record(context, intent.id, { outcome: 'refused', reason: `helm upgrade: ${message}; it was taken back` });
}

/** @internal What became of an upgrade that has no outcome. `half-made`: whoever made it died in the middle; it has to be taken back. */
export async function resolveHelmUpgrade(context: EffectContext, intent: Intent): Promise<'applied' | 'not-applied' | 'half-made' | 'outcome-unknown'> {
  const { helm } = context;
  const upgrade = intent.change.helm;
  if (!helm || !upgrade) return 'outcome-unknown';
  const reading = await readSettled(helm, upgrade, context.signal);
  if ('unreadable' in reading) return 'outcome-unknown';
  switch (upgradeState(reading.release, intent.id)) {
    case 'in-effect':
      return 'applied';
    case 'not-in-effect':
      return 'not-applied';
    case 'under-way':
      return isOver(helm, reading.release) ? 'half-made' : 'outcome-unknown';
    case 'half-made':
      return 'half-made';
    case 'unknown':
      return 'outcome-unknown';
  }
}

/** @internal `helm rollback` to the revision before ours, unless somebody else has upgraded the release since. */
export async function rollBackHelm(context: EffectContext, intent: Intent): Promise<EffectOutcome> {
  const { helm } = context;
  const upgrade = intent.change.helm;
  if (!helm || !upgrade) return { outcome: 'refused', reason: 'there is no helm to roll the release back with' };
  const reading = await readSettled(helm, upgrade, context.signal);
  if ('unreadable' in reading) return { outcome: 'outcome-unknown', reason: reading.unreadable };
  const { release } = reading;
  const already = alreadyBack(helm, intent, upgrade, release);
  if (already) return already;
  context.guard();
  const answer = await helm.rollback(upgrade, { id: intent.id, signal: context.signal, guard: () => context.guard() });
  if (answer.outcome === 'done') return { outcome: 'applied' };
  const after = await helm.read(upgrade.namespace, upgrade.release, context.signal);
  const isBack = 'release' in after && after.release.status === 'deployed' && isRollbackTo(after.release.description, upgrade);
  return isBack ? { outcome: 'adopted' } : { outcome: 'outcome-unknown', reason: `helm rollback: ${answer.message}` };
}

function alreadyBack(helm: HelmReleases, intent: Intent, upgrade: HelmUpgrade, release: Parameters<typeof upgradeState>[0]): EffectOutcome | undefined {
  const { revision, status, description } = release;
  switch (upgradeState(release, intent.id)) {
    case 'in-effect':
    case 'half-made':
      return undefined;
    case 'under-way':
      return isOver(helm, release) ? undefined : { outcome: 'outcome-unknown', reason: `${named(upgrade)} is ${status}` };
    case 'unknown':
      // A rollback of ours that died in the middle is made again.
      return isRollbackTo(description, upgrade) && isOver(helm, release) ? undefined : { outcome: 'outcome-unknown', reason: `${named(upgrade)} is ${status}` };
    case 'not-in-effect':
      if (revision <= upgrade.revision) return { outcome: 'adopted' };
      if (isRollbackTo(description, upgrade)) return status === 'deployed' ? { outcome: 'adopted' } : undefined;
      return { outcome: 'superseded', reason: `${named(upgrade)} was upgraded by somebody else since (revision ${revision})` };
  }
}

/** Helm's own description of a rollback. */
const isRollbackTo = (description: string, { revision }: HelmUpgrade): boolean => new RegExp(`^Rollback to ${revision}\\b|^Rollback "[^"]*" to ${revision}\\b`).test(description);

const named = ({ namespace, release }: HelmUpgrade): string => `the Helm release ${namespace}/${release}`;

async function record(context: EffectContext, id: string, became: EffectOutcome): Promise<EffectOutcome> {
  await context.journal.outcome(id, became.outcome);
  return became;
}
