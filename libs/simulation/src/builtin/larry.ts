import type { KubeObject } from '@larry/contracts';
import { configMap, crd, grant, object, serviceAccount } from './builders';

/** The namespaces of a cluster called "Larry & the Darryls", and the mark that says it is none. */
export function namespaces(): KubeObject[] {
  const names: Record<string, Record<string, string>> = {
    database: { 'larry.dev/domain': 'infrastructure' },
    monitoring: { 'larry.dev/domain': 'infrastructure' },
    n8n: {},
    ingress: {},
    'ai-agents': {},
    'redis-ha': {},
    storage: {},
    'larry-01': { 'larry.dev/larry': 'larry-01' },
    'larry-02': { 'larry.dev/larry': 'larry-02' },
    'larry-03': { 'larry.dev/larry': 'larry-03' },
  };
  const made = Object.entries(names).map(([name, labels]) => object('v1', 'Namespace', { ns: '', name, labels: { 'kubernetes.io/metadata.name': name, ...labels } }));
  const marker = configMap({ ns: 'kube-system', name: 'larry-simulation' }, { simulated: 'true', cluster: 'Larry & the Darryls', about: 'This cluster is simulated by Larry on one machine. Nothing in it is real.' });
  return [...made, marker];
}

/** What the three Larrys have in their own namespaces before any run. */
export function larryParts(): KubeObject[] {
  const each = ['larry-01', 'larry-02', 'larry-03'].flatMap((ns, i) => [
    serviceAccount({ ns, name: 'larry-coordinator' }),
    serviceAccount({ ns, name: 'larry-worker' }),
    configMap({ ns, name: 'larry-config' }, { LARRY_ID: ns, LARRY_MODE: 'observe', REDIS_URL: 'redis://redis-cluster.redis-ha.svc.cluster.local:6379', DOMAIN: ['infrastructure', 'security', 'development'][i] ?? '' }),
    ...grant({ ns, name: 'larry-jobs' }, [['batch', 'jobs', 'create,get,list,watch,delete'], ['core', 'pods,pods/log', 'get,list,watch']], [`${ns}/larry-coordinator`]),
    ...grant({ ns: '', name: `${ns}-view` }, { clusterRole: 'view' }, [`${ns}/larry-coordinator`, `${ns}/larry-worker`]),
    object('v1', 'ResourceQuota', { ns, name: 'larry-workers' }, { spec: { hard: { 'count/jobs.batch': '32', pods: '64' } } }),
  ]);
  return [...each, ...certificates()];
}

function certificates(): KubeObject[] {
  const owner = { helm: 'cert-manager', chart: 'cert-manager-v1.18.2', version: 'v1.18.2' };
  const hosts = { database: 'pgadmin', monitoring: 'grafana', n8n: 'n8n' };
  return [
    crd('cert-manager.io', 'Certificate', 'certificates', owner),
    crd('cert-manager.io', 'ClusterIssuer', 'clusterissuers', owner, [], 'Cluster'),
    object('cert-manager.io/v1', 'ClusterIssuer', { ns: '', name: 'larry-ca' }, { spec: { selfSigned: {} } }),
    ...Object.entries(hosts).map(([ns, name]) => object('cert-manager.io/v1', 'Certificate', { ns, name: `${name}-tls` }, { spec: { secretName: `${name}-tls`, dnsNames: [`${name}.larry.lan`], issuerRef: { name: 'larry-ca', kind: 'ClusterIssuer' } } })),
  ];
}
