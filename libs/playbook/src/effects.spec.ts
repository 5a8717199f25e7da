import type { KubeObject } from '@larry/contracts';
import { applyChange, changeDigest, resolveIntent, type EffectContext } from './effects';
import { intentOf, standsAsLeft } from './intent';
import { aStep, aTargetObject, effectCases, memoryJournal, memoryTarget, type MemoryTarget } from './testing';

const start = (): KubeObject => aTargetObject({ uid: 'u1', resourceVersion: '1' });
const ref = aStep().target;

function contextOf(target: MemoryTarget, more: Partial<EffectContext> = {}) {
  const journal = memoryJournal();
  const effects: EffectContext = { run: 'r', task: 't', cluster: target.cluster, writer: target.writer, journal, guard: () => undefined, signal: new AbortController().signal, ...more };
  return { effects, journal };
}

describe('an effect on the target in memory', () => {
  it.each(effectCases)('$name', async ({ run }) => {
    const target = memoryTarget([]);
    await run({
      cluster: target.cluster,
      writer: target.writer,
      edit: (object) => target.edit({ ...object, metadata: { ...object.metadata, uid: object.metadata.uid ?? 'u1' } }),
      fail: (fault) => target.fail(fault),
      writes: () => target.accepted.length,
    });
  });
});

describe('an effect', () => {
  it('is not sent when the guard throws, and nothing but its intent stands in the journal', async () => {
    const target = memoryTarget([start()]);
    const { effects, journal } = contextOf(target, {
      guard: () => {
        throw new Error('the lease may be over');
      },
    });
    await expect(applyChange(effects, aStep(), changeDigest(aStep(), start()))).rejects.toThrow('the lease may be over');
    expect(target.accepted).toEqual([]);
    expect(await journal.entries()).toMatchObject([{ intent: { id: 'r/t/one', uid: 'u1', resourceVersion: '1' } }]);
    expect(journal.outcomeOf('r/t/one')).toBeUndefined();
  });

  it('is not sent when its intent was not taken', async () => {
    const target = memoryTarget([start()]);
    const { effects } = contextOf(target, { journal: { ...memoryJournal(), intent: () => Promise.reject(new Error('stale')) } });
    await expect(applyChange(effects, aStep(), changeDigest(aStep(), start()))).rejects.toThrow('stale');
    expect(target.accepted).toEqual([]);
  });

  it('that arrives late is refused by the version when another was applied meanwhile', async () => {
    const target = memoryTarget([start()]);
    target.fail('delay');
    const { effects } = contextOf(target);
    expect(await applyChange(effects, aStep(), changeDigest(aStep(), start()))).toEqual({ outcome: 'applied' });
    expect(target.arrive()).toMatchObject([{ outcome: 'conflict' }]);
    expect(target.accepted).toHaveLength(1);
  });

  it('that lands before its successor looks is adopted, with the pre-image of the first intent', async () => {
    const target = memoryTarget([start()]);
    target.fail('delay');
    target.fail('delay');
    const { effects, journal } = contextOf(target);
    const digest = changeDigest(aStep(), start());
    expect(await applyChange(effects, aStep(), digest)).toMatchObject({ outcome: 'outcome-unknown' });
    expect(target.arrive()).toMatchObject([{ outcome: 'done' }, { outcome: 'conflict' }]);
    const [entry] = await journal.entries();
    expect(await resolveIntent(effects, entry!.intent)).toBe('applied');
    expect(await applyChange(effects, aStep(), digest, entry!.intent)).toEqual({ outcome: 'adopted' });
    expect((await journal.entries())[0]?.intent).toMatchObject({ restorable: true, inverse: [{ op: 'remove', path: '/metadata/finalizers/1' }] });
  });

  it('that the server refuses is refused with its sentence, and the next attempt may try again', async () => {
    const target = memoryTarget([start()]);
    target.fail({ refuse: 403 });
    const { effects, journal } = contextOf(target);
    const digest = changeDigest(aStep(), start());
    expect(await applyChange(effects, aStep(), digest)).toEqual({ outcome: 'refused', reason: 'refused with 403' });
    expect(journal.outcomeOf('r/t/one')).toBe('refused');
    expect(await applyChange(effects, aStep(), digest)).toEqual({ outcome: 'applied' });
  });

  it('is not believed by its mark alone where the change itself does not stand', async () => {
    const marked = { ...start(), metadata: { ...start().metadata, annotations: { 'larry.dev/change': 'r/t/one' } } };
    const target = memoryTarget([marked]);
    const { effects, journal } = contextOf(target);
    expect(await applyChange(effects, aStep(), changeDigest(aStep(), start()))).toMatchObject({ outcome: 'superseded', reason: expect.stringContaining('carries the mark of this change and not the change') as string });
    expect([target.accepted, await journal.entries()]).toEqual([[], []]);
  });

  it('is adopted by its mark where the change stands and the journal is lost', async () => {
    const target = memoryTarget([start()]);
    const digest = changeDigest(aStep(), start());
    await applyChange(contextOf(target).effects, aStep(), digest);
    expect(await applyChange(contextOf(target).effects, aStep(), digest)).toEqual({ outcome: 'adopted', foundMarked: true });
    expect(target.accepted).toHaveLength(1);
  });

  it('that is only to be verified is adopted by its mark when the audit log vouches for it, and else superseded', async () => {
    const target = memoryTarget([{ ...start(), metadata: { ...start().metadata, annotations: { 'larry.dev/change': 'r/t/one' } } }]);
    const step = aStep({ patch: [], depends: [] });
    const { effects, journal } = contextOf(target);
    expect(await applyChange(effects, step, changeDigest(step, start()))).toMatchObject({ outcome: 'superseded' });
    expect(await journal.entries()).toEqual([]);
    expect(await applyChange({ ...effects, vouched: true }, step, changeDigest(step, start()))).toEqual({ outcome: 'adopted' });
  });

  it('remembers the names of the list elements that hold what it touches, so that a reordered list is seen', () => {
    const object = { ...start(), spec: { containers: [{ name: 'app', env: [{ name: 'A', value: '1' }] }] } } as unknown as KubeObject;
    const step = aStep({ patch: [{ op: 'replace', path: '/spec/containers/0/env/0/value', value: '2' }] });
    const intent = intentOf('r/t/one', step, 'd', object);
    expect(intent.elements).toEqual([{ path: '/spec/containers/0/name', value: 'app' }, { path: '/spec/containers/0/env/0/name', value: 'A' }]);
    const after = (env: unknown[]): KubeObject => ({ ...object, spec: { containers: [{ name: 'app', env }] } }) as unknown as KubeObject;
    expect(standsAsLeft(after([{ name: 'A', value: '2' }]), intent)).toBe(true);
    expect(standsAsLeft(after([{ name: 'B', value: '2' }, { name: 'A', value: '2' }]), intent)).toBe(false);
  });

  it('goes on over status churn between its reading and its writing', async () => {
    const target = memoryTarget([start()]);
    let churns = 3;
    const { effects } = contextOf(target, {
      guard: () => {
        if (churns-- > 0) target.edit({ ...(target.get(ref) as KubeObject), status: { churns } });
      },
    });
    expect(await applyChange(effects, aStep(), changeDigest(aStep(), start()))).toEqual({ outcome: 'applied' });
    expect(target.accepted).toHaveLength(1);
  });

  it('keeps no value of a Secret', () => {
    const secret = { ...start(), kind: 'Secret', data: { password: 'aHVudGVyMg==' } };
    const change = aStep({ target: { ...ref, kind: 'Secret' }, patch: [{ op: 'replace', path: '/data/password', value: 'bmV3' }] });
    for (const verb of ['patch', 'delete'] as const) {
      const intent = intentOf('r/t/one', { ...change, verb }, 'd', secret);
      expect(JSON.stringify(intent)).not.toMatch(/aHVudGVyMg|bmV3/);
      expect(intent.restorable).toBe(false);
    }
  });
});

