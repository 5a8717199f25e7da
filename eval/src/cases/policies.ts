import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import { refused } from '../cluster/trouble';
import type { Workload, WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

/** What admission refuses: webhooks that are away, rules that say no. */
const fresh = { ageS: 7200, podAgeS: 2600 };
const days = { ageS: 40 * 86_400, podAgeS: 9 * 86_400 };

/** The name of the pod that was refused: the API server makes it before admission. */
export function refusedPod(c: Cluster, { target: { kind, name }, controller }: Workload): string {
  return kind === 'StatefulSet' ? `${name}-0` : `${controller.metadata.name}-${c.chance.name(5)}`;
}

/** A workload that is refused its pods; POD stands for the name of one of them, PREFIX for what the similar ones share. */
export function forbidden(message: string, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...fresh, ...spec });
    refused(c, workload, message.replaceAll('POD', refusedPod(c, workload)).replaceAll('NS', at.namespace));
    workload.stuck = true;
  };
}

/** Some pods of before run on; the next one is refused, and by now the recorder combines similar events. */
export function partly(message: string, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ageS: 30 * 86_400, podAgeS: 4 * 86_400, replicas: 3, pods: 2, ...spec });
    const kept = [...workload.pods];
    const text = message.replaceAll('POD', refusedPod(c, workload)).replaceAll('NS', at.namespace);
    workload.createError = text;
    c.event(workload.controller, { reason: 'FailedCreate', message: `(combined from similar events): Error creating: ${text}`, from: 'replicaset-controller', count: 21, firstS: 2900, lastS: 310 });
    workload.pods = kept;
  };
}

interface Hook {
  configuration: string;
  webhook: string;
  path: string;
  mutating?: boolean;
  port?: number;
}

