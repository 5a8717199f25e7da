import { valueIn } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import type { EventFacts } from '../facts/event-index';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { referencesOf, type Reference } from '../graph/references';
import { casesOf, eventsOfPod, ofWorkload, type Case } from './cause';
import { partsOf, seen, seenAt, seenContainer, seenEvent } from './evidence';

/** What the kubelet says (kubernetes, `pkg/kubelet/kubelet_pods.go`, `pkg/volume/secret`, `pkg/volume/configmap`). */
const says: { pattern: RegExp; kind: 'Secret' | 'ConfigMap'; isKey: boolean }[] = [
  { pattern: /couldn't find key (?<key>\S+) in Secret (?:\S+\/)?(?<name>[^\s/"]+)/i, kind: 'Secret', isKey: true },
  { pattern: /couldn't find key (?<key>\S+) in ConfigMap (?:\S+\/)?(?<name>[^\s/"]+)/i, kind: 'ConfigMap', isKey: true },
  { pattern: /references non-existent secret key: (?<key>\S+)/i, kind: 'Secret', isKey: true },
  { pattern: /references non-existent config key: (?<key>\S+)/i, kind: 'ConfigMap', isKey: true },
  { pattern: /secrets? "(?<name>[^"]+)" not found/i, kind: 'Secret', isKey: false },
  { pattern: /configmaps? "(?<name>[^"]+)" not found/i, kind: 'ConfigMap', isKey: false },
];

/** Secrets, ConfigMaps and keys that a pod names and that are not there. */
export function configCauses(scene: Scene): Candidate[] {
  return casesOf(scene, 'waiting').flatMap((one) => saidBy(one) ?? seenMissing(one) ?? []);
}

function saidBy(one: Case): Candidate | undefined {
  const { container } = one.ailment;
  const events = eventsOfPod(one.scene, one.pod).filter((e) => e.type === 'Warning' && /^Failed/.test(e.reason));
  const texts: { text: string; event?: EventFacts }[] = [...(container?.state.message ? [{ text: container.state.message }] : []), ...events.map((event) => ({ text: event.message, event }))];
  for (const { text, event } of texts) {
    for (const { pattern, kind, isKey } of says) {
      const groups = pattern.exec(text)?.groups;
      if (!groups) continue;
      const reference = findReference(one, kind, groups['name'], groups['key']);
      const name = groups['name'] ?? reference?.name ?? '';
      // It may have been made since: then the kubelet has only not tried again yet.
      if (!isKey && one.scene.facts.objects.get(kind, one.pod.namespace, name) && event !== undefined) continue;
      return missing(one, kind, name, isKey ? groups['key'] : undefined, reference, [...(event ? [seenEvent(event)] : []), ...(container ? [seenContainer(one.pod, container)] : [])], 0.97);
    }
  }
  return undefined;
}

function findReference({ workload }: Case, kind: Reference['kind'], name: string | undefined, key: string | undefined): Reference | undefined {
  const all = referencesOf(workload.podSpec).filter((r) => r.kind === kind && (name === undefined || r.name === name));
  return all.find((r) => key !== undefined && r.key === key) ?? all[0];
}

/** Without a word of the kubelet's: a pod that waits for its containers and names what does not exist. */
function seenMissing(one: Case): Candidate | undefined {
  const { scene, pod, workload, ailment } = one;
  const reason = ailment.container?.state.reason;
  if (reason !== undefined && !['ContainerCreating', 'PodInitializing', 'CreateContainerConfigError'].includes(reason)) return undefined;
  for (const reference of referencesOf(workload.podSpec)) {
    if (reference.optional || reference.use === 'account' || (reference.kind !== 'Secret' && reference.kind !== 'ConfigMap')) continue;
    const gone = scene.facts.objects.isMissing(reference.kind, pod.namespace, reference.name);
    const object = scene.facts.objects.get(reference.kind, pod.namespace, reference.name);
    const keyGone = object !== undefined && reference.key !== undefined && ['data', 'stringData', 'binaryData'].every((field) => valueIn(object, field, reference.key as string) === undefined);
    if (gone || keyGone) return missing(one, reference.kind, reference.name, keyGone ? reference.key : undefined, reference, ailment.container ? [seenContainer(pod, ailment.container)] : [], 0.9);
  }
  return undefined;
}

function missing(one: Case, kind: 'Secret' | 'ConfigMap', name: string, key: string | undefined, reference: Reference | undefined, evidence: Candidate['evidence'], confidence: number): Candidate {
  const { workload, pod, scene } = one;
  const cause: CauseCode = kind === 'ConfigMap' ? 'missing_config_map' : key === undefined ? 'missing_secret_binding' : 'missing_secret_key';
  const what = key === undefined ? `${kind} ${pod.namespace}/${name} does not exist` : `${kind} ${pod.namespace}/${name} has no key ${key}`;
  const object = { apiVersion: 'v1', kind, namespace: pod.namespace, name };
  const pointer = reference ? `${workload.podSpecAt}${reference.at}` : undefined;
  const near = key === undefined ? nearName(scene.facts.objects.list(kind, pod.namespace).map((o) => o.metadata.name), name) : undefined;
  const field = reference?.use === 'volume' && kind === 'Secret' ? 'secretName' : 'name';
  return ofWorkload(one, cause, confidence, what, {
    evidence: [
      ...evidence,
      ...(pointer ? [seenAt(workload.object, workload.ref, pointer)] : []),
      ...(scene.facts.objects.knows(kind) ? [seen(object, key === undefined ? '.' : `.data.${key}`, key === undefined ? 'there is no such object' : 'there is no such key')] : []),
    ],
    remedy:
      near !== undefined && pointer
        ? { summary: `Name ${kind} ${near} instead of ${name}`, patch: [{ op: 'replace', path: `${pointer}${partsOf(pointer).at(-1) === field ? '' : `/${field}`}`, value: near }], note: 'the nearest name that exists: check that it is the one meant' }
        : { none: kind === 'Secret' ? `what belongs into it is a secret that only you have: make ${what.replace(/ (does not exist|has no key)/, '')}${key === undefined ? '' : ` with that key`}, or name another` : `what belongs into it is not known here: make it, or name another` },
  });
}

/** The one name that differs by at most two letters; with `endings` also one that is longer or shorter by a part. */
export function nearName(names: string[], wanted: string, endings = false): string | undefined {
  const near = names.filter((name) => name !== wanted && (distance(name, wanted) <= 2 || (endings && (name.startsWith(`${wanted}-`) || wanted.startsWith(`${name}-`)))));
  return near.length === 1 ? near[0] : undefined;
}

/** Levenshtein's distance, of names of ordinary length. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2 || a.length > 80) return 99;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 99;
}
