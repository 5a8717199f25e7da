import { badRequest, conflict, failure, invalid, notFound } from './api-error';
import type { Status } from './api-error';
import type { User } from './auth';
import { accountToken, API_AUDIENCE, serviceAccountUser } from './auth';
import type { Tokens } from './auth';
import { timestamp } from './creation';
import { deleteOptions } from './deletion';
import type { Deletion } from './deletion';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { at, isObject, list, record, text } from './kube-object';
import { matchesLabels } from './selectors';
import type { Caller, ServerState } from './state';
import { wrong } from './validation';
import type { Writes } from './writes';

const CREATED: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

/** `a=b,c in (d)` out of a LabelSelector object, or out of a plain map of labels. */
export function selectorText(selector: unknown): string {
  const labels = record(at(selector, 'matchLabels') ?? (at(selector, 'matchExpressions') ? {} : selector));
  const exact = Object.entries(labels).map(([k, v]) => `${k}=${String(v)}`);
  const words: Record<string, string> = { In: ' in ', NotIn: ' notin ' };
  const sets = list(at(selector, 'matchExpressions')).map((e) => {
    const op = text(e['operator']);
    if (op === 'Exists') return text(e['key']);
    if (op === 'DoesNotExist') return `!${text(e['key'])}`;
    return `${text(e['key'])}${words[op]}(${((e['values'] ?? []) as string[]).join(',')})`;
  });
  return [...exact, ...sets].join(',');
}

const dig = (object: unknown, path: string | undefined) => (path ? at(object, ...path.replace(/^\./, '').split('.')) : undefined);

/** The Scale of an object, for built-in kinds and for custom resources that define one. */
export function scaleOf(kind: Kind, object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const paths = kind.custom?.scale;
  const replicas = paths ? dig(object, paths.specReplicasPath) : at(object, 'spec', 'replicas');
  const actual = paths ? dig(object, paths.statusReplicasPath) : at(object, 'status', 'replicas');
  const selector = paths ? text(dig(object, paths.labelSelectorPath)) : selectorText(at(object, 'spec', 'selector'));
  return {
    kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: { name: name ?? '', namespace, uid, resourceVersion, creationTimestamp } as KubeObject['metadata'],
    spec: replicas ? { replicas } : {}, status: { replicas: actual ?? 0, ...(selector ? { selector } : {}) },
  };
}

/** Takes the replicas of a Scale over into its object. */
export function withReplicas(kind: Kind, object: KubeObject, scale: Fields): KubeObject {
  const replicas = at(scale, 'spec', 'replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer');
  const rv = at(scale, 'metadata', 'resourceVersion');
  const path = kind.custom?.scale ? kind.custom.scale.specReplicasPath.replace(/^\./, '').split('.') : ['spec', 'replicas'];
  const next = structuredClone(object) as Fields;
  let here: Fields = next;
  for (const key of path.slice(0, -1)) here = (here[key] = record(here[key]));
  here[path.at(-1) as string] = replicas;
  return { ...next, metadata: { ...object.metadata, ...(rv ? { resourceVersion: text(rv) } : {}) } } as KubeObject;
}

/** Puts a pod on a node. 409 where it is already assigned. */
export function bind(state: ServerState, writes: Writes, pods: Kind, namespace: string, name: string, body: Fields, caller: Caller): Status {
  const pod = state.store.get(pods, namespace, name);
  if (!pod) throw notFound(pods, name);
  const node = at(pod, 'spec', 'nodeName');
  if (node) {
    throw failure(409, 'Conflict', `Operation cannot be fulfilled on pods/binding "${name}": pod ${name} is already assigned to node "${String(node)}"`, { name, kind: 'pods/binding' });
  }
  const target = text(at(body, 'target', 'name'));
  if (!target) throw badRequest('a binding needs target.name, the node');
  const time = timestamp(state.now());
  const others = list(at(pod, 'status', 'conditions')).filter((c) => c['type'] !== 'PodScheduled');
  const next: KubeObject = {
    ...pod, spec: { ...record(pod['spec']), nodeName: target },
    status: { ...record(pod['status']), conditions: [...others, { lastProbeTime: null, lastTransitionTime: time, status: 'True', type: 'PodScheduled' }] },
  };
  if (!caller.dryRun) writes.settle(pods, pod, next, caller);
  return CREATED;
}

