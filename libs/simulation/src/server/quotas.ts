import { forbidden } from './api-error';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { at, list, record, sameJson } from './kube-object';
import { quantityValue } from './quantity';
import type { ServerState } from './state';

const quotaKind = (state: ServerState) => state.kinds.find('', 'v1', 'resourcequotas') as Kind;

/** Resources that a quota counts under their bare name; all others as `count/RESOURCE.GROUP`. */
const BARE = new Set(['pods', 'services', 'configmaps', 'secrets', 'persistentvolumeclaims', 'replicationcontrollers', 'resourcequotas']);
const namesOf = (kind: Kind): string[] => {
  const counted = `count/${kind.group ? `${kind.plural}.${kind.group}` : kind.plural}`;
  return kind.group === '' && BARE.has(kind.plural) ? [kind.plural, counted] : [counted];
};

function countOf(state: ServerState, name: string, namespace: string): number | undefined {
  const [plural = '', ...group] = name.replace(/^count\//, '').split('.');
  const kind = name.startsWith('count/') || BARE.has(name) ? state.kinds.byPlural(group.join('.'), plural) : undefined;
  return kind && state.store.list(kind, namespace).length;
}

/** Refuses a new object that would exceed a quota on the number of its kind. Quotas on cpu, memory and storage are not enforced. */
export function checkQuotas(state: ServerState, kind: Kind, namespace: string | undefined, name: string): void {
  if (namespace === undefined) return;
  for (const quota of state.store.list(quotaKind(state), namespace)) {
    const hard = record(at(quota, 'spec', 'hard'));
    for (const key of namesOf(kind).filter((n) => hard[n] !== undefined)) {
      const used = countOf(state, key, namespace) ?? 0;
      if (used + 1 > quantityValue(hard[key])) {
        throw forbidden(kind, name, `exceeded quota: ${quota.metadata.name}, requested: ${key}=1, used: ${key}=${used}, limited: ${key}=${String(hard[key])}`);
      }
    }
  }
}

/** Brings the counts in the quotas' status up to date: the work of the quota controller, for numbers of objects. */
export function refreshQuotas(state: ServerState, namespace: string | undefined): void {
  if (namespace === undefined) return;
  const kind = quotaKind(state);
  for (const quota of state.store.list(kind, namespace)) {
    const hard = record(at(quota, 'spec', 'hard'));
    const counts = Object.keys(hard).map((name): [string, number | undefined] => [name, countOf(state, name, namespace)]);
    const used = Object.fromEntries(counts.filter(([, n]) => n !== undefined).map(([name, n]) => [name, String(n)]));
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
