import type { KubeObject } from '@larry/contracts';
import { claim, configMap, grant, ingress, networkPolicy, object, secret, serviceAccount, workload } from './builders';
import type { ReleaseRow } from './helm-release';

const n8nOwner = { helm: 'n8n', chart: 'n8n-1.0.15', version: '1.112.3' };
const redisOwner = { helm: 'redis-ha', chart: 'redis-ha-4.34.11', version: '8.0.3' };
const certOwner = { helm: 'cert-manager', chart: 'cert-manager-v1.18.2', version: 'v1.18.2' };
const qdrantOwner = { helm: 'qdrant', chart: 'qdrant-1.15.4', version: 'v1.15.4' };

/** n8n with a PostgreSQL of its own, which nobody's chart looks after. */
export function n8n(): KubeObject[] {
  const ns = 'n8n';
  return [
    ...n8nChart(),
    secret({ ns, name: 'n8n-postgres' }, { POSTGRES_USER: 'n8n', POSTGRES_PASSWORD: 'simulated-n8n', POSTGRES_DB: 'n8n' }),
    ...workload({ ns, name: 'n8n-postgres', kind: 'StatefulSet', image: 'postgres:15', ports: { postgres: 5432 }, envFrom: [{ secretRef: { name: 'n8n-postgres' } }], env: { PGDATA: '/var/lib/postgresql/data/pgdata' }, claims: { '/var/lib/postgresql/data': '10Gi' }, ready: '@postgres' }),
    // Rights far beyond what the workflows need, as such things grow.
    serviceAccount({ ns, name: 'n8n-worker' }),
    ...grant({ ns, name: 'n8n-worker' }, [['*', '*', '*']], [`${ns}/n8n-worker`]),
    ...workload({ ns, name: 'n8n-worker', image: 'n8nio/n8n:latest', args: ['worker'], replicas: 2, env: { EXECUTIONS_MODE: 'queue', N8N_ENCRYPTION_KEY: 'simulated-encryption-key-in-plain-sight', DB_POSTGRESDB_HOST: 'n8n-postgres', DB_POSTGRESDB_PASSWORD: { secret: 'n8n-postgres', key: 'POSTGRES_PASSWORD' } }, serviceAccount: 'n8n-worker' }),
  ];
}

function n8nChart(): KubeObject[] {
  const ns = 'n8n';
  const owner = n8nOwner;
  return [
    serviceAccount({ ns, name: 'n8n', owner }),
    configMap({ ns, name: 'n8n-app-config', owner }, { N8N_HOST: 'n8n.larry.lan', N8N_PROTOCOL: 'https', DB_TYPE: 'postgresdb', DB_POSTGRESDB_HOST: 'n8n-postgres.n8n.svc.cluster.local' }),
    secret({ ns, name: 'n8n-app-secret', owner }, { N8N_ENCRYPTION_KEY: 'simulated-encryption-key', DB_POSTGRESDB_PASSWORD: 'simulated-n8n' }),
    claim({ ns, name: 'n8n', owner }, '5Gi'),
    ...workload({ ns, name: 'n8n', owner, image: 'n8nio/n8n:1.112.3', ports: { http: 5678 }, service: { ports: { http: 80 } }, envFrom: [{ configMapRef: { name: 'n8n-app-config' } }, { secretRef: { name: 'n8n-app-secret' } }], mounts: { '/home/node/.n8n': 'pvc:n8n' }, strategy: { type: 'Recreate' }, resources: ['100m', '256Mi', undefined, '1Gi'], ready: '/healthz@http', live: '/healthz@http', serviceAccount: 'n8n', podSecurity: { fsGroup: 1000, runAsUser: 1000, runAsNonRoot: true } }),
    ingress({ ns, name: 'n8n', owner }, 'n8n.larry.lan', 'n8n', 'http'),
  ];
}

