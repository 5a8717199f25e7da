import { badRequest } from './api-error';
import type { Kind } from './kinds';
import type { KubeObject } from './kube-object';
import { at, list, text } from './kube-object';

export type Matcher = (object: KubeObject) => boolean;

/** One term of a label selector. */
interface Requirement {
  key: string;
  test: (value: string | undefined) => boolean;
}

const TOKEN = /\s*(!=|==|=|!|\(|\)|,|<|>|[^\s!=(),<>]+)/y;

function tokens(selector: string): string[] {
  const out: string[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = selector.trimEnd();
  while (TOKEN.lastIndex < trimmed.length) {
    const match = TOKEN.exec(trimmed);
    if (!match) throw badRequest(`unable to parse requirement: "${selector}"`);
    out.push(match[1] as string);
  }
  return out;
}

const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** Reads `a=b,c!=d,e in (f,g),!h,i` (every operator of Kubernetes' label selectors). Throws a 400 for what is not one. */
export function labelSelector(selector: string | null | undefined): Matcher {
  if (!selector?.trim()) return () => true;
  const requirements = parseLabels(selector);
  return (object) => requirements.every(({ key, test }) => test(object.metadata.labels?.[key]));
}

function parseLabels(selector: string): Requirement[] {
  const t = tokens(selector);
  const out: Requirement[] = [];
  let i = 0;
  const fail = (why: string): never => {
    throw badRequest(`unable to parse requirement: ${why}`);
  };
  const key = (): string => {
    const k = t[i++] ?? '';
    return KEY.test(k) ? k : fail(`found '${k}', expected: a label key`);
  };
  const word = (): string => (t[i] !== undefined && !/^[!=(),<>]+$/.test(t[i] as string) ? (t[i++] as string) : '');
  const set = (): string[] => {
    if (t[i++] !== '(') fail(`found '${t[i - 1] ?? ''}', expected: '('`);
    const values = [word()];
    while (t[i] === ',') {
      i++;
      values.push(word());
    }
    if (t[i++] !== ')') fail(`found '${t[i - 1] ?? ''}', expected: ',' or ')'`);
    return values;
  };
  const requirement = (): Requirement => {
    if (t[i] === '!') {
      i++;
      return { key: key(), test: (v) => v === undefined };
    }
    const k = key();
    const op = t[i];
    if (op === undefined || op === ',') return { key: k, test: (v) => v !== undefined };
    i++;
    switch (op) {
      case '=': case '==': { const w = word(); return { key: k, test: (v) => v === w }; }
      case '!=': { const w = word(); return { key: k, test: (v) => v !== w }; }
      case 'in': { const s = set(); return { key: k, test: (v) => v !== undefined && s.includes(v) }; }
      case 'notin': { const s = set(); return { key: k, test: (v) => v === undefined || !s.includes(v) }; }
      case '>': { const w = Number(word()); return { key: k, test: (v) => v !== undefined && Number(v) > w }; }
      case '<': { const w = Number(word()); return { key: k, test: (v) => v !== undefined && Number(v) < w }; }
      default: return fail(`found '${op}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  };
  while (i < t.length) {
    out.push(requirement());
    if (i < t.length && t[i++] !== ',') fail(`found '${t[i - 1]}', expected: ',' or 'end of string'`);
    else if (i === t.length && t[i - 1] === ',') fail(`found '', expected: identifier after ','`);
  }
  return out;
}

type Getter = (object: KubeObject) => string;
const field = (...path: string[]): Getter => (object) => {
  const value = at(object, ...path);
  return value === undefined || value === null ? '' : String(value);
};
const COMMON: Record<string, Getter> = { 'metadata.name': field('metadata', 'name'), 'metadata.namespace': field('metadata', 'namespace') };

/** Fields beside name and namespace that a built-in kind can be selected by. */
const SELECTABLE: Record<string, Record<string, Getter>> = {
  '/pods': {
    'spec.nodeName': field('spec', 'nodeName'),
    'spec.restartPolicy': field('spec', 'restartPolicy'),
    'spec.schedulerName': field('spec', 'schedulerName'),
    'spec.serviceAccountName': field('spec', 'serviceAccountName'),
    'spec.hostNetwork': (o) => String(at(o, 'spec', 'hostNetwork') ?? false),
    'status.phase': field('status', 'phase'),
    'status.podIP': field('status', 'podIP'),
    'status.podIPs': (o) => text(list(at(o, 'status', 'podIPs'))[0]?.['ip']),
    'status.nominatedNodeName': field('status', 'nominatedNodeName'),
  },
  '/events': {
    ...Object.fromEntries(
      ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((f) => [`involvedObject.${f}`, field('involvedObject', f)]),
    ),
    reason: field('reason'),
    reportingComponent: field('reportingComponent'),
    source: (o) => text(at(o, 'source', 'component')) || text(o['reportingComponent']),
    type: field('type'),
  },
  '/secrets': { type: field('type') },
  '/namespaces': { 'status.phase': field('status', 'phase') },
  '/nodes': { 'spec.unschedulable': (o) => String(at(o, 'spec', 'unschedulable') ?? false) },
  '/services': { 'spec.clusterIP': field('spec', 'clusterIP'), 'spec.type': field('spec', 'type') },
  '/replicationcontrollers': { 'status.replicas': (o) => String(at(o, 'status', 'replicas') ?? 0) },
  'apps/replicasets': { 'status.replicas': (o) => String(at(o, 'status', 'replicas') ?? 0) },
  'batch/jobs': { 'status.successful': (o) => String(at(o, 'status', 'succeeded') ?? 0) },
};
/** Kinds of the core group whose unknown field labels are refused in other words than everybody else's. */
const OWN_WORDS = new Set(['/pods', '/events', '/secrets', '/namespaces', '/nodes', '/services', '/replicationcontrollers', 'apps/replicasets', 'batch/jobs']);

/** Reads `a=b,c!=d` over the fields that Kubernetes lets this kind be selected by. Throws a 400 for any other field. */
export function fieldSelector(kind: Kind, selector: string | null | undefined): Matcher {
  if (!selector?.trim()) return () => true;
  const key = kind.storedAs ?? `${kind.group}/${kind.plural}`;
  const custom = Object.fromEntries((kind.custom?.selectableFields ?? []).map((p) => [p.replace(/^\./, ''), field(...p.replace(/^\./, '').split('.'))]));
  const getters: Record<string, Getter> = { ...COMMON, ...SELECTABLE[key], ...custom };
  const terms = selector.split(',').filter((term) => term.trim()).map((term) => {
    const match = /^\s*([^!=\s]+)\s*(!=|==|=)\s*(.*?)\s*$/.exec(term);
    if (!match) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    const [, name = '', operator, value = ''] = match;
    const get = getters[name];
    if (!get) {
      throw badRequest(OWN_WORDS.has(key) ? `field label not supported: ${name}` : `"${name}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
    }
    const wanted = value.replace(/\\([\\,=])/g, '$1');
    return (object: KubeObject) => (get(object) === wanted) === (operator !== '!=');
  });
  return (object) => terms.every((term) => term(object));
}

/** Whether a `LabelSelector` object (matchLabels, matchExpressions) selects these labels; an empty one selects all. */
export function matchesLabels(selector: unknown, labels: Record<string, string> | undefined): boolean {
  const have = labels ?? {};
  const exact = Object.entries((at(selector, 'matchLabels') ?? {}) as Record<string, string>).every(([k, v]) => have[k] === v);
  return exact && list(at(selector, 'matchExpressions')).every((e) => {
    const value = have[text(e['key'])];
    const values = (e['values'] ?? []) as string[];
    switch (e['operator']) {
      case 'In': return value !== undefined && values.includes(value);
      case 'NotIn': return value === undefined || !values.includes(value);
      case 'Exists': return value !== undefined;
      case 'DoesNotExist': return value === undefined;
      default: return false;
    }
  });
}
