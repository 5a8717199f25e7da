import { printable, valueIn } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import type { Workload } from '../facts/model';
import { keyOf } from '../facts/object-index';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { refusalOf } from './admission';
import { dotted, seen, seenEvent } from './evidence';

/** The API server's words about a webhook that does not answer (kubernetes, `staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook`). */
const webhookFails = /failed calling webhook "(?<webhook>[^"]+)": (?:failed to call webhook: )?(?<why>.*)/s;
const webhookService = /https:\/\/(?<name>[a-z0-9-]+)\.(?<namespace>[a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?(?::\d+)?\//;

/** What the API server's own plugins, webhooks and policies say when they refuse (`plugin/pkg/admission/limitranger`, `pod-security-admission`, `.../plugin/policy/validating`). */
const refusals: readonly { cause: CauseCode; pattern: RegExp; title: (name: string, groups: Record<string, string>) => string; remedy: (at: string) => string }[] = [
  {
    cause: 'pod_security_violation',
    pattern: /violates PodSecurity "(?<level>[^"]+)": (?<what>.*)/s,
    title: (name, { level, what }) => `the namespace's Pod Security level ${level ?? ''} does not let the pods of ${name} in: ${what ?? ''}`,
    remedy: (at) => `set what it names in ${at} (see that the image can run so), or give the namespace another level (label pod-security.kubernetes.io/enforce): which of both is for you to say`,
  },
  {
    cause: 'limit_range_violation',
    pattern: /is forbidden: \[?(?<what>(?:maximum|minimum) (?:cpu|memory|[\w./-]*storage\S*) usage per (?:Container|Pod|PersistentVolumeClaim) is .*|\S+ max limit to request ratio per .*)/s,
    title: (name, { what }) => `a LimitRange of the namespace does not let the pods of ${name} in: ${what ?? ''}`,
    remedy: (at) => `keep to the LimitRange in ${at}.containers[].resources, or change it: how much one container may have is for the namespace's owner to say`,
  },
  {
    cause: 'admission_denied',
    pattern: /admission webhook "(?<who>[^"]+)" denied the request: ?(?<what>.*)/s,
    title: (name, { who, what }) => `webhook ${who ?? ''} does not let the pods of ${name} in: ${what ?? ''}`,
    remedy: (at) => `what it asks for is a rule that somebody made: keep to it in ${at}, or have the rule changed`,
  },
  {
    cause: 'admission_denied',
    pattern: /ValidatingAdmissionPolicy '(?<who>[^']+)' with binding '[^']*' denied request: ?(?<what>.*)/s,
    title: (name, { who, what }) => `admission policy ${who ?? ''} does not let the pods of ${name} in: ${what ?? ''}`,
    remedy: (at) => `what it asks for is a rule that somebody made: keep to it in ${at}, or have the rule changed`,
  },
];

/** Workloads whose pods a rule of the cluster refuses, or a webhook that should say so and does not answer. */
export function denialCauses(scene: Scene): Candidate[] {
  return scene.facts.workloads.flatMap((workload) => {
    const refusal = workload.lacksPods ? refusalOf(scene, workload) : undefined;
    if (!refusal) return [];
    const evidence = [refusal.event ? seenEvent(refusal.event) : seen(refusal.about, '.status.conditions[ReplicaFailure].message', refusal.text)];
    return unanswered(scene, workload, refusal.text, evidence) ?? denied(workload, refusal.text, evidence) ?? [];
  });
}

function denied(workload: Workload, text: string, evidence: Candidate['evidence']): Candidate | undefined {
  for (const { cause, pattern, title, remedy } of refusals) {
    const groups = pattern.exec(text)?.groups;
    if (!groups) continue;
    const at = dotted(workload.podSpecAt);
    return { cause, object: workload.ref, confidence: 0.95, title: printable(title(workload.name, groups), 400), evidence: [...evidence, seen(workload.ref, `${at}.securityContext`, valueIn(workload.podSpec, 'securityContext') ?? 'not set')], explains: [workload.key], remedy: { none: remedy(at) } };
  }
  return undefined;
}

/** The webhook's Service is at fault, and what is behind it where that has a cause of its own. */
function unanswered(scene: Scene, workload: Workload, text: string, evidence: Candidate['evidence']): Candidate | undefined {
  const { webhook = '', why = '' } = webhookFails.exec(text)?.groups ?? {};
  if (webhook === '') return undefined;
  const { name, namespace } = webhookService.exec(why)?.groups ?? {};
  const service = name !== undefined && namespace !== undefined ? { apiVersion: 'v1', kind: 'Service', namespace, name } : undefined;
  const reason = printable(why.replace(/^Post "[^"]*": /, ''), 200);
  const gone = service !== undefined && scene.facts.objects.isMissing('Service', service.namespace, service.name);
  return {
    cause: 'admission_webhook_unavailable',
    object: service ?? workload.ref,
    confidence: 0.95,
    title: `webhook ${printable(webhook, 120)}, which has to let pods in, does not answer${service ? ` at Service ${service.namespace}/${service.name}` : ''}: ${reason}`,
    evidence: [...evidence, ...(gone && service ? [seen(service, '.', 'there is no such Service')] : [])],
    explains: [workload.key],
    blames: service ? [keyOf(service)] : [],
    remedy: { none: gone ? `what it belonged to is not there any more: remove its ValidatingWebhookConfiguration or MutatingWebhookConfiguration, or install it again` : `mend what is behind ${service ? `Service ${service.namespace}/${service.name}` : 'the webhook'}; until then its configuration's failurePolicy keeps everything out that it is asked about` },
  };
}
