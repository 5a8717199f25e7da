import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import type { Target } from '../cluster/objects';
import { dropPods, refused } from '../cluster/trouble';
import type { Workload } from '../cluster/workload';
import { sources } from '../sources';

function podPrefix(workload: Workload): string {
  const { kind, name } = workload.target;
  return kind === 'StatefulSet' ? `${name}-0` : `${workload.controller.metadata.name}-${kind === 'Deployment' || kind === 'CronJob' || kind === 'Job' || kind === 'DaemonSet' ? '' : '0'}`;
}

function noAccount(account: string, spec: Record<string, unknown> = {}): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { pod: { serviceAccountName: account, serviceAccount: account }, ageS: 2600, podAgeS: 2500, ...spec });
    refused(c, workload, `pods "${podPrefix(workload)}" is forbidden: error looking up service account ${at.namespace}/${account}: serviceaccount "${account}" not found`);
    workload.stuck = true;
  };
}

interface Quota {
  /** `requests.cpu` and alike. */
  resource: string;
  hard: string;
  used: string;
  asked: string;
  /** More of the same quota that is not exceeded. */
  others?: Record<string, [hard: string, used: string]>;
}

function addQuota(c: Cluster, at: Required<Target>, { resource, hard, used, others = {} }: Quota): void {
  const all = { [resource]: [hard, used], ...others } as Record<string, [string, string]>;
  const column = (index: 0 | 1) => Object.fromEntries(Object.entries(all).map(([key, pair]) => [key, pair[index]]));
  c.add('v1', 'ResourceQuota', { name: at.name, namespace: at.namespace }, { spec: { hard: column(0) }, status: { hard: column(0), used: column(1) } });
}

const over = (at: Target, { resource, asked, used, hard }: Quota) => `exceeded quota: ${at.name}, requested: ${resource}=${asked}, used: ${resource}=${used}, limited: ${resource}=${hard}`;

/** A workload whose pods the quota refuses. */
function podsOver(quota: Quota, kind: string, name: string, container: Record<string, unknown> = {}): Recipe {
  return (c, at) => {
    addQuota(c, at, quota);
    const workload = c.workload({ kind, namespace: at.namespace, name }, { container: { resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '2Gi' } }, ...container }, ageS: 2700, podAgeS: 2600 });
    refused(c, workload, `pods "${podPrefix(workload)}" is forbidden: ${over(at, quota)}`);
    workload.stuck = true;
  };
}

/** Some of a Deployment's pods run, the next does not fit. */
function scaledOver(quota: Quota, name: string): Recipe {
  return (c, at) => {
    addQuota(c, at, quota);
    const workload = c.workload({ kind: 'Deployment', namespace: at.namespace, name }, { replicas: 4, pods: 4, container: { resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '2Gi' } } } });
    const kept = workload.pods.slice(0, 2);
    refused(c, workload, `pods "${podPrefix(workload)}x7k2p" is forbidden: ${over(at, quota)}`);
    workload.pods.push(...kept);
  };
}

/** A claim of a StatefulSet that the quota refuses. */
function claimOver(quota: Quota, name: string, byHand = false): Recipe {
  return (c, at) => {
    addQuota(c, at, quota);
    const workload = c.workload({ kind: 'StatefulSet', namespace: at.namespace, name }, { ageS: 2700, podAgeS: 2600, spec: { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: quota.asked.endsWith('Gi') ? quota.asked : '10Gi' } } } }] } });
    dropPods(c, workload);
    const claim = `data-${name}-0`;
    c.event(workload.root, { reason: 'FailedCreate', from: 'statefulset-controller', count: 17, firstS: 2600, lastS: 400, message: `create Claim ${claim} for Pod ${name}-0 in StatefulSet ${name} failed error: persistentvolumeclaims "${claim}" is forbidden: ${over(at, quota)}` });
    if (!byHand) c.event(workload.root, { reason: 'FailedCreate', from: 'statefulset-controller', count: 17, firstS: 2600, lastS: 400, message: `create Pod ${name}-0 in StatefulSet ${name} failed error: failed to create PVC ${claim}: persistentvolumeclaims "${claim}" is forbidden: ${over(at, quota)}` });
  };
}

