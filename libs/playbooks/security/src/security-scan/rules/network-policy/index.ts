import { describeRef, valueIn, type KubeObject } from '@larry/contracts';
import { stringsOf } from '../../pod-view';
import { defineFamily, type Hit, type Seen, type Subject } from '../family';
import { policyOf, type Direction, type Policy } from './policies';
import { networkPolicyRules } from './rules';

/** Pods with the same labels and the same owner: replicas are kept once. */
interface Pods {
  kind: 'pods';
  namespace: string;
  root: string;
  labels: Record<string, string>;
  hostNetwork: boolean;
  /** A template stands for its pods where none of them was seen. */
  template: boolean;
}
type Kept = Pods | { kind: 'policy'; policy: Policy } | { kind: 'namespace'; name: string; subject: Subject };

/** Which pods no network policy selects, by namespace and direction. */
export const networkPolicy = defineFamily<Kept>({
  id: 'network-policy',
  title: 'Network-policy coverage',
  rules: networkPolicyRules,
  reads: [
    { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
    { apiVersion: 'v1', kind: 'Namespace' },
  ],
  inspect(pod) {
    if (pod.onlyEphemeral || pod.at === '') return undefined;
    return {
      kind: 'pods',
      namespace: pod.namespace,
      root: pod.root,
      labels: pod.labels,
      hostNetwork: pod.spec['hostNetwork'] === true,
      template: true,
    };
  },
  sift(object, seen) {
    if (object.kind === 'Pod') return podsOf(object, seen);
    if (object.kind === 'NetworkPolicy')
      return { kind: 'policy', policy: policyOf(object, seen.namespace ?? 'default', seen.subject()) };
    return object.kind === 'Namespace'
      ? { kind: 'namespace', name: object.metadata.name, subject: seen.subject() }
      : undefined;
  },
  keyOf: (kept) =>
    kept.kind === 'pods'
      ? `${seenPods(kept)} ${kept.template} ${kept.hostNetwork} ${JSON.stringify(kept.labels)}`
      : undefined,
  judge(kept, ground) {
    // Without the policies nothing can be said; the scan says that NetworkPolicy is unknown.
    if (ground.unlisted.has('NetworkPolicy')) return [];
    const policies = kept.flatMap((k) => (k.kind === 'policy' ? [k.policy] : []));
    const pods = withoutExplainedTemplates(kept.filter((k) => k.kind === 'pods'));
    const subjects = new Map(kept.flatMap((k) => (k.kind === 'namespace' ? [[k.name, k.subject] as const] : [])));
    return ground.namespaces.flatMap((namespace) => {
      const here = policies.filter((p) => p.namespace === namespace);
      return [
        ...coverage(
          namespace,
          subjects.get(namespace),
          here,
          pods.filter((p) => p.namespace === namespace),
        ),
        ...here.flatMap(allowsEverything),
      ];
    });
  },
});

const seenPods = (p: Pods) => `${p.namespace}/${p.root}`;

function podsOf(object: KubeObject, seen: Seen): Pods | undefined {
  const phase = valueIn(object, 'status', 'phase');
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  return {
    kind: 'pods',
    namespace: seen.namespace ?? 'default',
    root: seen.root ?? describeRef({ ...object.metadata, kind: 'Pod' }),
    labels: stringsOf(object.metadata.labels),
    hostNetwork: valueIn(object, 'spec', 'hostNetwork') === true,
    template: false,
  };
}

function withoutExplainedTemplates(pods: Pods[]): Pods[] {
  const running = new Set(pods.filter((p) => !p.template).map(seenPods));
  return pods.filter((p) => !p.template || !running.has(seenPods(p)));
}

function coverage(namespace: string, subject: Subject | undefined, policies: Policy[], pods: Pods[]): Hit[] {
  // A pod on its node's network is not behind network policies at all: pss-baseline/host-namespaces speaks of it.
  const guarded = pods.filter((p) => !p.hostNetwork);
  if (guarded.length === 0) return [];
  const about = subject ?? {
    ref: { apiVersion: 'v1', kind: 'Namespace', name: namespace },
    owner: { kind: 'none' as const },
  };
  const opens = (['ingress', 'egress'] as const).flatMap((direction) => {
    const relevant = policies.filter((p) => p.directions.includes(direction));
    const open = guarded.filter((p) => !relevant.some((policy) => policy.selector.matches(p.labels)));
    return open.length > 0 ? [openHit(about, direction, open, guarded, relevant.length)] : [];
  });
  const deniesAll = policies.some((p) => p.selector.all && p.directions.includes('ingress'));
  if (opens.some((h) => h.rule === 'network-policy/open-ingress') || deniesAll) return opens;
  return [...opens, {
    rule: 'network-policy/no-default-deny',
    subject: about,
    evidence: [{ at: 'NetworkPolicy', value: `${policies.length} policies, none with an empty podSelector for ingress` }],
    fix: { kind: 'create', object: defaultDeny(namespace, 'ingress') },
  }]; // prettier-ignore
}

function openHit(subject: Subject, direction: Direction, open: Pods[], all: Pods[], policies: number): Hit {
  const roots = [...new Set(open.map((p) => p.root))].sort();
  const note = direction === 'ingress'
    ? 'first add a policy that allows what the pods need (who calls them is for their owner to say), or they stop answering'
    : 'first add a policy that allows DNS and what the pods call, or they stop working'; // prettier-ignore
  return {
    rule: `network-policy/open-${direction}`,
    subject,
    evidence: [
      {
        at: `NetworkPolicy ${direction}`,
        value: `${policies} policies; no policy selects ${roots.length} of ${new Set(all.map((p) => p.root)).size} workloads`,
      },
    ],
    fix: { kind: 'create', object: defaultDeny(subject.ref.name, direction), note },
    also: roots,
  };
}

function defaultDeny(namespace: string, direction: Direction): Record<string, unknown> {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `default-deny-${direction}`, namespace },
    spec: { podSelector: {}, policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'] },
  };
}

function allowsEverything(policy: Policy): Hit[] {
  // Allowing every way out is a common choice; letting everybody in defeats the policy.
  if (!policy.allowsAll.includes('ingress')) return [];
  return [{
    rule: 'network-policy/allows-everything',
    subject: policy.subject,
    evidence: [{ at: '.spec.ingress', value: 'a rule without from and ports' }],
    fix: { kind: 'decide', reason: 'name in .spec.ingress who may connect, and to which ports; only the owner of the pods knows' },
  }]; // prettier-ignore
}
