import type { KubeObject, PlannedChange } from '@larry/contracts';
import { applyChange, changeDigest, resolveIntent, type EffectContext } from './effects';
import { rollBack } from './rollback';
import { anUpgrade, aStep, memoryJournal, memoryReleases, memoryTarget, type HelmFault, type MemoryReleases } from './testing';

const deployment: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop', namespace: 'web', uid: 'u1', resourceVersion: '1' }, spec: { replicas: 1 } };
const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'shop' };
const change: PlannedChange = aStep({ verb: 'helm-upgrade', target, helm: anUpgrade(), depends: ['/spec/replicas'] });
const digest = changeDigest(change, deployment);

function aWorld(helm: MemoryReleases = memoryReleases()) {
  const memory = memoryTarget([deployment]);
  const journal = memoryJournal();
  const effects: EffectContext = { run: 'r', task: 't', cluster: memory.cluster, writer: memory.writer, helm, journal, guard: () => undefined, signal: new AbortController().signal };
  const intent = async () => (await journal.entries()).find((e) => e.intent.id === 'r/t/one')!.intent;
  return { memory, journal, effects, helm, intent, apply: () => applyChange(effects, change, digest), undo: async () => rollBack(effects, await intent()) };
}

describe('an upgrade of a Helm release', () => {
  it('is made once, through Helm alone, and its mark stands in the release', async () => {
    const { apply, helm, memory, journal } = aWorld();
    expect(await apply()).toEqual({ outcome: 'applied' });
    expect([helm.begun, memory.accepted, journal.outcomeOf('r/t/one')]).toEqual([['upgrade'], [], 'applied']);
    expect(helm.release()).toMatchObject({ revision: 4, status: 'deployed', config: { replicas: 2 } });
  });

  it('is adopted, and not repeated, when the message comes twice or every record of it is lost', async () => {
    const first = aWorld();
    await first.apply();
    expect(await applyChange(first.effects, change, digest, await first.intent())).toEqual({ outcome: 'adopted' });
    expect(await aWorld(first.helm).apply()).toEqual({ outcome: 'adopted' });
    expect(first.helm.begun).toEqual(['upgrade']);
  });

  it('is not believed by its mark alone where its values do not stand', async () => {
    const first = aWorld();
    await first.apply();
    const { helm } = first;
    const other: MemoryReleases = { ...helm, read: () => Promise.resolve({ release: { ...helm.release(), config: { replicas: 9 } } }) };
    expect(await aWorld(other).apply()).toMatchObject({ outcome: 'superseded', reason: expect.stringContaining('not its values') as string });
  });

  it('is not begun when the guard throws, and nothing but its intent stands in the journal', async () => {
    const { effects, helm, journal } = aWorld();
    const late = { ...effects, guard: () => { throw new Error('the lease may be over'); } };
    await expect(applyChange(late, change, digest)).rejects.toThrow('the lease may be over');
    expect([helm.begun, (await journal.entries()).length, journal.outcomeOf('r/t/one')]).toEqual([[], 1, undefined]);
  });

  it('is not begun when its intent was not taken', async () => {
    const { effects, helm } = aWorld();
    await expect(applyChange({ ...effects, journal: { ...memoryJournal(), intent: () => Promise.reject(new Error('stale')) } }, change, digest)).rejects.toThrow('stale');
    expect(helm.begun).toEqual([]);
  });

  it.each<[string, (world: ReturnType<typeof aWorld>) => void, string]>([
    ['the release was upgraded after it was diagnosed', ({ helm }) => helm.upgradedByOthers(), 'is at revision 4 (deployed) by now, not 3'],
    ['the object was changed after it was diagnosed', ({ memory }) => memory.edit({ ...deployment, spec: { replicas: 7 } }), 'changed after it was diagnosed'],
  ])('is not begun where %s', async (_, meanwhile, reason) => {
    const world = aWorld();
    meanwhile(world);
    expect(await world.apply()).toMatchObject({ outcome: 'superseded', reason: expect.stringContaining(reason) as string });
    expect(world.helm.begun).toEqual([]);
  });

  it('is refused by Helm when somebody upgrades between our look and its own', async () => {
    const world = aWorld();
    const racing: EffectContext = { ...world.effects, guard: () => { if (world.helm.release().revision === 3) world.helm.upgradedByOthers(); } };
    expect(await applyChange(racing, change, digest)).toMatchObject({ outcome: 'superseded', reason: expect.stringContaining('is at revision 4 by now') as string });
    expect(world.helm.release().mark).toBeUndefined();
  });

  it('that is done without an answer is adopted', async () => {
    const { apply, helm } = aWorld();
    helm.fail('lose-reply');
    expect(await apply()).toEqual({ outcome: 'adopted' });
  });

  it('that fails halfway is taken back at once', async () => {
    const { apply, helm, journal } = aWorld();
    helm.fail('fail');
    expect(await apply()).toMatchObject({ outcome: 'refused', reason: 'helm upgrade: timed out; it was taken back' });
    expect([helm.begun, helm.release().status, helm.release().description, journal.outcomeOf('r/t/one')]).toEqual([['upgrade', 'rollback'], 'deployed', 'Rollback to 3', 'refused']);
  });

  it('is refused where there is no helm', async () => {
    const { effects } = aWorld();
    const { helm: _, ...without } = effects;
    expect(await applyChange(without, change, digest)).toMatchObject({ outcome: 'refused', reason: 'there is no helm to upgrade the release with' });
  });
});

