import assert from 'node:assert/strict';
import { canonicalJson, plannedChangeSchema, type KubeObject, type ObjectRef, type PlannedChange } from '@larry/contracts';
import type { ClusterReader, ClusterWriter } from '@larry/kube';
import { applyChange, changeDigest, changeId, type EffectContext } from '../effects';
import { asCreated, type EffectJournal, type Intent } from '../intent';
import { rollBack } from '../rollback';
import { memoryJournal } from './memory-target';

/** A target that the cases run against: the double, or an API server. */
export interface EffectTarget {
  readonly cluster: ClusterReader;
  readonly writer: ClusterWriter;
  /** Somebody else's edit of an object, or its creation. */
  edit(object: KubeObject): Promise<void> | void;
  /** The next write that is no dry run: done without an answer, or neither. */
  fail(fault: 'lose-reply' | 'lose-request'): void;
  /** How many writes the target accepted from us. */
  writes(): number;
}

const target: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'effects' };

/** A ConfigMap that the cases change. */
export function aTargetObject(metadata: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'effects', namespace: 'default', finalizers: ['larry.dev/one'], ...metadata }, data: { a: '1', z: '26' } };
}

/** A step of a plan on that object: appends to a list, which is not idempotent by nature. */
export function aStep(change: Partial<PlannedChange> = {}): PlannedChange {
  const patch = [{ op: 'add', path: '/metadata/finalizers/-', value: 'larry.dev/two' }];
  const base = { step: 'one', summary: 'append', verb: 'patch', target, depends: ['/data/a'], category: 'test' };
  return plannedChangeSchema.parse({ ...base, ...((change.verb ?? 'patch') === 'patch' ? { patch } : {}), ...change });
}

class Case {
  readonly journal: EffectJournal = memoryJournal();
  readonly effects: EffectContext;

  constructor(readonly target: EffectTarget) {
    const { cluster, writer } = target;
    this.effects = { run: 'r', task: 't', cluster, writer, journal: this.journal, guard: () => undefined, signal: new AbortController().signal };
  }

  live = (): Promise<KubeObject | undefined> => this.target.cluster.get(target);

  async digest(change: PlannedChange): Promise<string> {
    return changeDigest(change, await this.live());
  }

  async apply(change: PlannedChange, digest?: string): Promise<string> {
    const became = await applyChange(this.effects, change, digest ?? (await this.digest(change)));
    return became.outcome;
  }

  async intent(step = 'one'): Promise<Intent> {
    const found = (await this.journal.entries()).find((e) => e.intent.id === changeId('r', 't', step));
    assert(found, `no intent of ${step}`);
    return found.intent;
  }

  async undo(step = 'one'): Promise<string> {
    return (await rollBack(this.effects, await this.intent(step))).outcome;
  }

  /** The list that the steps append to, in words. */
  async list(): Promise<string> {
    return ((await this.live())?.metadata.finalizers ?? []).map((f) => f.replace('larry.dev/', '')).join(' ');
  }
}

const appending = (step: string): PlannedChange => aStep({ step, patch: [{ op: 'add', path: '/metadata/finalizers/-', value: `larry.dev/${step}` }] });
const creation = aStep({ verb: 'create', object: { ...aTargetObject(), metadata: { name: 'effects', namespace: 'default' } }, depends: [] });
const deletion = aStep({ verb: 'delete' });
const withoutFinalizers = (): KubeObject => aTargetObject({ finalizers: undefined, labels: { l: 'x' } });

type Body = (run: Case) => Promise<void>;

const applying: Record<string, Body> = {
  'makes a change once and leaves its mark in the same request': async (run) => {
    await run.target.edit(aTargetObject());
    assert.equal(await run.apply(aStep()), 'applied');
    assert.equal(await run.list(), 'one two');
    assert.equal((await run.live())?.metadata.annotations?.['larry.dev/change'], 'r/t/one');
    assert.equal(run.target.writes(), 1);
  },
  'adopts what carries its mark, also when every record of it is lost': async (run) => {
    await run.target.edit(aTargetObject());
    await run.apply(aStep());
    const successor = new Case(run.target);
    assert.equal(await successor.apply(aStep()), 'adopted');
    assert.equal(await successor.undo(), 'refused');
    assert.equal(run.target.writes(), 1);
  },
  'adopts each of several changes of one object when every record of them is lost': async (run) => {
    await run.target.edit(aTargetObject({ annotations: { 'larry.dev/change': 'r0/t/x' } }));
    for (const step of ['two', 'three', 'four']) assert.equal(await run.apply(appending(step)), 'applied');
    const successor = new Case(run.target);
    for (const step of ['two', 'three', 'four']) assert.equal(await successor.apply(appending(step)), 'adopted');
    assert.equal(await successor.apply(appending('five')), 'applied');
    assert.equal(await run.list(), 'one two three four five');
    assert.equal((await run.live())?.metadata.annotations?.['larry.dev/changes'], 'r/t/two r/t/three r/t/four');
  },
  'adopts a change whose reply was lost': async (run) => {
    await run.target.edit(aTargetObject());
    run.target.fail('lose-reply');
    assert.equal(await run.apply(aStep()), 'adopted');
    assert.equal(await run.list(), 'one two');
  },
  'sends again what did not arrive': async (run) => {
    await run.target.edit(aTargetObject());
    run.target.fail('lose-request');
    assert.equal(await run.apply(aStep()), 'applied');
    assert.equal(run.target.writes(), 1);
  },
  'creates once, whether the reply arrives or not': async (run) => {
    run.target.fail('lose-reply');
    assert.equal(await run.apply(creation), 'adopted');
    assert.equal(await new Case(run.target).apply(creation), 'adopted');
    assert.equal(run.target.writes(), 1);
  },
  'deletes once, whether the reply arrives or not': async (run) => {
    await run.target.edit(withoutFinalizers());
    run.target.fail('lose-reply');
    assert.equal(await run.apply(deletion), 'adopted');
    assert.equal(await run.live(), undefined);
    assert.equal(run.target.writes(), 1);
  },
  'does not change what was edited after it was diagnosed': async (run) => {
    await run.target.edit(aTargetObject());
    const digest = await run.digest(aStep());
    await run.target.edit({ ...((await run.live()) as KubeObject), data: { a: '2' } });
    assert.equal(await run.apply(aStep(), digest), 'superseded');
    assert.equal(run.target.writes(), 0);
  },
  'goes on when only what it does not depend on was edited': async (run) => {
    await run.target.edit(aTargetObject());
    const digest = await run.digest(aStep());
    await run.target.edit({ ...((await run.live()) as KubeObject), data: { a: '1', z: 'other' } });
    assert.equal(await run.apply(aStep(), digest), 'applied');
  },
  'does not create over what is there, and takes what is gone as deleted': async (run) => {
    assert.equal(await run.apply(deletion), 'adopted');
    await run.target.edit(aTargetObject());
    assert.equal(await run.apply(creation), 'superseded');
    assert.equal(run.target.writes(), 0);
  },
};