/** A Service that a Flux object was refused; the workload stands there without it. */
function serviceOver(quota: Quota, name: string, by: 'HelmRelease' | 'Kustomization'): Recipe {
  return (c, at) => {
    addQuota(c, at, quota);
    c.workload({ kind: 'Deployment', namespace: at.namespace, name }, { service: false, ageS: 2400, podAgeS: 2400 });
    const refusal = `services "${name}" is forbidden: ${over(at, quota)}`;
    const helm = by === 'HelmRelease';
    const message = helm ? `Helm install failed for release ${at.namespace}/${name} with chart ${name}@1.4.2: 1 error occurred:\n\t* ${refusal}` : `Service/${at.namespace}/${name} dry-run failed (Forbidden): ${refusal}`;
    const reason = helm ? 'InstallFailed' : 'ReconciliationFailed';
    const owner = c.add(helm ? 'helm.toolkit.fluxcd.io/v2' : 'kustomize.toolkit.fluxcd.io/v1', by, { name, namespace: at.namespace }, { spec: { interval: '10m' }, status: { conditions: [{ type: 'Ready', status: 'False', reason, message, lastTransitionTime: c.ago(2300) }] } });
    c.event(owner, { reason, message, from: helm ? 'helm-controller' : 'kustomize-controller', count: 4 });
  };
}

const cpu = (hard: string, used: string, asked: string, others: Quota['others'] = { 'requests.memory': ['16Gi', '4Gi'] }): Quota => ({ resource: 'requests.cpu', hard, used, asked, others });
const memory = (resource: string, hard: string, used: string, asked: string): Quota => ({ resource, hard, used, asked, others: { 'requests.cpu': ['16', '3'] } });
const pods = (hard: string, used: string): Quota => ({ resource: 'pods', hard, used, asked: '1', others: { 'requests.cpu': ['8', '2500m'] } });
const storage = (resource: string, hard: string, used: string, asked: string): Quota => ({ resource, hard, used, asked });
const service = (resource: string, hard: string): Quota => ({ resource, hard, used: hard, asked: '1', others: { configmaps: ['50', '7'] } });

