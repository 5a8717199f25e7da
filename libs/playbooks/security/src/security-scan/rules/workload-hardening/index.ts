import { listOf, recordOf, textOf, valueIn, type JsonRecord, type KubeObject } from '@larry/contracts';
import { decideAt, type FieldChange } from '../../fix';
import type { ContainerView, PodView } from '../../pod-view';
import { defineFamily, type Ground, type Hit, type Sighting, type Subject } from '../family';
import { hardeningRules } from './rules';

interface Missing extends Sighting {
  change: FieldChange;
}
type Kept =
  | {
      kind: 'pod';
      namespace: string;
      subject: Subject;
      group?: string;
      readOnly: Missing[];
      memory: Sighting[];
      requests: (Sighting & { what: string })[];
      token?: Missing;
    }
  | { kind: 'limits'; namespace: string; defaults: string[] }
  | { kind: 'account'; namespace: string; automount: unknown };

/** What a workload could lock or say and does not: limits, requests, the root file system, the token. */
export const workloadHardening = defineFamily<Kept>({
  id: 'workload-hardening',
  title: 'Workload hardening',
  rules: hardeningRules,
  reads: [
    { apiVersion: 'v1', kind: 'LimitRange' },
    { apiVersion: 'v1', kind: 'ServiceAccount' },
  ],
  inspect(pod) {
    // Ephemeral containers have no resources and share the rest.
    if (pod.onlyEphemeral) return undefined;
    const containers = pod.containers.filter((c) => c.list !== 'ephemeralContainers');
    const token = tokenOf(pod);
    const readOnly = pod.windows ? [] : containers.flatMap(writableRoot);
    const memory = containers.flatMap((c) => noLimit(pod, c));
    const requests = containers.flatMap((c) => ['cpu', 'memory'].flatMap((what) => noRequest(pod, c, what)));
    if (!token && readOnly.length + memory.length + requests.length === 0) return undefined;
    const group = pod.group ? { group: pod.group } : {};
    return {
      kind: 'pod',
      namespace: pod.namespace,
      subject: pod.subject(),
      ...group,
      ...(token ? { token } : {}),
      readOnly,
      memory,
      requests,
    };
  },
  sift(object, seen) {
    const namespace = seen.namespace ?? 'default';
    if (object.kind === 'LimitRange') return { kind: 'limits', namespace, defaults: defaultsOf(object) };
    if (object.kind !== 'ServiceAccount' || object.metadata.name !== 'default') return undefined;
    return { kind: 'account', namespace, automount: object['automountServiceAccountToken'] };
  },
  judge: (kept, ground) => {
    const pods = kept.filter((k) => k.kind === 'pod');
    const defaults = new Set(
      kept.flatMap((k) => (k.kind === 'limits' ? k.defaults.map((d) => `${k.namespace}/${d}`) : [])),
    );
    const closed = new Set(kept.flatMap((k) => (k.kind === 'account' && k.automount === false ? [k.namespace] : [])));
    return pods.flatMap((pod) => podHits(pod, defaults, closed, ground));
  },
});

function podHits(
  pod: Extract<Kept, { kind: 'pod' }>,
  defaults: ReadonlySet<string>,
  closed: ReadonlySet<string>,
  ground: Ground,
): Hit[] {
  const about = { subject: pod.subject, ...(pod.group ? { group: pod.group } : {}) };
  // Pods that run hold what the LimitRange gave them; a template does not.
  const requests = pod.requests.filter((r) => !defaults.has(`${pod.namespace}/${r.what}`));
  const decide = (places: Sighting[]) =>
    decideAt(places, 'set it; what is enough shows in the metrics of its last days (kubectl top pod), plus room');
  const hits: Hit[] = [];
  if (pod.memory.length > 0 && !defaults.has(`${pod.namespace}/limit`)) {
    hits.push({
      rule: 'hardening/memory-limit',
      ...about,
      evidence: pod.memory,
      fix: decide(pod.memory),
    });
  }
  if (requests.length > 0) {
    hits.push({
      rule: 'hardening/resource-requests',
      ...about,
      evidence: requests.map(({ at, value }) => ({ at, value })),
      fix: decide(requests),
    });
  }
  if (pod.readOnly.length > 0)
    hits.push({
      rule: 'hardening/read-only-root',
      ...about,
      ...missingFields(pod.readOnly, 'folders that it writes (/tmp, caches) need an emptyDir volume'),
    });
  if (pod.token && !closed.has(pod.namespace) && !ground.unlisted.has('ServiceAccount')) {
    hits.push({
      rule: 'hardening/default-token',
      ...about,
      ...missingFields([pod.token], 'if it does call the API, give it a service account of its own instead'),
    });
  }
  return hits;
}

function missingFields(missing: Missing[], note: string): Pick<Hit, 'evidence' | 'fix'> {
  return {
    evidence: missing.map(({ at, value }) => ({ at, value })),
    fix: { kind: 'fields', changes: missing.map((m) => m.change), note },
  };
}

function writableRoot(container: ContainerView): Missing[] {
  const value = container.security['readOnlyRootFilesystem'];
  if (value === true) return [];
  const field = ['securityContext', 'readOnlyRootFilesystem'];
  return [
    {
      at: `${container.at}.${field.join('.')}`,
      value: value === false ? 'false' : 'absent',
      change: { path: [...container.path, ...field], value: true },
    },
  ];
}

function noLimit(pod: PodView, container: ContainerView): Sighting[] {
  if (amount(container.body, 'limits', 'memory') || amount(pod.spec, 'limits', 'memory')) return [];
  return [{ at: `${container.at}.resources.limits.memory`, value: 'absent' }];
}

/** A request defaults to the limit; resources of the whole pod count too (KEP-2837). */
function noRequest(pod: PodView, container: ContainerView, what: string): (Sighting & { what: string })[] {
  const said = [container.body, pod.spec].some(
    (where) => amount(where, 'requests', what) || amount(where, 'limits', what),
  );
  return said ? [] : [{ at: `${container.at}.resources.requests.${what}`, value: 'absent', what }];
}

function amount(where: JsonRecord, kind: 'limits' | 'requests', what: string): boolean {
  const value = valueIn(where, 'resources', kind, what);
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}

function tokenOf(pod: PodView): Missing | undefined {
  const account = textOf(pod.spec['serviceAccountName']) ?? textOf(pod.spec['serviceAccount']) ?? 'default';
  const automount = pod.spec['automountServiceAccountToken'];
  // An explicit true was asked for.
  if (account !== 'default' || automount === false || automount === true) return undefined;
  const field = 'automountServiceAccountToken';
  return {
    at: `${pod.at}.spec.${field}`,
    value: 'absent',
    change: { path: [...pod.path, 'spec', field], value: false },
  };
}

/** What a LimitRange gives to containers that say nothing: `limit`, `cpu`, `memory`. */
function defaultsOf(object: KubeObject): string[] {
  return listOf(valueIn(object, 'spec', 'limits')).flatMap((entry) => {
    if (valueIn(entry, 'type') !== 'Container') return [];
    const given = (field: string, what: string) => recordOf(valueIn(entry, field))[what] !== undefined;
    const requests = ['cpu', 'memory'].filter((what) => given('defaultRequest', what) || given('default', what));
    return given('default', 'memory') ? ['limit', ...requests] : requests;
  });
}