/** Agents and their models: the careless corner of the cluster. */
export function aiAgents(): KubeObject[] {
  const ns = 'ai-agents';
  return [
    ...qdrant(),
    // The third PostgreSQL: vectors, with its password in the manifest.
    claim({ ns, name: 'vector-postgres' }, '20Gi'),
    ...workload({ ns, name: 'vector-postgres', image: 'pgvector/pgvector:pg16', ports: { postgres: 5432 }, strategy: { type: 'Recreate' }, env: { POSTGRES_PASSWORD: 'simulated-vectors', POSTGRES_DB: 'vectors', PGDATA: '/var/lib/postgresql/data/pgdata' }, mounts: { '/var/lib/postgresql/data': 'pvc:vector-postgres' }, ready: '@postgres' }),
    claim({ ns, name: 'ollama-models' }, '100Gi'),
    ...workload({ ns, name: 'ollama', image: 'ollama/ollama:latest', ports: { http: 11434 }, mounts: { '/root/.ollama': 'pvc:ollama-models' }, strategy: { type: 'Recreate' }, ready: '/@http', pod: { nodeSelector: { 'kubernetes.io/hostname': 'k3s-worker04' } } }),
    ...workload({ ns, name: 'open-webui', image: 'ghcr.io/open-webui/open-webui:main', ports: { http: 8080 }, env: { OLLAMA_BASE_URL: 'http://ollama:11434' }, ready: '/health@http' }),
    ingress({ ns, name: 'open-webui' }, 'chat.larry.lan', 'open-webui', 'http', false),
    configMap({ ns, name: 'agent-config' }, { MODEL: 'llama3.1:8b', OPENAI_API_KEY: 'sk-simulated-not-a-real-key-000000000000', VECTOR_URL: 'postgres://postgres:simulated-vectors@vector-postgres:5432/vectors' }),
    serviceAccount({ ns, name: 'agent-runner' }),
    ...grant({ ns: '', name: 'ai-agents-admin' }, { clusterRole: 'cluster-admin' }, [`${ns}/agent-runner`, `${ns}/default`]),
    ...workload({ ns, name: 'agent-runner', image: 'debian:latest', command: ['sleep', 'infinity'], replicas: 2, envFrom: [{ configMapRef: { name: 'agent-config' } }], mounts: { '/run/containerd.sock': 'host:/run/k3s/containerd/containerd.sock' }, serviceAccount: 'agent-runner', security: { privileged: true } }),
    ...workload({ ns, name: 'litellm', image: 'ghcr.io/berriai/litellm:main-stable', ports: { http: 4000 }, env: { LITELLM_MASTER_KEY: 'sk-simulated-master-key' }, ready: '/health/readiness@http' }),
    object('autoscaling/v2', 'HorizontalPodAutoscaler', { ns, name: 'litellm' }, { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'litellm' }, minReplicas: 1, maxReplicas: 3, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }] } }),
  ];
}

function qdrant(): KubeObject[] {
  const ns = 'ai-agents';
  const owner = qdrantOwner;
  return [
    serviceAccount({ ns, name: 'qdrant', owner }),
    configMap({ ns, name: 'qdrant', owner }, { 'production.yaml': 'cluster:\n  enabled: false\n' }),
    ...workload({ ns, name: 'qdrant', owner, kind: 'StatefulSet', image: 'docker.io/qdrant/qdrant:v1.15.4', ports: { http: 6333, grpc: 6334 }, claims: { '/qdrant/storage': '10Gi' }, mounts: { '/qdrant/config/production': 'config:qdrant' }, ready: '/readyz@http', serviceAccount: 'qdrant' }),
  ];
}

/** The Redis that Larry coordinates through, behind the name that the quick start uses. */
export function redisHa(): KubeObject[] {
  const ns = 'redis-ha';
  return [
    ...redisChart(),
    object('v1', 'Service', { ns, name: 'redis-cluster', owner: 'kubectl' }, { spec: { selector: { 'app.kubernetes.io/name': 'redis-ha-haproxy' }, ports: [{ name: 'redis', port: 6379, targetPort: 'redis' }] } }),
    networkPolicy({ ns, name: 'default-deny' }, []),
    networkPolicy({ ns, name: 'allow-larry' }, ['larry-01', 'larry-02', 'larry-03', 'redis-ha', 'n8n', 'monitoring']),
  ];
}