describe('an open intent', () => {
  const digest = 'd';
  const marked = (id: string) => ({ ...start(), metadata: { ...start().metadata, resourceVersion: '9', annotations: { 'larry.dev/change': id } } });
  const withEarlier = { ...start(), metadata: { ...marked('r/t/two').metadata, annotations: { 'larry.dev/change': 'r/t/two', 'larry.dev/changes': 'r/t/zero r/t/one' } } };
  const other = { ...start(), metadata: { ...start().metadata, uid: 'u2', resourceVersion: '9' } };
  const churned = { ...start(), metadata: { ...start().metadata, resourceVersion: '9' } };

  it.each<[string, 'patch' | 'create' | 'delete', KubeObject | undefined, string]>([
    ['a patch whose mark is there', 'patch', marked('r/t/one'), 'applied'],
    ['a patch of an object as it was', 'patch', start(), 'not-applied'],
    ['a patch of an object with another status alone', 'patch', churned, 'not-applied'],
    ["a patch under the mark of another run's change", 'patch', marked('other/t/two'), 'outcome-unknown'],
    ['a patch under the mark of a change of this run, which would have kept its id', 'patch', marked('r/t/two'), 'not-applied'],
    ['a patch whose id a later change has kept', 'patch', withEarlier, 'applied'],
    ['a patch of an object that is gone', 'patch', undefined, 'outcome-unknown'],
    ['a patch of an object that was made anew', 'patch', other, 'outcome-unknown'],
    ['a creation that is there', 'create', marked('r/t/one'), 'applied'],
    ['a creation that is not there', 'create', undefined, 'not-applied'],
    ["a creation in whose place somebody else's object stands", 'create', other, 'outcome-unknown'],
    ['a deletion of what is gone', 'delete', undefined, 'applied'],
    ['a deletion in whose place another object stands', 'delete', other, 'applied'],
    ['a deletion that goes on', 'delete', { ...start(), metadata: { ...start().metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'applied'],
    ['a deletion of what is there', 'delete', churned, 'not-applied'],
  ])('of %s is decided by looking', async (_, verb, live, became) => {
    const target = memoryTarget(live ? [live] : []);
    const { effects } = contextOf(target);
    expect(await resolveIntent(effects, intentOf('r/t/one', aStep({ verb }), digest, verb === 'create' ? undefined : start()))).toBe(became);
  });

  it('is unknown while the target cannot be read', async () => {
    const { effects } = contextOf(memoryTarget([]), { cluster: { ...memoryTarget([]).cluster, get: () => Promise.reject(new Error('away')) } });
    expect(await resolveIntent(effects, intentOf('r/t/one', aStep(), digest, start()))).toBe('outcome-unknown');
  });
});
