import type { LabelSelector, NodeSelectorTerm, Node, SelectorRequirement } from './types';

type Labels = Record<string, string> | undefined;

/** Whether labels satisfy a label selector. An empty selector matches everything, an absent one nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (!selector) return false;
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels?.[key] === value) &&
    (selector.matchExpressions ?? []).every((requirement) => matchesRequirement(requirement, labels))
  );
}

/** Whether labels contain every pair of a plain map, as in a Service. An empty map matches nothing. */
export function matchesMap(map: Labels, labels: Labels): boolean {
  const entries = Object.entries(map ?? {});
  return entries.length > 0 && entries.every(([key, value]) => labels?.[key] === value);
}

/** Whether a node satisfies one term; all of its parts must hold, and an empty term matches no node. */
export function matchesNodeTerm(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length + fields.length === 0) return false;
  return (
    expressions.every((requirement) => matchesRequirement(requirement, node.metadata.labels)) &&
    fields.every((requirement) => matchesRequirement(requirement, { 'metadata.name': node.metadata.name }))
  );
}

function matchesRequirement({ key, operator, values = [] }: SelectorRequirement, labels: Labels): boolean {
  const value = labels?.[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
