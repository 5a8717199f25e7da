import type { KubeObject } from '@larry/contracts';
import { decideAt } from '../../fix';
import type { PodView } from '../../pod-view';
import { defineFamily, type Ground, type Hit, type Seen, type Subject } from '../family';
import { baselineControls } from './baseline';
import type { Breach, Control } from './control';
import { namespaceHits } from './namespace-labels';
import { restrictedControls } from './restricted';
import { podSecurityRules } from './rules';

/** Every control of the two standards, baseline first. */
export const controls: readonly Control[] = [...baselineControls, ...restrictedControls];

type Kept =
  | { kind: 'hits'; namespace: string; hits: Hit[] }
  | { kind: 'namespace'; name: string; labels: Record<string, string>; subject: Subject };

/**
 * The Pod Security Standards, baseline and restricted, as Kubernetes 1.36 defines them, and the namespace labels that
 * enforce them.
 */
export const podSecurityStandards = defineFamily<Kept>({
  id: 'pod-security-standards',
  title: 'Pod Security Standards',
  rules: podSecurityRules,
  reads: [{ apiVersion: 'v1', kind: 'Namespace' }],
  inspect(pod) {
    const hits = podHits(pod);
    return hits.length > 0 ? { kind: 'hits', namespace: pod.namespace, hits } : undefined;
  },
  sift(object: KubeObject, seen: Seen) {
    if (object.kind !== 'Namespace') return undefined;
    return {
      kind: 'namespace',
      name: object.metadata.name,
      labels: object.metadata.labels ?? {},
      subject: seen.subject(),
    };
  },
  judge: (kept, ground) => judge(kept, ground),
});

/** What one pod or pod template breaks, one hit a control. */
export function podHits(pod: PodView): Hit[] {
  return controls.flatMap((control) => {
    const all = control.check(pod);
    const breaches = pod.onlyEphemeral ? all.filter((b) => b.at.includes('.spec.ephemeralContainers[')) : all;
    return breaches.length > 0 ? [hitOf(control, pod, breaches)] : [];
  });
}

function hitOf(control: Control, pod: PodView, breaches: Breach[]): Hit {
  const changes = breaches.flatMap((b) => (b.change ? [b.change] : []));
  const severity = breaches.find((b) => b.severity)?.severity;
  return {
    rule: control.rule.id,
    subject: pod.subject(),
    ...(severity ? { severity } : {}),
    ...(pod.group ? { group: pod.group } : {}),
    evidence: breaches.map(({ at, value }) => ({ at, value })),
    fix:
      changes.length === breaches.length
        ? { kind: 'fields', changes }
        : decideAt(breaches, decision(control, breaches)),
  };
}

function decision(control: Control, breaches: Breach[]): string {
  if (breaches.some((b) => b.at.includes('.ephemeralContainers['))) {
    return 'an ephemeral container stays until its pod ends: delete the pod when the debugging is over, its owner makes a new one';
  }
  return control.decide ?? 'set the field so that the control holds';
}

function judge(kept: readonly Kept[], ground: Ground): Hit[] {
  const hits = kept.flatMap((k) => (k.kind === 'hits' ? k.hits : []));
  const failing = new Map<string, 'baseline' | 'restricted'>();
  for (const k of kept) {
    if (k.kind !== 'hits') continue;
    const level = k.hits.some((h) => h.rule.startsWith('pss-baseline/')) ? 'baseline' : 'restricted';
    if (failing.get(k.namespace) !== 'baseline') failing.set(k.namespace, level);
  }
  const namespaces = kept.flatMap((k) => (k.kind === 'namespace' && ground.namespaces.includes(k.name) ? [k] : []));
  return [...hits, ...namespaces.flatMap((n) => namespaceHits(n, failing.get(n.name)))];
}