export const admission: Fault[] = [
  {
    class: 'admission',
    cause: 'missing_service_account',
    sources: [sources.replicaSet, sources.statefulSet, sources.serviceAccount],
    variants: [
      ['Deployment shop/cart', 'of a chart that was installed without its account', noAccount('cart')],
      ['StatefulSet club/members-db', 'its client ends', feltBy(noAccount('members-db', { port: 5432 }), 'members-db', { name: 'members', log: [complaints.postgres] })],
      ['StatefulSet data/kafka', 'StatefulSet', noAccount('kafka-broker', { port: 9092 })],
      ['DaemonSet logging/fluent-bit', 'DaemonSet', noAccount('fluent-bit', { port: 2020 })],
      ['Job batch/import-orders', 'Job', noAccount('importer', { port: 0 })],
      ['CronJob ops/rotate-certificates', 'CronJob', noAccount('cert-rotator', { port: 0 })],
      ['Deployment ci/runner', 'account of another namespace by mistake', (c, at) => {
        c.add('v1', 'ServiceAccount', { name: 'runner-sa', namespace: 'ci-system' });
        noAccount('runner-sa', { replicas: 1 })(c, at);
      }],
    ],
  },
  {
    class: 'admission',
    cause: 'namespace_cpu_quota_exceeded',
    sources: [sources.quota, sources.replicaSet, sources.statefulSet],
    variants: [
      ['ResourceQuota shop/compute', 'Deployment', podsOver(cpu('2', '1900m', '500m'), 'Deployment', 'checkout')],
      ['ResourceQuota team-red/team-red-quota', 'half scaled', scaledOver(cpu('1500m', '1200m', '500m'), 'renderer')],
      ['ResourceQuota data/limits', 'StatefulSet, limits.cpu', podsOver({ resource: 'limits.cpu', hard: '4', used: '3500m', asked: '1' }, 'StatefulSet', 'clickhouse')],
      ['ResourceQuota batch/batch-quota', 'Job', podsOver(cpu('1', '800m', '500m'), 'Job', 'recalculate-prices')],
      ['ResourceQuota edge/agents', 'DaemonSet', podsOver(cpu('3', '2800m', '500m'), 'DaemonSet', 'edge-agent')],
    ],
  },
  {
    class: 'admission',
    cause: 'namespace_memory_quota_exceeded',
    sources: [sources.quota, sources.replicaSet, sources.statefulSet],
    variants: [
      ['ResourceQuota payments/compute-resources', 'limits.memory', podsOver(memory('limits.memory', '8Gi', '7Gi', '2Gi'), 'Deployment', 'ledger')],
      ['ResourceQuota ml/gpu-team', 'requests.memory, scaled', scaledOver(memory('requests.memory', '3Gi', '2560Mi', '1Gi'), 'inference')],
      ['ResourceQuota search/search-quota', 'StatefulSet', podsOver(memory('requests.memory', '4Gi', '3840Mi', '1Gi'), 'StatefulSet', 'opensearch')],
      ['ResourceQuota reports/nightly', 'CronJob', podsOver(memory('limits.memory', '2Gi', '1Gi', '2Gi'), 'CronJob', 'monthly-statement')],
      ['ResourceQuota blog/default-quota', 'plain `memory`', podsOver(memory('memory', '1536Mi', '1Gi', '1Gi'), 'Deployment', 'wordpress')],
      ['ResourceQuota iot/iot-quota', 'DaemonSet', podsOver(memory('requests.memory', '6Gi', '5632Mi', '1Gi'), 'DaemonSet', 'mqtt-bridge')],
    ],
  },
  {
    class: 'admission',
    cause: 'namespace_pod_quota_exceeded',
    sources: [sources.quota, sources.replicaSet],
    variants: [
      ['ResourceQuota shop/object-counts', 'Deployment', podsOver(pods('10', '10'), 'Deployment', 'frontend')],
      ['ResourceQuota games/small', 'half scaled', scaledOver(pods('6', '6'), 'matchmaker')],
      ['ResourceQuota crawl/crawl-pods', 'Job', podsOver(pods('20', '20'), 'Job', 'crawl-weekly')],
      ['ResourceQuota data/pods', 'StatefulSet', podsOver(pods('5', '5'), 'StatefulSet', 'zookeeper')],
      ['ResourceQuota dev-anna/sandbox', '`count/pods`', podsOver({ resource: 'count/pods', hard: '4', used: '4', asked: '1' }, 'Deployment', 'playground')],
    ],
  },
  {
    class: 'admission',
    cause: 'namespace_service_quota_exceeded',
    sources: [sources.quota, sources.flux],
    variants: [
      ['ResourceQuota shop/objects', 'by a HelmRelease', serviceOver(service('services', '5'), 'wishlist', 'HelmRelease')],
      ['ResourceQuota partner/partner-quota', 'load balancers, by a Kustomization', serviceOver(service('services.loadbalancers', '1'), 'partner-api', 'Kustomization')],
      ['ResourceQuota lab/node-ports', 'node ports, by a HelmRelease', serviceOver(service('services.nodeports', '2'), 'rtp-relay', 'HelmRelease')],
      ['ResourceQuota media/media-quota', 'by a Kustomization', serviceOver(service('services', '12'), 'transcoder', 'Kustomization')],
      ['ResourceQuota hr/counts', '`count/services`', serviceOver(service('count/services', '3'), 'leave-planner', 'HelmRelease')],
    ],
  },
  {
    class: 'admission',
    cause: 'namespace_storage_quota_exceeded',
    sources: [sources.quota, sources.statefulSet],
    variants: [
      ['ResourceQuota data/storage', 'requests.storage', claimOver(storage('requests.storage', '100Gi', '90Gi', '20Gi'), 'postgres')],
      ['ResourceQuota logs/loki-quota', 'number of claims', claimOver(storage('persistentvolumeclaims', '4', '4', '1'), 'loki')],
      ['ResourceQuota search/disk', 'of one storage class', claimOver(storage('local-path.storageclass.storage.k8s.io/requests.storage', '50Gi', '40Gi', '30Gi'), 'elasticsearch')],
      ['ResourceQuota mail/mail-storage', 'an older controller that says only the claim', claimOver(storage('requests.storage', '20Gi', '18Gi', '5Gi'), 'dovecot', true)],
      ['ResourceQuota forge/git', 'large claim', claimOver(storage('requests.storage', '500Gi', '410Gi', '200Gi'), 'gitea')],
    ],
  },
];