function redisChart(): KubeObject[] {
  const ns = 'redis-ha';
  const owner = redisOwner;
  const spread = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'redis-ha-server' } }, topologyKey: 'kubernetes.io/hostname' }] } };
  return [
    serviceAccount({ ns, name: 'redis-ha', owner }),
    serviceAccount({ ns, name: 'redis-ha-haproxy', owner }),
    ...grant({ ns, name: 'redis-ha', owner }, [['core', 'endpoints', 'get']], [`${ns}/redis-ha`]),
    secret({ ns, name: 'redis-ha', owner }, { auth: 'simulated-redis' }),
    configMap({ ns, name: 'redis-ha-configmap', owner }, { 'redis.conf': 'dir "/data"\nport 6379\nmaxmemory 0\nmin-replicas-to-write 1\nappendonly yes\n', 'haproxy.cfg': 'frontend ft_redis_master\n  bind :6379\n  use_backend bk_redis_master\n' }),
    ...workload({ ns, name: 'redis-ha-server', owner, kind: 'StatefulSet', replicas: 3, parallel: true, image: 'redis:8.0.3-alpine', command: ['redis-server'], args: ['/data/conf/redis.conf'], ports: { redis: 6379 }, service: { name: 'redis-ha', headless: true }, claims: { '/data': '10Gi' }, mounts: { '/data/conf': 'config:redis-ha-configmap' }, resources: ['100m', '256Mi', undefined, '1Gi'], ready: '@redis', live: '@redis', serviceAccount: 'redis-ha', pod: { affinity: spread }, podSecurity: { fsGroup: 1000, runAsNonRoot: true, runAsUser: 1000 }, security: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } } }),
    ...workload({ ns, name: 'redis-ha-haproxy', owner, replicas: 2, image: 'haproxy:3.2.4-alpine', ports: { redis: 6379, metrics: 8404 }, mounts: { '/usr/local/etc/haproxy': 'config:redis-ha-configmap' }, ready: '@redis', serviceAccount: 'redis-ha-haproxy', podSecurity: { runAsNonRoot: true, runAsUser: 99 } }),
    object('policy/v1', 'PodDisruptionBudget', { ns, name: 'redis-ha-pdb', owner }, { spec: { maxUnavailable: 1, selector: { matchLabels: { 'app.kubernetes.io/name': 'redis-ha-server' } } } }),
  ];
}

/** What stands between the world and the services. */
export function ingressParts(): KubeObject[] {
  const ns = 'ingress';
  return [
    ...certManager(),
    secret({ ns, name: 'oauth2-proxy' }, { 'client-id': 'larry', 'client-secret': 'simulated-client', 'cookie-secret': 'simulated-cookie-000000000000000' }),
    ...workload({ ns, name: 'oauth2-proxy', image: 'quay.io/oauth2-proxy/oauth2-proxy:v7.12.0', replicas: 2, ports: { http: 4180 }, env: { OAUTH2_PROXY_CLIENT_ID: { secret: 'oauth2-proxy', key: 'client-id' }, OAUTH2_PROXY_CLIENT_SECRET: { secret: 'oauth2-proxy', key: 'client-secret' }, OAUTH2_PROXY_COOKIE_SECRET: { secret: 'oauth2-proxy', key: 'cookie-secret' } }, resources: ['10m', '32Mi', '100m', '128Mi'], ready: '/ping@http', live: '/ping@http', podSecurity: { runAsNonRoot: true } }),
    ingress({ ns, name: 'oauth2-proxy' }, 'auth.larry.lan', 'oauth2-proxy', 'http'),
    secret({ ns, name: 'cloudflared-token' }, { token: 'simulated-tunnel-token' }),
    ...workload({ ns, name: 'cloudflared', image: 'cloudflare/cloudflared:latest', args: ['tunnel', '--no-autoupdate', 'run'], env: { TUNNEL_TOKEN: { secret: 'cloudflared-token', key: 'token' } } }),
    configMap({ ns, name: 'error-pages' }, { 'index.html': '<h1>Larry and the Darryls</h1>\n' }),
    ...workload({ ns, name: 'error-pages', image: 'nginx', ports: { http: 80 }, mounts: { '/usr/share/nginx/html': 'config:error-pages' }, ready: '/@http' }),
  ];
}

function certManager(): KubeObject[] {
  const ns = 'ingress';
  const owner = certOwner;
  const hardened = { podSecurity: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }, security: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true } };
  return [
    serviceAccount({ ns, name: 'cert-manager', owner }),
    ...grant({ ns: '', name: 'cert-manager-controller', owner }, [['cert-manager.io', '*', 'get,list,watch,create,update,patch'], ['core', 'secrets', 'get,list,watch,create,update,delete,patch'], ['core', 'events', 'create,patch']], [`${ns}/cert-manager`]),
    ...workload({ ns, name: 'cert-manager', owner, image: 'quay.io/jetstack/cert-manager-controller:v1.18.2', ports: { metrics: 9402 }, serviceAccount: 'cert-manager', ...hardened }),
    ...workload({ ns, name: 'cert-manager-webhook', owner, image: 'quay.io/jetstack/cert-manager-webhook:v1.18.2', ports: { https: 10250, healthcheck: 6080 }, ready: '/healthz@healthcheck', ...hardened }),
  ];
}

