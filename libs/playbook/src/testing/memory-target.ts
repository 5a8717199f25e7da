import { describeRef, type KubeObject, type ObjectRef } from '@larry/contracts';
import type { ClusterReader, ClusterWriter, WriteOptions, WriteOutcome } from '@larry/kube';
import { memoryCluster } from '@larry/kube/testing';
import { PatchError } from '../errors';
import { repeatableOutcomes, type EffectJournal, type Intent, type IntentOutcome } from '../intent';
import { applyPatch, type PatchOperation } from '../json-patch';

/** A write that a {@link memoryTarget} accepted. */
export interface AcceptedWrite {
  verb: 'patch' | 'create' | 'delete';
  name: string;
  /** The object's `larry.dev/change` after the write; before it for a delete. */
  change?: string;
}

/** What goes wrong with the next write that is no dry run. */
export type WriteFault =
  /** Does it and says `unknown`. */
  | 'lose-reply'
  /** Does not do it and says `unknown`. */
  | 'lose-request'
  /** Says `unknown` now and does it when {@link MemoryTarget.arrive} is called: a request that is late. */
  | 'delay'
  | { refuse: number };

/** A cluster in memory that can be read and written, with the writes it accepted. */
export interface MemoryTarget {
  readonly cluster: ClusterReader;
  readonly writer: ClusterWriter;
  readonly accepted: readonly AcceptedWrite[];
  /** Dry runs seen. */
  readonly dryRuns: number;
  get(ref: ObjectRef): KubeObject | undefined;
  /** Somebody else's edit: puts an object in or changes it; a new resourceVersion. */
  edit(object: KubeObject): void;
  remove(ref: ObjectRef): void;
  fail(fault: WriteFault): void;
  /** Lets the late requests arrive. */
  arrive(): WriteOutcome[];
}

const keyOf = ({ kind, namespace, name }: Omit<ObjectRef, 'apiVersion'>): string => `${kind} ${namespace ?? ''}/${name}`;
const keyOfObject = ({ kind, metadata }: KubeObject): string => keyOf({ kind, name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) });

/** A target for tests of effects: RFC 6902 with `test`, uids, resourceVersions, preconditions, dry runs. `may` decides on rights. */
export function memoryTarget(objects: readonly KubeObject[], may: (verb: string, ref: ObjectRef) => boolean = () => true): MemoryTarget {
  const held = new Map(objects.map((o) => [keyOfObject(o), structuredClone(o)]));
  const accepted: AcceptedWrite[] = [];
  const late: (() => WriteOutcome)[] = [];
  const faults: WriteFault[] = [];
  let version = 100;
  let dryRuns = 0;

  const store = (verb: AcceptedWrite['verb'], object: KubeObject): WriteOutcome => {
    const stored = structuredClone(object);
    stored.metadata.resourceVersion = String(++version);
    if (verb === 'delete') held.delete(keyOfObject(object));
    else held.set(keyOfObject(object), stored);
    const change = object.metadata.annotations?.['larry.dev/change'];
    accepted.push({ verb, name: object.metadata.name, ...(change ? { change } : {}) });
    return { outcome: 'done', object: structuredClone(stored) };
  };

  const send = (options: WriteOptions, execute: (dryRun: boolean) => WriteOutcome): Promise<WriteOutcome> => {
    options.guard?.();
    if (options.dryRun) {
      dryRuns += 1;
      return Promise.resolve(execute(true));
    }
    const fault = faults.shift();
    if (fault === 'delay') late.push(() => execute(false));
    if (fault === 'lose-reply') execute(false);
    if (typeof fault === 'object') return Promise.resolve({ outcome: 'refused', status: fault.refuse, message: `refused with ${fault.refuse}` });
    return Promise.resolve(fault ? { outcome: 'unknown', message: 'no answer' } : execute(false));
  };

  const patch = ({ target, patch: operations }: Parameters<ClusterWriter['patch']>[0], dryRun: boolean): WriteOutcome => {
    const live = held.get(keyOf(target));
    if (!live) return { outcome: 'refused', status: 404, message: `${describeRef(target)} not found` };
    try {
      const after = applyPatch(live, operations as PatchOperation[]);
      return dryRun ? { outcome: 'done', object: after } : store('patch', after);
    } catch (error) {
      if (error instanceof PatchError) return { outcome: 'conflict', message: error.message };
      throw error;
    }
  };

  const create = (object: KubeObject, dryRun: boolean): WriteOutcome => {
    if (held.has(keyOfObject(object))) return { outcome: 'conflict', message: 'already exists' };
    const made = { ...object, metadata: { ...object.metadata, uid: `uid-${++version}` } };
    return dryRun ? { outcome: 'done', object: made } : store('create', made);
  };

  const remove = (target: ObjectRef, expected: { uid: string; resourceVersion?: string }, dryRun: boolean): WriteOutcome => {
    const live = held.get(keyOf(target));
    if (!live) return { outcome: 'refused', status: 404, message: `${describeRef(target)} not found` };
    const fits = live.metadata.uid === expected.uid && (expected.resourceVersion === undefined || live.metadata.resourceVersion === expected.resourceVersion);
    if (!fits) return { outcome: 'conflict', message: 'precondition failed' };
    return dryRun ? { outcome: 'done', object: live } : store('delete', live);
  };

  const now = (): ClusterReader => memoryCluster([...held.values()].map((o) => structuredClone(o)));
  return {
    cluster: { ...memoryCluster([]), list: (kind, options) => now().list(kind, options), get: (ref) => now().get(ref) },
    writer: {
      may: (verb, ref) => Promise.resolve(may(verb, ref)),
      patch: (change, options) => send(options, (dryRun) => patch(change, dryRun)),
      create: (object, options) => send(options, (dryRun) => create(object, dryRun)),
      remove: (ref, expected, options) => send(options, (dryRun) => remove(ref, expected, dryRun)),
    },
    accepted,
    get dryRuns() {
      return dryRuns;
    },
    get: (ref) => structuredClone(held.get(keyOf(ref))),
    edit: (object) => {
      const edited = structuredClone(object);
      edited.metadata.resourceVersion = String(++version);
      held.set(keyOfObject(edited), edited);
    },
    remove: (ref) => void held.delete(keyOf(ref)),
    fail: (fault) => void faults.push(fault),
    arrive: () => late.splice(0).map((execute) => execute()),
  };
}

/** A journal in memory that behaves as the real one: the first intent stays until its outcome may be repeated. */
export function memoryJournal(): EffectJournal & { outcomeOf(id: string): IntentOutcome | undefined } {
  const kept = new Map<string, { intent: Intent; outcome?: IntentOutcome }>();
  return {
    intent: (intent) => {
      const before = kept.get(intent.id);
      if (!before || (before.outcome && repeatableOutcomes.includes(before.outcome))) kept.set(intent.id, { intent: structuredClone(intent) });
      return Promise.resolve();
    },
    outcome: (id, outcome) => {
      const entry = kept.get(id);
      if (!entry) return Promise.reject(new Error(`Change ${id} has an outcome and no intent: write the intent first.`));
      entry.outcome = outcome;
      return Promise.resolve();
    },
    entries: () => Promise.resolve(structuredClone([...kept.values()])),
    outcomeOf: (id) => kept.get(id)?.outcome,
  };
}