async function restored(run: Case, change: PlannedChange, before: KubeObject): Promise<void> {
  await run.target.edit(before);
  const pre = JSON.stringify(asCreated((await run.live()) as KubeObject));
  assert.equal(await run.apply(change), 'applied');
  assert.notEqual(JSON.stringify(asCreated((await run.live()) ?? before)), change.verb === 'delete' ? undefined : pre);
  assert.equal(await run.undo(), 'applied');
  assert.equal(JSON.stringify(asCreated((await run.live()) as KubeObject)), pre);
}

const undoing: Record<string, Body> = {
  'restores the object byte for byte, also where it had no annotations': (run) => restored(run, aStep(), aTargetObject()),
  'restores the mark of the change before': (run) => restored(run, aStep(), aTargetObject({ annotations: { 'larry.dev/change': 'r0/t/x', other: 'y' } })),
  'restores what was deleted, byte for byte': (run) => restored(run, deletion, withoutFinalizers()),
  'removes what was created': async (run) => {
    assert.equal(await run.apply(creation), 'applied');
    assert.equal(await run.undo(), 'applied');
    assert.equal(await run.live(), undefined);
  },
  'takes three changes of one object back, the later first, byte for byte': async (run) => {
    await run.target.edit(aTargetObject({ annotations: { 'larry.dev/change': 'r0/t/y', 'larry.dev/changes': 'r0/t/x' } }));
    const pre = JSON.stringify(asCreated((await run.live()) as KubeObject));
    for (const step of ['one', 'two', 'three']) await run.apply(appending(step));
    assert.equal(await run.list(), 'one one two three');
    for (const step of ['three', 'two', 'one']) assert.equal(await run.undo(step), 'applied');
    assert.equal(canonicalJson(asCreated((await run.live()) as KubeObject)), canonicalJson(JSON.parse(pre)));
  },
  'takes an earlier change of an object back and leaves the later one, with its mark': async (run) => {
    await run.target.edit(aTargetObject());
    await run.apply(aStep({ patch: [{ op: 'add', path: '/data/b', value: '1' }] }));
    await run.apply(appending('two'));
    assert.equal(await run.undo(), 'applied');
    assert.equal(await run.list(), 'one two');
    const annotations = (await run.live())?.metadata.annotations;
    assert.equal(canonicalJson(annotations), canonicalJson({ 'larry.dev/change': 'r/t/two' }));
  },
  'leaves alone what somebody else has changed since': async (run) => {
    await run.target.edit(aTargetObject());
    await run.apply(aStep());
    const live = (await run.live()) as KubeObject;
    await run.target.edit({ ...live, metadata: { ...live.metadata, finalizers: ['larry.dev/one', 'larry.dev/theirs', 'larry.dev/two'] } });
    assert.equal(await run.undo(), 'superseded');
    assert.equal(await run.list(), 'one theirs two');
  },
  'does not call a field taken back that still stands, when only the mark was removed': async (run) => {
    await run.target.edit(aTargetObject());
    await run.apply(aStep({ patch: [{ op: 'add', path: '/data/b', value: '1' }] }));
    const live = (await run.live()) as KubeObject;
    await run.target.edit({ ...live, metadata: { ...live.metadata, annotations: {} } });
    assert.equal(await run.undo(), 'superseded');
    assert.equal(((await run.live()) as { data?: Record<string, string> }).data?.['b'], '1');
  },
  'knows a rollback whose reply was lost, of each kind': async (run) => {
    await run.target.edit(aTargetObject());
    await run.apply(aStep());
    run.target.fail('lose-reply');
    assert.equal(await run.undo(), 'adopted');
    assert.equal(await run.list(), 'one');
    assert.equal(run.target.writes(), 2);
  },
  'knows that a deleted object was put back when the reply was lost': async (run) => {
    await run.target.edit(withoutFinalizers());
    await run.apply(deletion);
    run.target.fail('lose-reply');
    assert.equal(await run.undo(), 'adopted');
    assert.equal(run.target.writes(), 2);
  },
};

/** What every target must do with changes and their rollbacks; each case wants a target without the object. */
export const effectCases: readonly { name: string; run(target: EffectTarget): Promise<void> }[] = Object.entries({ ...applying, ...undoing }).map(([name, body]) => ({
  name,
  run: (on) => body(new Case(on)),
}));
