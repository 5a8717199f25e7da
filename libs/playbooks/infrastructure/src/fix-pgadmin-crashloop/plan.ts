import { describeRef, printable, type PlannedChange } from '@larry/contracts';
import type { Diagnosis } from '@larry/playbook';
import type { Facts } from './facts';
import type { Options } from './options';
import { categoryOfStep, plannedFor } from './plan-change';
import { restartsFor } from './restarts';

/**
 * The change of each finding that Larry may make by himself; everything else stays a remedy for people. An object that
 * carries a change of this run already gets no other: the engine adopts it by its mark, and it is verified. Pure.
 */
export function plan(facts: Facts, diagnosis: Diagnosis, _options: Options): PlannedChange[] {
  if (!facts.cluster.runtime) return [];
  const ours = facts.changed.map(({ ref, step }): PlannedChange => ({
    step,
    summary: printable(`Verify the change that an earlier attempt made to ${describeRef(ref)}`, 500),
    verb: 'patch',
    target: ref,
    patch: [],
    depends: [],
    category: categoryOfStep(step),
    alwaysAsk: false,
  }));
  const isOurs = new Set(facts.changed.map(({ ref }) => describeRef(ref)));
  const planned = diagnosis.findings.filter((f) => !isOurs.has(describeRef(f.object))).map(plannedFor);
  const changes = [...ours, ...planned.flatMap((p) => ('change' in p ? [p.change] : []))];
  return [...changes, ...changes.flatMap((change) => restartsFor(facts, change)).filter(({ target }) => !isOurs.has(describeRef(target)))];
}
