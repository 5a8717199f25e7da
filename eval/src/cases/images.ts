import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import { pullError } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

const fresh = { ageS: 86_400, podAgeS: 2400 };

/** containerd 1.7 says `failed to resolve reference`, 2.x says `failed to resolve image`. */
function unpack(c: Cluster, code: string, image: string, why: string): string {
  const full = image.includes('/') && /[.:]/.test(image.split('/')[0] ?? '') ? image : `docker.io/${image.includes('/') ? image : `library/${image}`}`;
  const step = c.recent ? `failed to resolve image: ${why}` : `failed to resolve reference "${full}": ${why}`;
  return `rpc error: code = ${code} desc = failed to pull and unpack image "${full}": ${step}`;
}

function pulls(image: string, code: string, why: string, spec: WorkloadSpec = {}, options: { pulling?: boolean; container?: string; only?: number[] } = {}): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...fresh, image, ...spec });
    const pulled = options.container ? (workload.template.containers.find(({ name }) => name === options.container)?.image ?? image) : image;
    pullError(c, workload, unpack(c, code, pulled, why), options);
    workload.stuck = true;
  };
}

const noSuchHost = (host: string, path: string, tag: string, server = '192.168.50.1:53') => `failed to do request: Head "https://${host}/v2/${path}/manifests/${tag}": dial tcp: lookup ${host} on ${server}: no such host`;
const asked = (host: string, path: string, tag: string, why: string) => `failed to do request: Head "https://${host}/v2/${path}/manifests/${tag}": ${why}`;
const tryAgain = (host: string, path: string, tag: string) => `failed to do request: Head "https://${host}/v2/${path}/manifests/${tag}": dial tcp: lookup ${host}: Try again`;
const notFound = (image: string) => `${image}: not found`;
const denied = 'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed';
const unauthorised = (host: string, path: string) => `failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://${host}/token?scope=repository%3A${path.replaceAll('/', '%2F')}%3Apull&service=${host}: 401 Unauthorized`;

/** A pull secret that the pods name and nobody made, or none at all for a private registry. */
function noSecret(image: string, code: string, why: string, secret: string | undefined, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    const pod = secret === undefined ? {} : { imagePullSecrets: [{ name: secret }] };
    const workload = c.workload(at, { ...fresh, image, ...spec, pod: { ...spec.pod, ...pod } });
    pullError(c, workload, unpack(c, code, image, why));
    if (secret === undefined) return;
    for (const one of workload.pods) c.event(one, { reason: 'FailedToRetrieveImagePullSecret', message: `Unable to retrieve some image pull secrets (${secret}); attempting to pull the image may not succeed.`, count: 21 });
  };
}

