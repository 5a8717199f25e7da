import type { KubeObject } from '@larry/contracts';
import { BadSelectorError } from './errors';
import type { ListOptions } from './reader';

type Labels = Record<string, string>;
/** Says whether an object is meant. */
export type ObjectPredicate = (object: KubeObject) => boolean;

const labelKey = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?`;
const setForm = new RegExp(String.raw`^(${labelKey})\s+(in|notin)\s*\(([^()]*)\)$`);
const equalityForm = new RegExp(String.raw`^(${labelKey})\s*(==|=|!=)\s*([-A-Za-z0-9_.]*)$`);
const existsForm = new RegExp(String.raw`^(!?)\s*(${labelKey})$`);

/** Field selectors that every source serves; the API server itself refuses others for most kinds. */
const selectableField = /^(metadata\.(name|namespace)|spec\.nodeName|status\.phase|type|reason|involvedObject\.[A-Za-z]+)$/;

/**
 * Parses Kubernetes' label selector syntax: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas.
 * `!=` and `notin` also select objects without the label, as the API server does.
 * @throws BadSelectorError naming the part that cannot be read.
 */
export function parseLabelSelector(selector: string): (labels: Labels) => boolean {
  const requirements = splitOutsideParentheses(selector).map((part) => parseRequirement(part, selector));
  return (labels) => requirements.every((holds) => holds(labels));
}

/**
 * Parses a field selector: `path=value`, `path==value` or `path!=value`, joined by commas. Served paths are
 * `metadata.name`, `metadata.namespace`, `spec.nodeName`, `status.phase`, `type`, `reason` and `involvedObject.*`.
 * @throws BadSelectorError for any other path.
 */
export function parseFieldSelector(selector: string): ObjectPredicate {
  const requirements = selector
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part): ObjectPredicate => {
      const match = /^\s*([A-Za-z.]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part);
      const [, path = '', operator, wanted = ''] = match ?? [];
      if (!match || !selectableField.test(path)) {
        throw new BadSelectorError(
          `field selector ${JSON.stringify(selector)}: cannot read ${JSON.stringify(part)}; use metadata.name, metadata.namespace, spec.nodeName, status.phase, type, reason or involvedObject.* with =, == or !=`,
        );
      }
      return (object) => (textAt(object, path) === wanted) === (operator !== '!=');
    });
  return (object) => requirements.every((holds) => holds(object));
}

/** One predicate for namespace, labels and fields of {@link ListOptions}. @throws BadSelectorError */
export function selects(options: ListOptions): ObjectPredicate {
  const { namespace } = options;
  const labels = options.labelSelector ? parseLabelSelector(options.labelSelector) : undefined;
  const fields = options.fieldSelector ? parseFieldSelector(options.fieldSelector) : undefined;
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (labels === undefined || labels(object.metadata.labels ?? {})) &&
    (fields === undefined || fields(object));
}

function parseRequirement(part: string, selector: string): (labels: Labels) => boolean {
  const set = setForm.exec(part);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return (labels) => values.has(own(labels, key) ?? '\0') === (operator === 'in');
  }
  const equality = equalityForm.exec(part);
  if (equality) {
    const [, key = '', operator, value = ''] = equality;
    return (labels) => (own(labels, key) === value) === (operator !== '!=');
  }
  const exists = existsForm.exec(part);
  if (exists) {
    const [, not, key = ''] = exists;
    return (labels) => (own(labels, key) !== undefined) === (not === '');
  }
  throw new BadSelectorError(`label selector ${JSON.stringify(selector)}: cannot read ${JSON.stringify(part)}`);
}

function splitOutsideParentheses(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function own(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function textAt(object: KubeObject, path: string): string {
  let at: unknown = object;
  for (const step of path.split('.')) {
    at = at !== null && typeof at === 'object' && Object.hasOwn(at, step) ? (at as Record<string, unknown>)[step] : undefined;
  }
  return typeof at === 'string' ? at : '';
}