/** Storage of its own, and a backup that sees the whole host. */
export function storage(): KubeObject[] {
  const ns = 'storage';
  return [
    secret({ ns, name: 'minio' }, { rootUser: 'minio', rootPassword: 'simulated-minio' }),
    claim({ ns, name: 'minio' }, '200Gi'),
    ...workload({ ns, name: 'minio', image: 'minio/minio:RELEASE.2025-07-23T15-54-02Z', args: ['server', '/data'], ports: { api: 9000, console: 9001 }, env: { MINIO_ROOT_USER: { secret: 'minio', key: 'rootUser' }, MINIO_ROOT_PASSWORD: { secret: 'minio', key: 'rootPassword' } }, mounts: { '/data': 'pvc:minio' }, strategy: { type: 'Recreate' }, resources: ['100m', '256Mi', undefined, '1Gi'], ready: '/minio/health/ready@api' }),
    ...workload({ ns, name: 'registry', image: 'registry:2', ports: { http: 5000 }, service: { type: 'NodePort' }, mounts: { '/var/lib/registry': 'empty' }, ready: '/@http' }),
    serviceAccount({ ns, name: 'nfs-provisioner' }),
    ...grant({ ns: '', name: 'nfs-provisioner' }, [['core', 'persistentvolumes', 'get,list,watch,create,delete'], ['core', 'persistentvolumeclaims', 'get,list,watch,update'], ['storage.k8s.io', 'storageclasses', 'get,list,watch']], [`${ns}/nfs-provisioner`]),
    ...workload({ ns, name: 'nfs-provisioner', image: 'registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2', env: { NFS_SERVER: '10.20.0.5', NFS_PATH: '/export/k3s', PROVISIONER_NAME: 'larry.lan/nfs' }, serviceAccount: 'nfs-provisioner', resources: ['10m', '32Mi'] }),
    object('storage.k8s.io/v1', 'StorageClass', { ns: '', name: 'nfs-client' }, { provisioner: 'larry.lan/nfs', reclaimPolicy: 'Retain', volumeBindingMode: 'Immediate' }),
    ...workload({ ns, name: 'host-backup', kind: 'DaemonSet', image: 'alpine', command: ['sh', '-c', 'while true; do sleep 3600; done'], mounts: { '/host': 'host:/' }, pod: { hostNetwork: true, hostPID: true }, security: { privileged: true, runAsUser: 0 } }),
  ];
}

export function applicationReleases(): ReleaseRow[] {
  const once = (values: Record<string, unknown>, daysAgo: number) => [{ status: 'deployed' as const, values, daysAgo, description: 'Install complete' }];
  return [
    {
      name: 'n8n', namespace: 'n8n', chart: { name: 'n8n', version: '1.0.15', appVersion: '1.112.3', description: 'Workflow automation' }, defaults: { replicaCount: 1, main: { persistence: { enabled: false } } },
      revisions: [
        { status: 'superseded', values: { main: { persistence: { enabled: true, size: '5Gi' } } }, daysAgo: 60, description: 'Install complete', version: '1.0.11', appVersion: '1.98.0' },
        { status: 'deployed', values: { main: { persistence: { enabled: true, size: '5Gi' }, config: { db: { type: 'postgresdb' } } } }, daysAgo: 12, description: 'Upgrade complete' },
      ],
      objects: n8nChart(),
    },
    { name: 'redis-ha', namespace: 'redis-ha', chart: { name: 'redis-ha', version: '4.34.11', appVersion: '8.0.3', description: 'Highly available Redis with Sentinel and HAProxy' }, defaults: { replicas: 3, haproxy: { enabled: false }, auth: false }, revisions: once({ haproxy: { enabled: true, replicas: 2 }, auth: true, existingSecret: 'redis-ha' }, 118), objects: redisChart() },
    { name: 'cert-manager', namespace: 'ingress', chart: { name: 'cert-manager', version: 'v1.18.2', appVersion: 'v1.18.2', description: 'A Helm chart for cert-manager' }, defaults: { crds: { enabled: false }, replicaCount: 1 }, revisions: once({ crds: { enabled: true } }, 110), objects: certManager() },
    { name: 'qdrant', namespace: 'ai-agents', chart: { name: 'qdrant', version: '1.15.4', appVersion: 'v1.15.4', description: 'Vector search engine' }, defaults: { replicaCount: 1, persistence: { size: '10Gi' } }, revisions: once({}, 45), objects: qdrant() },
  ];
}