export function registerHook(c: Cluster, service: { namespace: string; name: string }, { configuration, webhook, path, mutating = false, port = 443 }: Hook): void {
  c.add('admissionregistration.k8s.io/v1', mutating ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration', { name: configuration }, {
    webhooks: [{ name: webhook, clientConfig: { service: { ...service, path, port }, caBundle: '' }, failurePolicy: 'Fail', sideEffects: 'NoneOnDryRun', timeoutSeconds: 10, admissionReviewVersions: ['v1'], matchPolicy: 'Equivalent', rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' }] }],
  });
}

/** The API server's words for a webhook that it cannot ask. */
export function callFailed({ namespace, name }: { namespace: string; name: string }, { webhook, path, port = 443 }: Hook, why: string): string {
  return `Internal error occurred: failed calling webhook "${webhook}": failed to call webhook: Post "https://${name}.${namespace}.svc:${port}${path}?timeout=10s": ${why}`;
}

const hooks = {
  kyverno: { configuration: 'kyverno-resource-validating-webhook-cfg', webhook: 'validate.kyverno.svc-fail', path: '/validate/fail' },
  istio: { configuration: 'istio-sidecar-injector', webhook: 'namespace.sidecar-injector.istio.io', path: '/inject', mutating: true },
  linkerd: { configuration: 'linkerd-proxy-injector-webhook-config', webhook: 'linkerd-proxy-injector.linkerd.io', path: '/', mutating: true },
  vault: { configuration: 'vault-agent-injector-cfg', webhook: 'vault.hashicorp.com', path: '/mutate', mutating: true },
  gatekeeper: { configuration: 'gatekeeper-validating-webhook-configuration', webhook: 'validation.gatekeeper.sh', path: '/v1/admit' },
  otel: { configuration: 'opentelemetry-operator-mutation', webhook: 'mpod.kb.io', path: '/mutate-v1-pod', mutating: true },
  kueue: { configuration: 'kueue-mutating-webhook-configuration', webhook: 'mpod.kb.io', path: '/mutate--v1-pod', mutating: true },
} as const satisfies Record<string, Hook>;
export const webhooks: Record<keyof typeof hooks, Hook> = hooks;

interface Behind {
  /** Port of the Service: 443 by default. */
  port?: number;
  /** The Deployment behind it; none when it was removed. */
  deployment?: string;
  image?: string;
}

/** A webhook that does not answer though nothing that runs behind it is unwell; those who need a pod fail. */
function unanswered(hook: Hook, why: string, behind: Behind, ...refusedOnes: [kind: string, path: string][]): Recipe {
  return (c, at) => {
    registerHook(c, at, hook);
    if (behind.deployment !== undefined) c.workload({ kind: 'Deployment', namespace: at.namespace, name: behind.deployment }, { ...days, replicas: 1, port: 9443, service: false, image: behind.image ?? `registry.example.com/mirror/${behind.deployment}:2.4.1` });
    const service = c.service(at, { app: behind.deployment ?? at.name }, [{ name: 'https', port: hook.port ?? 443, targetPort: 9443 }]);
    const message = callFailed(at, hook, why.replaceAll('SERVICE_IP', service.spec.clusterIP ?? '').replaceAll('TIME', c.ago(120)));
    for (const [kind, path] of refusedOnes) {
      const [namespace = '', name = ''] = path.split('/');
      forbidden(message, { port: kind === 'Job' || kind === 'CronJob' ? 0 : 8080 })(c, { kind, namespace, name });
    }
  };
}

/** The configuration was left behind when the rest was removed: even the Service is gone. */
function leftBehind(hook: Hook, ...refusedOnes: [kind: string, path: string][]): Recipe {
  return (c, at) => {
    registerHook(c, at, hook);
    for (const [kind, path] of refusedOnes) {
      const [namespace = '', name = ''] = path.split('/');
      forbidden(callFailed(at, hook, `service "${at.name}" not found`))(c, { kind, namespace, name });
    }
  };
}

/** Kyverno writes its reasons as YAML, which folds long lines. */
function kyverno(policy: string, rule: string, why: string, at: string): string {
  const folded = `${rule}: 'validation error: ${why}. rule ${rule} failed at path ${at}'`.replace(/(.{60,78}) /g, '$1\n    ');
  return `admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/NS/POD was blocked due to the following policies \n\n${policy}:\n  ${folded}\n`;
}

const gatekeeper = (constraint: string, why: string) => `admission webhook "validation.gatekeeper.sh" denied the request: [${constraint}] ${why}`;
const security = (level: string, ...violations: string[]) => `pods "POD" is forbidden: violates PodSecurity "${level}": ${violations.join(', ')}`;
const restricted = (container: string) => security('restricted:latest', `allowPrivilegeEscalation != false (container "${container}" must set securityContext.allowPrivilegeEscalation=false)`, `unrestricted capabilities (container "${container}" must set securityContext.capabilities.drop=["ALL"])`, `runAsNonRoot != true (pod or container "${container}" must set securityContext.runAsNonRoot=true)`, `seccompProfile (pod or container "${container}" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`);
const limits = (message: string) => `pods "POD" is forbidden: ${message}`;

/** Labels of the namespace that make Pod Security enforce a level. */
export function enforced(level: string, recipe: Recipe): Recipe {
  return (c, at) => {
    const namespace = c.namespace(at.namespace);
    namespace.metadata.labels = { ...namespace.metadata.labels, 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/enforce-version': 'latest' };
    recipe(c, at);
  };
}

/** A LimitRange in the namespace, which the message follows from. */
function ranged(item: Record<string, unknown>, recipe: Recipe): Recipe {
  return (c, at) => {
    c.add('v1', 'LimitRange', { name: 'limits', namespace: at.namespace }, { spec: { limits: [{ type: 'Container', ...item }] } });
    recipe(c, at);
  };
}

const resources = (requests: Record<string, string>, max: Record<string, string>): WorkloadSpec => ({ container: { resources: { requests, limits: max } } });

/** A StatefulSet whose claim the LimitRange refuses. */
function claimOutOfRange(limit: Record<string, unknown>, asked: string, message: string): Recipe {
  return (c, at) => {
    c.add('v1', 'LimitRange', { name: 'storage', namespace: at.namespace }, { spec: { limits: [{ type: 'PersistentVolumeClaim', ...limit }] } });
    const workload = c.workload(at, { ...fresh, port: 9000, spec: { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: asked } } } }] } });
    const claim = `data-${at.name}-0`;
    refused(c, workload, `failed to create PVC ${claim}: persistentvolumeclaims "${claim}" is forbidden: ${message}`);
    c.event(workload.root, { reason: 'FailedCreate', from: 'statefulset-controller', count: 17, firstS: 2600, lastS: 400, message: `create Claim ${claim} for Pod ${at.name}-0 in StatefulSet ${at.name} failed error: persistentvolumeclaims "${claim}" is forbidden: ${message}` });
  };
}