describe('an upgrade whose maker died', () => {
  it.each<[string, HelmFault | undefined, boolean, string]>([
    ['before Helm had written anything did not happen', 'die-before', false, 'not-applied'],
    ['after Helm was done is in effect', 'lose-reply', false, 'applied'],
    ['in the middle, a moment ago, is waited for and then has to be taken back', 'die-in-the-middle', false, 'half-made'],
    ['in the middle, long ago, has to be taken back', 'die-in-the-middle', true, 'half-made'],
  ])('%s', async (_, fault, long, became) => {
    const { effects, helm, intent } = aWorld();
    const alone: EffectContext = { ...effects, helm: { ...helm, read: (...a) => helm.read(...a), upgrade: async (...a) => { await helm.upgrade(...a); throw new Error('killed'); } } };
    if (fault) helm.fail(fault);
    await expect(applyChange(alone, change, digest)).rejects.toThrow('killed');
    if (long) helm.passTime();
    expect(await resolveIntent(effects, await intent())).toBe(became);
  });

  it('is unknown while the release cannot be read', async () => {
    const { effects, helm, intent, apply } = aWorld();
    await apply();
    const blind: EffectContext = { ...effects, helm: { ...helm, read: () => Promise.resolve({ unreadable: 'forbidden' }) } };
    expect(await resolveIntent(blind, await intent())).toBe('outcome-unknown');
  });
});

describe('the rollback of an upgrade', () => {
  it('is one of Helm, and the values are as they were', async () => {
    const { apply, undo, helm, journal } = aWorld();
    await apply();
    expect(await undo()).toEqual({ outcome: 'applied' });
    expect(helm.release()).toMatchObject({ revision: 5, description: 'Rollback to 3', config: {} });
    expect(journal.outcomeOf('r/t/one')).toBe('rolled-back');
  });

  it('leaves alone what somebody else has upgraded since', async () => {
    const { apply, undo, helm } = aWorld();
    await apply();
    helm.upgradedByOthers();
    expect(await undo()).toMatchObject({ outcome: 'superseded', reason: expect.stringContaining('upgraded by somebody else since') as string });
    expect(helm.begun).toEqual(['upgrade']);
  });

  it('that is asked for twice, or whose answer was lost, is made once', async () => {
    const { apply, undo, helm } = aWorld();
    await apply();
    helm.fail('lose-reply');
    expect(await undo()).toEqual({ outcome: 'adopted' });
    expect(await undo()).toEqual({ outcome: 'adopted' });
    expect(helm.begun).toEqual(['upgrade', 'rollback']);
  });

  it('that died in the middle is made again once it must be over', async () => {
    const { apply, undo, helm } = aWorld();
    await apply();
    helm.fail('die-in-the-middle');
    expect(await undo()).toMatchObject({ outcome: 'outcome-unknown' });
    helm.passTime();
    expect(await undo()).toEqual({ outcome: 'applied' });
    expect(helm.release()).toMatchObject({ status: 'deployed', description: 'Rollback to 3' });
  });
});