/** Deletes a pod unless a disruption budget forbids it (429). */
export function evict(state: ServerState, deletion: Deletion, pods: Kind, namespace: string, name: string, body: Fields, caller: Caller): Status {
  const pod = state.store.get(pods, namespace, name);
  if (!pod) throw notFound(pods, name);
  const budgets = state.store.list(state.kinds.find('policy', 'v1', 'poddisruptionbudgets') as Kind, namespace);
  const budget = needsNoBudget(pod) ? undefined : budgets.find((b) => matchesLabels(at(b, 'spec', 'selector'), pod.metadata.labels));
  const allowed = Number(at(budget, 'status', 'disruptionsAllowed') ?? 0);
  const free = budget === undefined || isUnhealthyAndSpare(pod, budget);
  if (!free && allowed <= 0) {
    const needs = `The disruption budget ${budget.metadata.name} needs ${String(at(budget, 'status', 'desiredHealthy') ?? 0)} healthy pods and has ${String(at(budget, 'status', 'currentHealthy') ?? 0)} currently`;
    throw failure(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", { causes: [{ reason: 'DisruptionBudget', message: needs }] });
  }
  const options = isObject(body['deleteOptions']) ? body['deleteOptions'] : undefined;
  if (options?.['dryRun'] || caller.dryRun) return CREATED;
  if (!needsNoBudget(pod)) noteEviction(state, pods, pod);
  deletion.delete(pods, namespace, name, deleteOptions(options, new URLSearchParams()), caller);
  if (!free) countDisruption(state, budget, allowed);
  return CREATED;
}

/** A pod that has ended, goes already, or never ran disturbs nobody. */
function needsNoBudget(pod: KubeObject): boolean {
  return ['Succeeded', 'Failed', 'Pending'].includes(text(at(pod, 'status', 'phase'))) || pod.metadata.deletionTimestamp !== undefined;
}

/** A pod that is not ready may go where the others suffice (`unhealthyPodEvictionPolicy`). */
function isUnhealthyAndSpare(pod: KubeObject, budget: KubeObject): boolean {
  if (list(at(pod, 'status', 'conditions')).some((c) => c['type'] === 'Ready' && c['status'] === 'True')) return false;
  const desired = Number(at(budget, 'status', 'desiredHealthy') ?? 0);
  return at(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow' || (desired > 0 && Number(at(budget, 'status', 'currentHealthy') ?? 0) >= desired);
}

function noteEviction(state: ServerState, pods: Kind, pod: KubeObject): void {
  const others = list(at(pod, 'status', 'conditions')).filter((c) => c['type'] !== 'DisruptionTarget');
  const target = { type: 'DisruptionTarget', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(state.now()), reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };
  state.store.put(pods, { ...pod, status: { ...record(pod['status']), conditions: [...others, target] } });
}

function countDisruption(state: ServerState, budget: KubeObject, allowed: number): void {
  const kind = state.kinds.find('policy', 'v1', 'poddisruptionbudgets') as Kind;
  state.store.put(kind, { ...budget, status: { ...record(budget['status']), disruptionsAllowed: allowed - 1 } });
}

const LEAST_SECONDS = 600;

/** Gives out a bearer token for a service account; it ends with its time, its account, and the pod that it is bound to. */
export function requestToken(state: ServerState, tokens: Tokens, accounts: Kind, namespace: string, name: string, body: Fields): KubeObject {
  const account = state.store.get(accounts, namespace, name);
  if (!account) throw notFound(accounts, name);
  const spec = record(body['spec']);
  const seconds = Number(spec['expirationSeconds'] ?? 3600);
  if (seconds < LEAST_SECONDS) throw invalid('authentication.k8s.io', 'TokenRequest', name, [wrong('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')]);
  const pods = state.kinds.find('', 'v1', 'pods') as Kind;
  const bound = boundPod(state, pods, namespace, spec);
  const asked = (spec['audiences'] ?? []) as string[];
  const audiences = asked.length > 0 ? asked : [API_AUDIENCE];
  const end = state.now().getTime() + seconds * 1000;
  const lives = (kind: Kind, object: KubeObject | undefined) => !object || state.store.get(kind, namespace, object.metadata.name ?? '')?.metadata.uid === object.metadata.uid;
  const extra = bound && { 'authentication.kubernetes.io/pod-name': [bound.metadata.name ?? ''], 'authentication.kubernetes.io/pod-uid': [bound.metadata.uid ?? ''] };
  const user: User = { ...serviceAccountUser(namespace, name), ...(account.metadata.uid ? { uid: account.metadata.uid } : {}), ...(extra ? { extra } : {}) };
  const token = accountToken(account, bound, end);
  tokens.add(token, user, { audiences, valid: () => state.now().getTime() < end && lives(accounts, account) && lives(pods, bound) });
  return {
    kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata: { name, namespace, creationTimestamp: timestamp(state.now()) },
    spec: { expirationSeconds: seconds, boundObjectRef: null, ...spec, audiences },
    status: { token, expirationTimestamp: timestamp(new Date(end)) },
  };
}

function boundPod(state: ServerState, pods: Kind, namespace: string, spec: Fields): KubeObject | undefined {
  const ref = spec['boundObjectRef'];
  if (!isObject(ref) || ref['kind'] !== 'Pod') return undefined;
  const pod = state.store.get(pods, namespace, text(ref['name']));
  if (!pod) throw notFound(pods, text(ref['name']));
  if (ref['uid'] && ref['uid'] !== pod.metadata.uid) throw conflict(pods, text(ref['name']), `the UID in the bound object reference (${text(ref['uid'])}) does not match the UID in record. The object might have been deleted and then recreated`);
  return pod;
}
