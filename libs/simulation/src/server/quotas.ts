import { forbidden } from './api-error';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { at, list, record, sameJson } from './kube-object';
import { canonicalQuantity, quantityValue } from './quantity';
import type { ServerState } from './state';

const quotaKind = (state: ServerState) => state.kinds.find('', 'v1', 'resourcequotas') as Kind;

/** Resources that a quota counts under their bare name; all others as `count/RESOURCE.GROUP`. */
const BARE = new Set(['pods', 'services', 'configmaps', 'secrets', 'persistentvolumeclaims', 'replicationcontrollers', 'resourcequotas']);
const namesOf = (kind: Kind): string[] => {
  const counted = `count/${kind.group ? `${kind.plural}.${kind.group}` : kind.plural}`;
  return kind.group === '' && BARE.has(kind.plural) ? [kind.plural, counted] : [counted];
};

/** How many of a kind there are; of pods, as the quota controller does, only those that have not ended. */
function countOf(state: ServerState, name: string, namespace: string): number | undefined {
  const [plural = '', ...group] = name.replace(/^count\//, '').split('.');
  const kind = name.startsWith('count/') || BARE.has(name) ? state.kinds.byPlural(group.join('.'), plural) : undefined;
  if (!kind) return undefined;
  return name === 'pods' ? livePods(state, namespace).length : state.store.list(kind, namespace).length;
}

function livePods(state: ServerState, namespace: string): readonly KubeObject[] {
  return state.store.list(state.kinds.find('', 'v1', 'pods') as Kind, namespace).filter((pod) => !['Succeeded', 'Failed'].includes(String(at(pod, 'status', 'phase'))));
}

/** What a pod's containers ask for or may use: `cpu` and `memory` stand for requests. */
function amountOf(pod: KubeObject, name: string): number {
  const [section, resource] = sectionOf(name);
  const of = (field: string) => list(at(pod, 'spec', field)).map((container) => quantityValue(record(at(container, 'resources', section))[resource] ?? 0) || 0);
  return Math.max(of('containers').reduce((sum, n) => sum + n, 0), 0, ...of('initContainers'));
}

const COMPUTE = /^(?:(?:requests|limits)\.)?(?:cpu|memory)$/;
const sectionOf = (name: string): [string, string] => (name.includes('.') ? (name.split('.') as [string, string]) : ['requests', name]);
const claimSize = (claim: KubeObject) => quantityValue(at(claim, 'spec', 'resources', 'requests', 'storage') ?? 0) || 0;

/** How much of a quota's resource is used in a namespace; undefined for one that is not kept here. */
function usedOf(state: ServerState, name: string, namespace: string): number | undefined {
  if (COMPUTE.test(name)) return livePods(state, namespace).reduce((sum, pod) => sum + amountOf(pod, name), 0);
  if (name !== 'requests.storage') return countOf(state, name, namespace);
  return state.store.list(state.kinds.find('', 'v1', 'persistentvolumeclaims') as Kind, namespace).reduce((sum, claim) => sum + claimSize(claim), 0);
}

/** An amount as Kubernetes writes it: whole numbers, thousandths of a core, powers of 1024. */
function written(name: string, amount: number): string {
  if (/(?:memory|storage)$/.test(name) && amount > 0 && amount % 1024 === 0) {
    const power = Math.min(6, [1, 2, 3, 4, 5, 6].findLast((n) => amount % 1024 ** n === 0) ?? 1);
    return `${amount / 1024 ** power}${'KMGTPE'[power - 1]}i`;
  }
  return canonicalQuantity(String(Number(amount.toFixed(6)))) ?? String(amount);
}

/** What a new object asks of a quota's resource; undefined where it has nothing to do with it. */
function askedOf(kind: Kind, object: KubeObject, name: string): number | undefined {
  if (namesOf(kind).includes(name)) return 1;
  if (kind.group !== '') return undefined;
  if (kind.plural === 'pods' && COMPUTE.test(name)) return amountOf(object, name);
  return kind.plural === 'persistentvolumeclaims' && name === 'requests.storage' ? claimSize(object) : undefined;
}

/**
 * Refuses a new object that would exceed a quota, or a pod whose containers do not say what a quota counts
 * (apiserver `pkg/admission/plugin/resourcequota/controller.go`). Quotas with scopes are not kept.
 */
export function checkQuotas(state: ServerState, kind: Kind, namespace: string | undefined, object: KubeObject): void {
  if (namespace === undefined) return;
  const name = object.metadata.name ?? '';
  for (const quota of state.store.list(quotaKind(state), namespace)) {
    const hard = record(at(quota, 'spec', 'hard'));
    if (at(quota, 'spec', 'scopes') || at(quota, 'spec', 'scopeSelector')) continue;
    const unsaid = kind.plural === 'pods' && kind.group === '' ? unsaidBy(object, Object.keys(hard)) : [];
    if (unsaid.length > 0) throw forbidden(kind, name, `failed quota: ${quota.metadata.name}: must specify ${unsaid.join('; ')}`);
    const over = Object.keys(hard).sort().flatMap((key) => {
      const asked = askedOf(kind, object, key);
      const used = asked === undefined ? 0 : (usedOf(state, key, namespace) ?? 0);
      return asked !== undefined && asked > 0 && used + asked > quantityValue(hard[key]) + 1e-9 ? [{ key, asked: written(key, asked), used: written(key, used), limit: String(hard[key]) }] : [];
    });
    if (over.length === 0) continue;
    const print = (field: 'asked' | 'used' | 'limit') => over.map((each) => `${each.key}=${each[field]}`).join(',');
    throw forbidden(kind, name, `exceeded quota: ${quota.metadata.name}, requested: ${print('asked')}, used: ${print('used')}, limited: ${print('limit')}`);
  }
}

function unsaidBy(pod: KubeObject, keys: readonly string[]): string[] {
  return keys.filter((key) => COMPUTE.test(key)).sort().flatMap((key) => {
    const [section, resource] = sectionOf(key);
    const silent = list(at(pod, 'spec', 'containers')).filter((container) => record(at(container, 'resources', section))[resource] === undefined).map((container) => String(container['name']));
    return silent.length > 0 ? [`${key} for: ${silent.join(',')}`] : [];
  });
}

/** Brings the quotas' status up to date: the work of the quota controller. */
export function refreshQuotas(state: ServerState, namespace: string | undefined): void {
  if (namespace === undefined) return;
  const kind = quotaKind(state);
  for (const quota of state.store.list(kind, namespace)) {
    const hard = record(at(quota, 'spec', 'hard'));
    const amounts = Object.keys(hard).map((name): [string, number | undefined] => [name, usedOf(state, name, namespace)]);
    const used = Object.fromEntries(amounts.filter(([, n]) => n !== undefined).map(([name, n]) => [name, written(name, n as number)]));
    const status = { hard, used };
    if (!sameJson(quota['status'], status)) state.store.put(kind, { ...quota, status });
  }
}

/** Gives containers the default requests and limits of the namespace's LimitRanges, and refuses what is over a maximum. In place. */
export function applyLimitRanges(state: ServerState, pods: Kind, pod: KubeObject): void {
  const ranges = state.store.list(state.kinds.find('', 'v1', 'limitranges') as Kind, pod.metadata.namespace);
  const rules = ranges.flatMap((r) => list(at(r, 'spec', 'limits'))).filter((l) => l['type'] === 'Container');
  if (rules.length === 0) return;
  const set: string[] = [];
  for (const container of list(at(pod, 'spec', 'containers'))) for (const rule of rules) set.push(...limitContainer(container, rule, (why) => forbidden(pods, pod.metadata.name ?? '', why)));
  if (set.length > 0) pod.metadata.annotations = { ...pod.metadata.annotations, 'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${set.join('; ')}` };
}

function limitContainer(container: Fields, rule: Fields, refuse: (why: string) => Error): string[] {
  const resources = (container['resources'] = { ...record(container['resources']) });
  const set: string[] = [];
  for (const [field, source, word] of [['requests', 'defaultRequest', 'request'], ['limits', 'default', 'limit']] as const) {
    const has = record(resources[field]);
    const missing = Object.entries(record(rule[source])).filter(([name]) => has[name] === undefined);
    if (missing.length > 0) resources[field] = { ...has, ...Object.fromEntries(missing) };
    set.push(...missing.map(([name]) => `${name} ${word} for container ${String(container['name'])}`));
  }
  for (const [name, max] of Object.entries(record(rule['max']))) {
    const limit = record(resources['limits'])[name];
    if (limit !== undefined && quantityValue(limit) > quantityValue(max)) throw refuse(`maximum ${name} usage per Container is ${String(max)}, but limit is ${String(limit)}`);
  }
  return set;
}