/** Neighbours with images from the same registry that pull well with a secret. */
function withSecret(c: Cluster, namespace: string, secret: string, image: string): void {
  c.add('v1', 'Secret', { name: secret, namespace }, { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': '' } });
  c.workload({ kind: 'Deployment', namespace, name: 'sibling' }, { image, pod: { imagePullSecrets: [{ name: secret }] } });
}

export const images: Fault[] = [
  {
    class: 'startup',
    cause: 'image_registry_dns_failure',
    sources: [sources.imagePull, sources.resolver],
    variants: [
      ['Deployment shop/payments', 'registry host misspelt', pulls('regsitry.example.com/apps/payments:2.4.0', 'Unknown', noSuchHost('regsitry.example.com', 'apps/payments', '2.4.0'))],
      ['StatefulSet data/timescale', 'internal registry without a name', pulls('registry.corp.internal/db/timescale:pg16', 'Unknown', noSuchHost('registry.corp.internal', 'db/timescale', 'pg16'), { port: 5432 })],
      ['DaemonSet security/falco', 'Try again (EAI_AGAIN)', pulls('harbor.lan/security/falco:0.41.0', 'Unknown', tryAgain('harbor.lan', 'security/falco', '0.41.0'))],
      ['CronJob ops/renew', 'CronJob, first attempt', pulls('ghcr.local/ops/renew:v3', 'Unknown', noSuchHost('ghcr.local', 'ops/renew', 'v3', '127.0.0.53:53'), { port: 0 }, { pulling: true })],
      ['Deployment web/portal', 'only the side container', pulls('registry.example.com/apps/portal:8', 'Unknown', noSuchHost('mirror.example.invalid', 'envoy', 'v1.34'), { sidecars: [{ name: 'envoy', image: 'mirror.example.invalid/envoy:v1.34' }] }, { container: 'envoy' })],
      ['Job batch/seed', 'timeout of the resolver', pulls('registry.old-dc.net/batch/seed:1', 'DeadlineExceeded', 'failed to do request: Head "https://registry.old-dc.net/v2/batch/seed/manifests/1": dial tcp: lookup registry.old-dc.net on 192.168.50.1:53: read udp 192.168.50.15:41233->192.168.50.1:53: i/o timeout', { port: 0 })],
    ],
  },
  {
    class: 'startup',
    cause: 'image_registry_unreachable',
    sources: [sources.imagePull, sources.registryWay],
    variants: [
      ['Deployment shop/stock', 'registry with a certificate of its own', pulls('registry.home.arpa/shop/stock:1.8', 'Unknown', asked('registry.home.arpa', 'shop/stock', '1.8', 'tls: failed to verify certificate: x509: certificate signed by unknown authority'))],
      ['StatefulSet data/questdb', 'registry speaks HTTP only', pulls('10.0.4.7:5000/data/questdb:9', 'Unknown', asked('10.0.4.7:5000', 'data/questdb', '9', 'http: server gave HTTP response to HTTPS client'), { port: 9009 })],
      ['DaemonSet edge/beacon', 'nobody listens', pulls('harbor.example.com/edge/beacon:3', 'Unknown', asked('harbor.example.com', 'edge/beacon', '3', 'dial tcp 10.0.4.8:443: connect: connection refused'))],
      ['Job batch/reindex', 'no answer', pulls('registry.dc2.example.com/batch/reindex:7', 'DeadlineExceeded', asked('registry.dc2.example.com', 'batch/reindex', '7', 'dial tcp 10.9.0.4:443: i/o timeout'), { port: 0 })],
      ['CronJob ops/rotate', 'too many pulls', pulls('alpine:3.22', 'Unknown', 'unexpected status code https://registry-1.docker.io/v2/library/alpine/manifests/3.22: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit', { port: 0 })],
      ['Deployment press/printer', 'its certificate is out of date', pulls('images.press.example/printer:2', 'Unknown', asked('images.press.example', 'printer', '2', 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-06-02T09:41:11Z is after 2026-05-30T00:00:00Z'))],
    ],
  },
  {
    class: 'startup',
    cause: 'incorrect_image_reference',
    sources: [sources.imagePull],
    variants: [
      ['Deployment shop/frontend', 'tag that does not exist', pulls('nginx:1.29.99', 'NotFound', notFound('docker.io/library/nginx:1.29.99'))],
      ['Deployment orders/validator', 'its callers end', feltBy(pulls('registry.example.com/orders/validator:v2.0.0-rcl', 'NotFound', notFound('registry.example.com/orders/validator:v2.0.0-rcl')), 'validator', { name: 'intake', log: [complaints.go] }, { name: 'audit', log: [complaints.python] })],
      ['StatefulSet queue/nats', 'StatefulSet', pulls('nats:2.99-alpine', 'NotFound', notFound('docker.io/library/nats:2.99-alpine'), { port: 4222 })],
      ['Deployment blog/ghost', 'repository misspelt on Docker Hub: denied', pulls('ghots:5', 'Unknown', denied)],
      ['DaemonSet monitoring/promtail', 'DaemonSet', pulls('quay.io/grafana/promtial:3.4', 'NotFound', notFound('quay.io/grafana/promtial:3.4'))],
      ['CronJob reports/send', 'digest of nothing', pulls('registry.example.com/reports/send@sha256:0000000000000000000000000000000000000000000000000000000000000000', 'NotFound', notFound('registry.example.com/reports/send@sha256:0000000000000000000000000000000000000000000000000000000000000000'), { port: 0 })],
      ['Deployment iot/collector', 'InvalidImageName', (c, at) => {
        const workload = c.workload(at, { ...fresh, image: 'registry.example.com/IoT/Collector:Latest' });
        const message = 'Failed to apply default image tag "registry.example.com/IoT/Collector:Latest": couldn\'t parse image name "registry.example.com/IoT/Collector:Latest": invalid reference format: repository name (IoT/Collector) must be lowercase';
        pullError(c, workload, message);
        for (const pod of workload.pods) {
          for (const status of pod.status.containerStatuses ?? []) status.state = { waiting: { reason: 'InvalidImageName', message } };
          c.event(pod, { reason: 'InspectFailed', message, count: 30 });
          c.event(pod, { reason: 'Failed', message: 'Error: InvalidImageName', count: 30 });
        }
      }],
      ['Deployment web/search', 'the new ReplicaSet of a rollout; the old one still serves', (c, at) => {
        const workload = c.workload(at, { image: 'registry.example.com/web/search:3.1.0', replicas: 3 });
        const old = workload.controller;
        const template = structuredClone(workload.template);
        for (const container of template.containers) container.image = 'registry.example.com/web/search:3.2.O';
        Object.assign((workload.root['spec'] as { template: { spec: unknown } }).template, { spec: template });
        old['status'] = { replicas: 3, readyReplicas: 3, availableReplicas: 3 };
        c.keep(old);
        const set = c.replicaSet(workload, 1, { ageS: 1500, template, revision: 5 });
        Object.assign(workload.root.metadata.annotations ?? {}, { 'deployment.kubernetes.io/revision': '5' });
        const serving = workload.pods.splice(0);
        workload.controller = set;
        workload.template = template;
        workload.pods.push(c.addPod(workload, 3, set, template));
        pullError(c, workload, unpack(c, 'NotFound', 'registry.example.com/web/search:3.2.O', notFound('registry.example.com/web/search:3.2.O')));
        workload.pods.push(...serving);
        workload.stuck = true;
      }],
    ],
  },
  {
    class: 'startup',
    cause: 'missing_image_pull_secret',
    sources: [sources.imagePull],
    variants: [
      ['Deployment crm/api', 'names a secret that does not exist', noSecret('ghcr.io/acme/crm-api:4.2', 'Unknown', unauthorised('ghcr.io', 'acme/crm-api'), 'ghcr-login')],
      ['StatefulSet erp/ledger', 'StatefulSet', noSecret('harbor.example.com/erp/ledger:9', 'Unknown', 'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://harbor.example.com/service/token?scope=repository%3Aerp%2Fledger%3Apull&service=harbor-registry: 401 Unauthorized', 'harbor-pull')],
      ['Deployment ml/vision', 'none at all, where a sibling has one', (c, at) => {
        withSecret(c, at.namespace, 'registry-auth', 'registry.gitlab.com/acme/ml/tools:1');
        noSecret('registry.gitlab.com/acme/ml/vision:7', 'Unknown', 'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://gitlab.com/jwt/auth?scope=repository%3Aacme%2Fml%2Fvision%3Apull&service=container_registry: 403 Forbidden', undefined)(c, at);
      }],
      ['CronJob billing/invoice-run', 'CronJob', noSecret('ghcr.io/acme/invoice-run:2026.4', 'Unknown', unauthorised('ghcr.io', 'acme/invoice-run'), 'regcred', { port: 0 })],
      ['DaemonSet edge/camera-agent', 'DaemonSet, basic authentication', noSecret('registry.acme.io/edge/camera:12', 'Unknown', 'failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://registry.acme.io/token: 401 Unauthorized', 'acme-registry')],
      ['Deployment partner/sync', 'the secret stands in another namespace', (c, at) => {
        c.add('v1', 'Secret', { name: 'acr-pull', namespace: 'default' }, { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': '' } });
        noSecret('acme.azurecr.io/partner/sync:5', 'Unknown', 'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://acme.azurecr.io/oauth2/token?scope=repository%3Apartner%2Fsync%3Apull&service=acme.azurecr.io: 401 Unauthorized', 'acr-pull')(c, at);
      }],
    ],
  },
];
