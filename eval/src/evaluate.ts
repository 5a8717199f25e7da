import { collectFacts, diagnose, parseProbes, type DiagnosisFinding, type DiagnosisReport } from '@larry/diagnosis';
import type { ClusterReader } from '@larry/kube';
import type { EvalCase, Expected } from './case';
import type { World } from './cluster/cluster';
import { readerOf } from './given';

/** How one case went. */
export interface Outcome {
  id: string;
  class: EvalCase['class'];
  half: EvalCase['half'];
  variant: string;
  expected: readonly Expected[];
  /** All causes found at the first places (one fault: the first; two: both of the first two); none found on a healthy cluster. */
  right: boolean;
  /** The right cause at the first place, whatever the object; and the right object, whatever the cause. */
  causeRight: boolean;
  objectRight: boolean;
  /** Root causes beyond those that the case holds. */
  extra: number;
  found: DiagnosisFinding[];
  unknowns: DiagnosisReport['unknowns'];
  ms: number;
}

/** Builds the case's cluster, lets Larry diagnose it, or one namespace of it, and compares. The time is that of reading and diagnosing. */
export async function evaluate(one: EvalCase, open: (name: string, world: World) => ClusterReader | Promise<ClusterReader> = (name, world) => readerOf(name, world), namespace?: string): Promise<Outcome> {
  const world = one.build();
  const reader = await open(one.id, world);
  const began = performance.now();
  const facts = await collectFacts(reader, { ...(world.probes ? { probes: parseProbes(world.probes) } : {}), ...(namespace ? { namespace } : {}) });
  const { findings, unknowns } = diagnose(facts);
  const ms = performance.now() - began;
  await reader.close();
  return { ...compare(one.expected, findings), id: one.id, class: one.class, half: one.half, variant: one.variant, expected: one.expected, found: findings, unknowns, ms };
}

type Verdict = Pick<Outcome, 'right' | 'causeRight' | 'objectRight' | 'extra'>;

/** Compares what was found with what the case holds; the order among several expected ones is free. */
export function compare(expected: readonly Expected[], found: readonly Pick<DiagnosisFinding, 'cause' | 'kind' | 'namespace' | 'name'>[]): Verdict {
  const first = found.slice(0, Math.max(1, expected.length));
  const all = (same: (want: Expected, got: Pick<DiagnosisFinding, 'cause' | 'kind' | 'namespace' | 'name'>) => boolean) => expected.every((want) => first.some((got) => same(want, got)));
  const extra = Math.max(0, found.length - expected.length);
  if (expected.length === 0) return { right: found.length === 0, causeRight: found.length === 0, objectRight: found.length === 0, extra };
  const sameCause = (want: Expected, got: { cause: string }) => want.cause === got.cause;
  const sameObject = (want: Expected, got: { kind: string; namespace: string; name: string }) => want.kind === got.kind && (want.namespace ?? '') === got.namespace && want.name === got.name;
  return { right: all((want, got) => sameCause(want, got) && sameObject(want, got)), causeRight: all(sameCause), objectRight: all(sameObject), extra };
}
