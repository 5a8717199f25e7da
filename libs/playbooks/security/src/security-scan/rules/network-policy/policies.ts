import { listOf, recordOf, valueIn, type KubeObject } from '@larry/contracts';
import { labelSelector, type LabelSelector } from '../../selector';
import type { Subject } from '../family';

export type Direction = 'ingress' | 'egress';

/** What a NetworkPolicy does, without what it allows in detail. */
export interface Policy {
  namespace: string;
  selector: LabelSelector;
  directions: Direction[];
  /** Directions in which it has a rule without any limit. */
  allowsAll: Direction[];
  /** Directions in which it has no rule at all. */
  denies: Direction[];
  subject: Subject;
}

/** Reads a NetworkPolicy; `policyTypes` defaults as the API does: ingress always, egress when there is a rule for it. */
export function policyOf(object: KubeObject, namespace: string, subject: Subject): Policy {
  const spec = recordOf(object['spec']);
  const types = listOf(spec['policyTypes']);
  const directions: Direction[] =
    types.length > 0
      ? (['ingress', 'egress'] as const).filter((d) => types.includes(d === 'ingress' ? 'Ingress' : 'Egress'))
      : ['ingress', ...(listOf(spec['egress']).length > 0 ? (['egress'] as const) : [])];
  return {
    namespace,
    selector: labelSelector(spec['podSelector']),
    directions,
    allowsAll: directions.filter((d) => listOf(spec[d]).some((rule) => isUnlimited(rule, d))),
    denies: directions.filter((d) => listOf(spec[d]).length === 0),
    subject,
  };
}

function isUnlimited(rule: unknown, direction: Direction): boolean {
  return (
    listOf(valueIn(rule, direction === 'ingress' ? 'from' : 'to')).length === 0 &&
    listOf(valueIn(rule, 'ports')).length === 0
  );
}
