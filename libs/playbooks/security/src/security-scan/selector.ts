import { listOf, recordOf, valueIn } from '@larry/contracts';

/** A LabelSelector of `meta/v1`, read once. `all` when it selects everything. */
export interface LabelSelector {
  all: boolean;
  /** False when it holds an operator that does not exist: it then selects nothing we could vouch for. */
  readable: boolean;
  matches(labels: Readonly<Record<string, string>>): boolean;
}

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

/** Reads `matchLabels` and `matchExpressions`; an empty or absent selector selects everything, as in a NetworkPolicy's `podSelector`. */
export function labelSelector(selector: unknown): LabelSelector {
  const requirements: Requirement[] = Object.entries(recordOf(valueIn(selector, 'matchLabels'))).map(
    ([key, value]) =>
      (labels) =>
        Object.hasOwn(labels, key) && labels[key] === value,
  );
  let readable = true;
  for (const entry of listOf(valueIn(selector, 'matchExpressions'))) {
    const requirement = expression(entry);
    if (requirement) requirements.push(requirement);
    else readable = false;
  }
  return {
    all: readable && requirements.length === 0,
    readable,
    matches: (labels) => readable && requirements.every((holds) => holds(labels)),
  };
}

function expression(entry: unknown): Requirement | undefined {
  const { key, operator } = recordOf(entry);
  const values = new Set(listOf(valueIn(entry, 'values')));
  if (typeof key !== 'string') return undefined;
  const has = (labels: Readonly<Record<string, string>>) => Object.hasOwn(labels, key);
  switch (operator) {
    case 'In':
      return (labels) => has(labels) && values.has(labels[key]);
    case 'NotIn':
      return (labels) => !has(labels) || !values.has(labels[key]);
    case 'Exists':
      return has;
    case 'DoesNotExist':
      return (labels) => !has(labels);
    default:
      return undefined;
  }
}