export const policies: Fault[] = [
  {
    class: 'admission',
    cause: 'admission_webhook_unavailable',
    sources: [sources.webhooks, sources.replicaSet, sources.statefulSet],
    variants: [
      ['Service kyverno/kyverno-svc', 'removed by hand, its configuration is left and refuses every pod', leftBehind(webhooks.kyverno, ['Deployment', 'shop/cart'], ['StatefulSet', 'data/mongodb'])],
      ['Service istio-system/istiod', 'nobody reaches the masters\' way to pods: it runs and is ready', unanswered(webhooks.istio, 'context deadline exceeded', { deployment: 'istio-pilot' }, ['Deployment', 'shop/orders'], ['Deployment', 'shop/search'], ['DaemonSet', 'logging/fluent-bit'])],
      ['Service linkerd/linkerd-proxy-injector', 'its certificate has run out', unanswered(webhooks.linkerd, 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time TIME is after 2026-01-31T11:02:40Z', { deployment: 'linkerd-injector' }, ['Deployment', 'web/storefront-next'])],
      ['Service vault/vault-agent-injector-svc', 'signed by somebody unknown after a new installation', unanswered(webhooks.vault, 'tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of "crypto/rsa: verification error" while trying to verify candidate authority certificate "Agent Inject CA")', { deployment: 'vault-agent-injector' }, ['CronJob', 'ops/offsite-backup'], ['Deployment', 'pay/ledger'])],
      ['Service gatekeeper-system/gatekeeper-webhook-service', 'the workload was removed, Service and configuration were not', unanswered(webhooks.gatekeeper, 'no endpoints available for service "gatekeeper-webhook-service"', {}, ['StatefulSet', 'data/kafka'], ['Job', 'batch/migrate'])],
      ['Service opentelemetry/opentelemetry-operator-webhook', 'for another name', unanswered(webhooks.otel, 'tls: failed to verify certificate: x509: certificate is valid for opentelemetry-operator-webhook-service.default.svc, not opentelemetry-operator-webhook.opentelemetry.svc', { deployment: 'opentelemetry-operator' }, ['Deployment', 'ml/inference'])],
      ['Service kueue-system/kueue-webhook-service', 'a firewall between masters and workers', unanswered(webhooks.kueue, 'dial tcp SERVICE_IP:443: i/o timeout', { deployment: 'kueue-controller' }, ['Job', 'ml/train-small'], ['Job', 'ml/train-large'])],
    ],
  },
  {
    class: 'admission',
    cause: 'admission_denied',
    sources: [sources.policies, sources.webhooks],
    variants: [
      ['Deployment shop/cart', 'Kyverno wants limits', forbidden(kyverno('require-requests-limits', 'validate-resources', 'CPU and memory resource requests and memory limits are required', '/spec/containers/0/resources/limits/'), { container: { resources: {} } })],
      ['StatefulSet data/redis', 'Gatekeeper: image of another registry', forbidden(gatekeeper('allowed-repos', 'container <redis> has an invalid image repo <docker.io/library/redis:8.0>, allowed repos are ["registry.example.com/"]'), { image: 'docker.io/library/redis:8.0', port: 6379 })],
      ['Deployment web/landing', 'an admission policy of the API server itself', forbidden('pods "POD" is forbidden: ValidatingAdmissionPolicy \'no-latest-tag\' with binding \'no-latest-tag\' denied request: images must be referred to by a version', { image: 'registry.example.com/web/landing:latest' })],
      ['DaemonSet net/sniffer', 'Kyverno: host network', forbidden(kyverno('disallow-host-namespaces', 'host-namespaces', 'Sharing the host namespaces is disallowed. The fields spec.hostNetwork, spec.hostIPC, and spec.hostPID must be unset or set to `false`', '/spec/hostNetwork/'), { port: 0, pod: { hostNetwork: true } })],
      ['CronJob ops/prune-images', 'not signed', forbidden('admission webhook "policy.sigstore.dev" denied the request: validation failed: failed policy: signed-by-us: spec.template.spec.containers[0].image\nregistry.example.com/apps/prune-images@sha256:0c1f6a3f9f1e8f0a5ad3b9d1d6d3f1e7b0d2a4c6e8f1a3b5c7d9e1f3a5b7c9d1 signature key validation failed for authority authority-0: no matching signatures', { port: 0 })],
      ['Deployment hr/payroll', 'Kyverno before anything else: a mutating rule for signatures', forbidden('admission webhook "mutate.kyverno.svc-fail" denied the request: \n\nresource Pod/NS/POD was blocked due to the following policies\n\nrequire-signed-images:\n  verify-signature: \'failed to verify image registry.example.com/apps/payroll:1.7.0: .attestors[0].entries[0].keys:\n    no signatures found\'\n')],
      ['StatefulSet iot/broker', 'Kubewarden', forbidden('admission webhook "clusterwide-no-host-path.kubewarden.admission" denied the request: hostPath \'/srv/broker\' is not in the AllowedHostPaths list', { port: 1883, pod: { volumes: [{ name: 'data', hostPath: { path: '/srv/broker' } }] } })],
      ['Deployment lab/jupyter', 'an admission policy with no message of its own', forbidden('pods "POD" is forbidden: ValidatingAdmissionPolicy \'pods-have-owners\' with binding \'pods-have-owners-lab\' denied request: failed expression: has(object.metadata.labels) && \'owner\' in object.metadata.labels')],
      ['Deployment team/wiki', 'a label is missing; older pods go on', partly(gatekeeper('must-have-cost-centre', 'you must provide labels: {"cost-centre"}'))],
      ['Job batch/export-ledger', 'its caller waits for what it makes', feltBy(forbidden(gatekeeper('psp-privileged', 'Privileged container is not allowed: export-ledger, securityContext: {"privileged": true}'), { port: 0, container: { securityContext: { privileged: true } } }), 'export-ledger', { name: 'reporting', log: ['WARN ledger export of today is not there yet, showing that of yesterday'], runs: true })],
    ],
  },
  {
    class: 'admission',
    cause: 'pod_security_violation',
    sources: [sources.podSecurity, sources.replicaSet],
    variants: [
      ['Deployment shop/checkout', 'restricted', enforced('restricted', forbidden(restricted('checkout')))],
      ['DaemonSet monitoring/node-metrics', 'baseline: host namespaces, paths and ports', enforced('baseline', forbidden(security('baseline:latest', 'host namespaces (hostNetwork=true, hostPID=true)', 'hostPath volumes (volumes "proc", "sys", "root")', 'hostPort (container "node-metrics" uses hostPort 9100)'), { port: 9100, pod: { hostNetwork: true, hostPID: true, volumes: ['proc', 'sys', 'root'].map((name) => ({ name, hostPath: { path: `/${name === 'root' ? '' : name}` } })) } }))],
      ['StatefulSet media/plex', 'privileged, for its GPU', enforced('baseline', forbidden(security('baseline:v1.33', 'privileged (container "plex" must not set securityContext.privileged=true)', 'hostPath volumes (volume "dri")'), { port: 32400, container: { securityContext: { privileged: true } } }))],
      ['Job batch/restore', 'restricted, a Job', enforced('restricted', forbidden(restricted('restore'), { port: 0 }))],
      ['Deployment vpn/wireguard', 'capabilities', enforced('baseline', forbidden(security('baseline:latest', 'non-default capabilities (container "wireguard" must not include "NET_ADMIN", "SYS_MODULE" in securityContext.capabilities.add)'), { port: 51820, container: { securityContext: { capabilities: { add: ['NET_ADMIN', 'SYS_MODULE'] } } } }))],
      ['Deployment crm/web', 'older pods of before go on', enforced('restricted', partly(restricted('web')))],
      ['StatefulSet club/members-db', 'its clients end', enforced('restricted', feltBy(forbidden(security('restricted:latest', 'runAsNonRoot != true (pod or container "members-db" must set securityContext.runAsNonRoot=true)'), { port: 5432 }), 'members-db', { name: 'members', log: [complaints.postgres] }, { name: 'dues', log: [complaints.go] }))],
    ],
  },
  {
    class: 'admission',
    cause: 'limit_range_violation',
    sources: [sources.limitRanger, sources.replicaSet],
    variants: [
      ['Deployment shop/search', 'more memory than a container may have', ranged({ max: { memory: '1Gi' } }, forbidden(limits('maximum memory usage per Container is 1Gi, but limit is 4Gi'), resources({ memory: '1Gi' }, { memory: '4Gi' })))],
      ['StatefulSet data/cassandra', 'two at once', ranged({ max: { cpu: '2', memory: '4Gi' } }, forbidden(limits('[maximum cpu usage per Container is 2, but limit is 4, maximum memory usage per Container is 4Gi, but limit is 8Gi]'), { ...resources({ cpu: '1', memory: '4Gi' }, { cpu: '4', memory: '8Gi' }), port: 9042 }))],
      ['Deployment team/tiny', 'less than the least', ranged({ min: { memory: '64Mi' } }, forbidden(limits('minimum memory usage per Container is 64Mi, but request is 16Mi'), resources({ memory: '16Mi' }, { memory: '64Mi' })))],
      ['CronJob ops/reindex', 'limit and request too far apart', ranged({ maxLimitRequestRatio: { cpu: '4' } }, forbidden(limits('cpu max limit to request ratio per Container is 4, but provided ratio is 20.000000'), { ...resources({ cpu: '100m' }, { cpu: '2' }), port: 0 }))],
      ['Deployment pdf/renderer', 'by pod: the side container counts too', ranged({ type: 'Pod', max: { memory: '2Gi' } }, forbidden(limits('maximum memory usage per Pod is 2Gi, but limit is 2560Mi'), { ...resources({ memory: '1Gi' }, { memory: '2Gi' }), sidecars: [{ name: 'fonts', image: 'registry.example.com/apps/fonts:1.2', resources: { limits: { memory: '512Mi' } } }] }))],
      ['StatefulSet forge/registry', 'its claim is larger than allowed', claimOutOfRange({ max: { storage: '20Gi' } }, '100Gi', 'maximum storage usage per PersistentVolumeClaim is 20Gi, but request is 100Gi')],
      ['DaemonSet edge/collector', 'no limit said, and none by default', ranged({ max: { 'ephemeral-storage': '2Gi' } }, forbidden(limits('maximum ephemeral-storage usage per Container is 2Gi.  No limit is specified'), { port: 0 }))],
    ],
  },
];
