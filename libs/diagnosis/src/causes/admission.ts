import { printable, recordOf, textOf, valueIn, type ObjectRef } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import type { EventFacts } from '../facts/event-index';
import type { Workload } from '../facts/model';
import { keyOf } from '../facts/object-index';
import { quantity } from '../facts/quantity';
import { minuteMs } from '../facts/times';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { seen, seenEvent } from './evidence';

/** The API server's words (kubernetes, `plugin/pkg/admission/resourcequota`, `.../serviceaccount`), repeated by the controllers' FailedCreate. */
const exceeded = /exceeded quota: (?<quota>[^,]+), requested: (?<requested>.+?), used: (?<used>.+?), limited: (?<limited>.+?)(?:$|["\n])/;
const mustSpecify = /failed quota: (?<quota>[^:]+): must specify (?<fields>[^;]+)/;
const noAccount = /error looking up service account (?<namespace>[^/\s]+)\/(?<name>[^:\s]+): serviceaccounts? "[^"]+" not found|serviceaccounts? "(?<other>[^"]+)" not found/;

/** Pods, claims and Services that the API server does not let in. */
export function admissionCauses(scene: Scene): Candidate[] {
  const waiting = scene.facts.workloads.filter((w) => w.lacksPods || w.state === 'not-running');
  const refused = waiting.flatMap((workload) => {
    const event = refusalOf(scene, workload);
    if (!event) return missingAccount(scene, workload) ?? [];
    return fromEvent(scene, workload, event) ?? [];
  });
  return [...refused, ...claimQuota(scene), ...serviceQuota(scene), ...refusedByOthers(scene)];
}

/** The newest refusal of what makes the pods now, in the API server's words; not that of a ReplicaSet before it. */
export function refusalOf(scene: Scene, workload: Workload): { event?: EventFacts; text: string; about: ObjectRef } | undefined {
  if (!workload.lacksPods) return undefined;
  for (const key of [...workload.makers, workload.key]) {
    const object = scene.facts.objects.at(key);
    const event = scene.facts.events.of(key, object?.metadata.uid).find((e) => e.reason === 'FailedCreate' || e.reason === 'FailedCreatePod');
    if (event) return { event, text: event.message, about: workload.ref };
  }
  for (const key of [workload.key, ...workload.makers]) {
    const object = scene.facts.objects.at(key);
    const conditions = valueIn(object, 'status', 'conditions');
    const failure = (Array.isArray(conditions) ? conditions : []).find((c: unknown) => valueIn(c, 'type') === 'ReplicaFailure' && valueIn(c, 'status') === 'True') as unknown;
    const text = textOf(valueIn(failure, 'message'));
    if (object && text) return { text, about: workload.ref };
  }
  return undefined;
}

function fromEvent(scene: Scene, workload: Workload, { event, text, about }: NonNullable<ReturnType<typeof refusalOf>>): Candidate | undefined {
  const evidence = [event ? seenEvent(event) : seen(about, '.status.conditions[ReplicaFailure].message', text)];
  const account = noAccount.exec(text)?.groups;
  if (account) return accountCandidate(scene, workload, account['name'] ?? account['other'] ?? '', evidence, 0.97);
  const quota = exceeded.exec(text)?.groups ?? mustSpecify.exec(text)?.groups;
  if (!quota) return undefined;
  return quotaCandidate(scene, workload.namespace, (quota['quota'] ?? '').trim(), quota['requested'] ?? quota['fields'] ?? '', quota['used'] ?? '', quota['limited'] ?? '', evidence, [workload.key], 0.96);
}

function missingAccount(scene: Scene, workload: Workload): Candidate | undefined {
  const name = textOf(workload.podSpec['serviceAccountName']);
  if (!workload.lacksPods || name === undefined || !scene.facts.objects.isMissing('ServiceAccount', workload.namespace, name)) return undefined;
  return accountCandidate(scene, workload, name, [seen(workload.ref, '.status', `${workload.pods.length} of ${workload.desired} pods`)], 0.88);
}

function accountCandidate(scene: Scene, workload: Workload, name: string, evidence: Candidate['evidence'], confidence: number): Candidate | undefined {
  // Made since: the controller only has not tried again.
  if (scene.facts.objects.get('ServiceAccount', workload.namespace, name)) return undefined;
  const at = `${workload.podSpecAt}/serviceAccountName`;
  return {
    cause: 'missing_service_account',
    object: workload.ref,
    confidence,
    title: `ServiceAccount ${workload.namespace}/${printable(name, 100)}, which ${workload.name} names, does not exist`,
    evidence: [...evidence, seen(workload.ref, at.replaceAll('/', '.'), name)],
    explains: [workload.key],
    remedy: { none: `make the account (kubectl create serviceaccount ${printable(name, 100)} --namespace=${workload.namespace}) with the rights that the workload needs, or name another` },
  };
}

/** Which of the five quota causes the exceeded resource is. */
export function quotaCauseOf(resource: string): CauseCode | undefined {
  const name = resource.trim();
  if (/(?:^|\.)cpu$/.test(name)) return 'namespace_cpu_quota_exceeded';
  if (/(?:^|\.)memory$/.test(name)) return 'namespace_memory_quota_exceeded';
  if (/^(?:count\/)?services(?:\.|$)/.test(name)) return 'namespace_service_quota_exceeded';
  if (/storage|persistentvolumeclaims/.test(name)) return 'namespace_storage_quota_exceeded';
  if (/^(?:count\/)?(?:pods|replicasets|deployments|jobs|statefulsets)/.test(name)) return 'namespace_pod_quota_exceeded';
  return undefined;
}

function quotaCandidate(scene: Scene, namespace: string, quota: string, requested: string, used: string, limited: string, evidence: Candidate['evidence'], explains: string[], confidence: number): Candidate | undefined {
  const over = overstepped(requested, used, limited);
  const cause = over.map(quotaCauseOf).find((c) => c !== undefined);
  if (!cause) return undefined;
  const object: ObjectRef = scene.facts.objects.get('ResourceQuota', namespace, quota) ? { apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: quota, ...uidOf(scene, namespace, quota) } : { apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: quota };
  return {
    cause,
    object,
    confidence,
    title: `quota ${printable(quota, 80)} of namespace ${namespace} leaves no ${over[0] ?? 'room'}: requested ${printable(requested, 80)}${used ? `, used ${printable(used, 80)} of ${printable(limited, 80)}` : ''}`,
    evidence: [...evidence, seen(object, '.status', JSON.stringify(recordOf(scene.facts.objects.get('ResourceQuota', namespace, quota)?.['status'])) )],
    explains,
    remedy: { none: 'how much a namespace may have is for its owner to say: raise the quota, or ask for less' },
  };
}

/** What somebody else wanted to make, a Helm or Kustomize controller, and said so in an event about its own object. */
function refusedByOthers(scene: Scene): Candidate[] {
  const { facts } = scene;
  return facts.events.saying(/is forbidden: (?:exceeded|failed) quota/).flatMap((event) => {
    const [, resource = '', name = ''] = /(\w+) "([^"]+)" is forbidden/.exec(event.message) ?? [];
    const kind = { services: 'Service', persistentvolumeclaims: 'PersistentVolumeClaim' }[resource];
    const quota = exceeded.exec(event.message)?.groups;
    const recent = (event.lastMs ?? facts.atMs) > facts.atMs - 90 * minuteMs;
    const namespace = quotaNamespace(scene, (quota?.['quota'] ?? '').trim(), event.namespace);
    // What is there by now was let in later.
    if (kind === undefined || !quota || !recent || facts.objects.get(kind, namespace, name)) return [];
    const ref = { kind, namespace, name };
    return quotaCandidate(scene, namespace, (quota['quota'] ?? '').trim(), quota['requested'] ?? '', quota['used'] ?? '', quota['limited'] ?? '', [seenEvent(event)], [keyOf(ref)], 0.94) ?? [];
  });
}

/** The event may be about an object of another namespace: the quota's own is meant. */
function quotaNamespace(scene: Scene, quota: string, ofEvent: string | undefined): string {
  if (scene.facts.objects.get('ResourceQuota', ofEvent, quota)) return ofEvent ?? '';
  const named = scene.facts.objects.list('ResourceQuota').filter((q) => q.metadata.name === quota);
  return named.length === 1 ? (named[0]?.metadata.namespace ?? '') : (ofEvent ?? '');
}

function uidOf(scene: Scene, namespace: string, name: string): { uid?: string } {
  const uid = scene.facts.objects.get('ResourceQuota', namespace, name)?.metadata.uid;
  return uid ? { uid } : {};
}

/** The resources of which used and requested are more than the limit: the message names others too. */
function overstepped(requested: string, used: string, limited: string): string[] {
  const amounts = (text: string) => new Map(text.split(',').map((pair) => pair.split('=') as [string, string]).map(([name, value]) => [name.trim(), quantity(value)]));
  const [wants, has, most] = [amounts(requested), amounts(used), amounts(limited)];
  const names = [...wants.keys()];
  const over = names.filter((name) => (has.get(name) ?? 0) + (wants.get(name) ?? 0) > (most.get(name) ?? Infinity));
  return over.length > 0 ? over : names;
}

/** A claim that a StatefulSet may not make. */
function claimQuota(scene: Scene): Candidate[] {
  return scene.facts.workloads
    .filter((w) => w.lacksPods && w.ref.kind === 'StatefulSet')
    .flatMap((workload) => {
      const event = scene.facts.events.of(workload.key, workload.ref.uid).find((e) => /exceeded quota/.test(e.message) && /persistentvolumeclaims|Claim/.test(e.message));
      const quota = event && exceeded.exec(event.message)?.groups;
      return (quota && quotaCandidate(scene, workload.namespace, (quota['quota'] ?? '').trim(), quota['requested'] ?? '', quota['used'] ?? '', quota['limited'] ?? '', [seenEvent(event)], [workload.key], 0.97)) || [];
    });
}

/** Services are made by people, whose refusal nobody records: a full quota, and a name that is called and is not there. */
function serviceQuota(scene: Scene): Candidate[] {
  return scene.facts.objects.list('ResourceQuota').flatMap((quota) => {
    const hard = recordOf(valueIn(quota, 'status', 'hard') ?? valueIn(quota, 'spec', 'hard'));
    const used = recordOf(valueIn(quota, 'status', 'used'));
    const full = Object.keys(hard).find((name) => quotaCauseOf(name) === 'namespace_service_quota_exceeded' && (quantity(used[name]) ?? 0) >= (quantity(hard[name]) ?? Infinity));
    const namespace = quota.metadata.namespace ?? '';
    const event = scene.facts.events.of(keyOf({ kind: 'ResourceQuota', namespace, name: quota.metadata.name }))[0] ?? scene.facts.events.withReason('FailedCreate').find((e) => e.namespace === namespace && /services? "[^"]+" is forbidden: exceeded quota/.test(e.message));
    const missing = scene.calls.filter((c) => !c.service && c.target.namespace === namespace && scene.facts.objects.knows('Service') && scene.facts.workloadAt.has(keyOf({ kind: 'Deployment', namespace, name: c.target.name })));
    if (full === undefined || (missing.length === 0 && !event)) return [];
    const callers = missing.map((c) => c.workload);
    const names = [...new Set(missing.map((c) => c.target.name))];
    const ref: ObjectRef = { apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: quota.metadata.name, ...(quota.metadata.uid ? { uid: quota.metadata.uid } : {}) };
    return [
      {
        cause: 'namespace_service_quota_exceeded' as const,
        object: ref,
        confidence: 0.95,
        title: `quota ${quota.metadata.name} of namespace ${namespace} leaves no room for another Service${names.length > 0 ? `: ${names.join(', ')} is called and is not there` : ''}`,
        evidence: [seen(ref, `.status.used.${full}`, `${String(used[full])} of ${String(hard[full])}`), ...missing.slice(0, 2).map((c) => seen(c.workload.ref, c.address.from, `${c.address.from}=${c.address.text}`)), ...(event ? [seenEvent(event)] : [])],
        explains: [keyOf(ref), ...callers.flatMap((w) => (w.unwell.length > 0 ? w.unwell.map((u) => u.pod.key) : [w.key])), ...names.map((name) => keyOf({ kind: 'Service', namespace, name }))],
        remedy: { none: 'how many Services a namespace may have is for its owner to say: raise the quota, or remove one' },
      },
    ];
  });
}
