import type { KubeObject } from '@larry/contracts';
import { eventually } from '@larry/redis/testing';
import type { SimulatedCluster } from '@larry/simulation';

/** A fault of a namespace: what is there, what is changed afterwards, and what is to be said of it. */
export interface Fault {
  cause: string;
  objects(namespace: string): KubeObject[];
  /** A strategic patch of Deployment `app`, once it runs. */
  then?: Record<string, unknown>;
  /** What the finding says where Larry makes no change. */
  refusal?: RegExp;
}

type Json = Record<string, unknown>;
const ports = [{ name: 'http', containerPort: 80 }];
const http = (path: string, port = 80, scheme = 'HTTP') => ({ httpGet: { path, port, scheme }, periodSeconds: 5, failureThreshold: 3 });

/** A Deployment `app` of one nginx, unless the parts say otherwise. */
export function app(container: Json = {}, podSpec: Json = {}, spec: Json = {}): KubeObject {
  const labels = { app: 'app' };
  const template = { metadata: { labels }, spec: { ...podSpec, containers: [{ name: 'app', image: 'nginx:1.28', ports, ...container }] } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'app' }, spec: { replicas: 1, selector: { matchLabels: labels }, template, ...spec } };
}

/** A Service `app` for it. */
export function service(spec: Json = {}, name = 'app'): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: 'app' }, ports: [{ name: 'http', port: 80, targetPort: 80 }], ...spec } };
}

const pgadminImage = 'dpage/pgadmin4:9.8';
const env = (values: Record<string, string>): Json[] => Object.entries(values).map(([name, value]) => ({ name, value }));
/** What PgAdmin needs to start, and what is said besides. */
export const pgadminEnv = (more: Record<string, string> = {}): Json[] => env({ PGADMIN_DEFAULT_EMAIL: 'a@example.com', PGADMIN_DEFAULT_PASSWORD: 'x', ...more });
const n8nEnv = (port: string): Json[] => env({ DB_TYPE: 'postgresdb', DB_POSTGRESDB_HOST: 'db', DB_POSTGRESDB_PORT: port });
const pgadmin = (container: Json, podSpec: Json = {}): KubeObject => app({ image: pgadminImage, env: pgadminEnv(), readinessProbe: http('/misc/ping'), ...container }, podSpec);

/** A claim that is bound to a volume of a CSI driver, whose files are root's until an fsGroup is applied. */
function claim(namespace: string): KubeObject[] {
  const size = { storage: '1Gi' };
  const name = `csi-${namespace}`;
  return [
    { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec: { capacity: size, accessModes: ['ReadWriteOnce'], storageClassName: '', csi: { driver: 'csi.example.com', volumeHandle: name }, claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: 'data' } } },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', volumeName: name, resources: { requests: size } } },
  ];
}
const data = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] };
const secret = (name: string, key: string): KubeObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', data: { [key]: 'c2VjcmV0' } });
const server = '{ "Name": "db", "Group": "g", "Host": "db", "Port": 5432, "MaintenanceDB": "postgres", "Username": "u" }';
const servers = (text: string): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'servers' }, data: { 'servers.json': text } });
const withServers = (): KubeObject => pgadmin({ volumeMounts: [{ name: 'servers', mountPath: '/pgadmin4/servers.json', subPath: 'servers.json' }] }, { volumes: [{ name: 'servers', configMap: { name: 'servers' } }] });
const withSettingsAt = (at: string): KubeObject => pgadmin({ env: pgadminEnv({ PGADMIN_CONFIG_CONFIG_DATABASE_URI: `'postgresql+psycopg://${at}'` }) });
const settingsDatabase = (): KubeObject[] => [service({ selector: { app: 'db' }, ports: [{ port: 5432 }] }, 'db'), database()];

/** By namespace. */
export const faults: Record<string, Fault> = {
  'pgadmin-email': { cause: 'pgadmin_invalid_email', objects: () => [pgadmin({ env: pgadminEnv({ PGADMIN_DEFAULT_EMAIL: 'a@b.local' }) })] },
  'pgadmin-data': { cause: 'pgadmin_data_not_writable', objects: (ns) => [...claim(ns), pgadmin({ volumeMounts: [{ name: 'data', mountPath: '/var/lib/pgadmin' }] }, data)] },
  'pgadmin-port': { cause: 'pgadmin_privileged_port', objects: () => [pgadmin({ securityContext: { capabilities: { drop: ['ALL'] } } })] },
  'pgadmin-credentials': {
    cause: 'pgadmin_missing_credentials',
    objects: () => [secret('pgadmin-login', 'password'), pgadmin({ env: env({ PGADMIN_DEFAULT_EMAIL: 'a@example.com' }), volumeMounts: [{ name: 'login', mountPath: '/run/secrets/pgadmin' }] }, { volumes: [{ name: 'login', secret: { secretName: 'pgadmin-login' } }] })],
  },
  'pgadmin-servers': { cause: 'pgadmin_servers_json_invalid', objects: () => [servers(`{ "Servers": { "1": ${server}, }, }`), withServers()] },
  'pgadmin-database': { cause: 'pgadmin_config_database_unreachable', objects: () => [...settingsDatabase(), withSettingsAt('pgadmin@db:5433/pgadmin?connect_timeout=3')] },
  'pgadmin-nobodys-password': { cause: 'pgadmin_missing_credentials', refusal: /a secret that only you can choose/, objects: () => [pgadmin({ env: [] })] },
  'pgadmin-servers-half': { cause: 'pgadmin_servers_json_invalid', refusal: /correct servers\.json/, objects: () => [servers('{'), withServers()] },
  'pgadmin-database-secret': { cause: 'pgadmin_config_database_unreachable', refusal: /the value holds a secret, so Larry neither writes it down nor changes it/, objects: () => [...settingsDatabase(), withSettingsAt('pgadmin:hunter2@bd/pgadmin')] },
  image: { cause: 'incorrect_image_reference', objects: () => [app({ readinessProbe: http('/') }), service()], then: { image: 'nginx:1.28-typo' } },
  'readiness-path': { cause: 'readiness_probe_incorrect_path', objects: () => [app({ readinessProbe: http('/readyz'), livenessProbe: http('/') }), service()] },
  'readiness-port': { cause: 'readiness_probe_incorrect_port', objects: () => [app({ readinessProbe: http('/', 8081) })] },
  'readiness-protocol': { cause: 'readiness_probe_incorrect_protocol', objects: () => [app({ readinessProbe: http('/', 80, 'HTTPS') })] },
  'liveness-path': { cause: 'liveness_probe_incorrect_path', objects: () => [app({ livenessProbe: http('/health'), readinessProbe: http('/') })] },
  'liveness-port': { cause: 'liveness_probe_incorrect_port', objects: () => [app({ livenessProbe: http('/', 8081) })] },
  'liveness-protocol': { cause: 'liveness_probe_incorrect_protocol', objects: () => [app({ livenessProbe: http('/', 80, 'HTTPS') })] },
  memory: { cause: 'oom_killed', objects: () => [app({ image: 'grafana/grafana:12', ports: [{ containerPort: 3000 }], readinessProbe: http('/api/health', 3000), resources: { limits: { memory: '32Mi' } } })] },
  'volume-rights': { cause: 'volume_mount_permission_denied', objects: (ns) => [...claim(ns), app({ image: 'grafana/grafana:12', ports: [{ containerPort: 3000 }], securityContext: { runAsUser: 472 }, volumeMounts: [{ name: 'data', mountPath: '/var/lib/grafana' }] }, data)] },
  'database-port': { cause: 'postgres_invalid_port', objects: () => [app({ image: 'n8nio/n8n:1', ports: [{ containerPort: 5678 }], env: n8nEnv('5433') }), service({ selector: { app: 'db' }, ports: [{ port: 5432 }] }, 'db'), database()] },
  selector: { cause: 'service_selector_mismatch', objects: () => [app({ readinessProbe: http('/') }), service({ selector: { app: 'web' } })] },
  'target-port': { cause: 'service_port_mapping_mismatch', objects: () => [app({ readinessProbe: http('/') }), service({ ports: [{ name: 'http', port: 80, targetPort: 'htp' }] })] },
  transport: { cause: 'service_protocol_mismatch', objects: () => [app({ readinessProbe: http('/') }), service({ ports: [{ name: 'http', port: 80, targetPort: 80, protocol: 'UDP' }] })] },
  quota: { cause: 'namespace_cpu_quota_exceeded', refusal: /./, objects: () => [{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small' }, spec: { hard: { 'requests.cpu': '500m' } } }, app({ resources: { requests: { cpu: '2' } } })] },
  capacity: { cause: 'cpu_capacity_mismatch', refusal: /./, objects: () => [app({ resources: { requests: { cpu: '500' } } })] },
  'bare-pod': { cause: 'oom_killed', refusal: /its fields are fixed once it is there/, objects: () => [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app' }, spec: { containers: [{ name: 'app', image: 'grafana/grafana:12', resources: { limits: { memory: '24Mi' } } }] } }] },
};

function database(): KubeObject {
  const labels = { app: 'db' };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'db' }, spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'db', image: 'postgres:17', env: env({ POSTGRES_PASSWORD: 'x' }), ports: [{ containerPort: 5432 }] }] } } } };
}

/** The namespaces of the faults that are so. */
export const names = (keep: (fault: Fault) => boolean): string[] => Object.keys(faults).filter((name) => keep(faults[name] as Fault));

const resources: Record<string, string> = { Deployment: 'deployments', Service: 'services', Secret: 'secrets', ConfigMap: 'configmaps', PersistentVolume: 'persistentvolumes', PersistentVolumeClaim: 'persistentvolumeclaims', ResourceQuota: 'resourcequotas', Pod: 'pods' };

/** Makes a namespace and what is in it, as `kubectl create` would. */
export async function applied(cluster: SimulatedCluster, namespace: string, objects: readonly KubeObject[]): Promise<void> {
  await send(cluster, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  for (const object of objects) {
    const root = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
    const inside = object.kind === 'PersistentVolume' ? '' : `/namespaces/${namespace}`;
    await send(cluster, 'POST', `${root}${inside}/${resources[object.kind] ?? ''}`, object);
  }
}

/** Changes the container of Deployment `app`, once it is available where that is to be waited for. */
export async function patched(cluster: SimulatedCluster, namespace: string, container: Record<string, unknown>, available = true): Promise<void> {
  if (available) await eventually(() => {
    const found = cluster.server.objects('deployments.apps', namespace)[0] as { status?: { availableReplicas?: number } } | undefined;
    if (!found?.status?.availableReplicas) throw new Error(`Deployment ${namespace}/app is not available`);
  }, 30_000);
  await send(cluster, 'PATCH', `/apis/apps/v1/namespaces/${namespace}/deployments/app`, { spec: { template: { spec: { containers: [{ name: 'app', ...container }] } } } });
}

async function send({ url, adminToken }: SimulatedCluster, method: string, path: string, body: unknown): Promise<void> {
  const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
  const done = await fetch(`${url}${path}?fieldManager=test`, { method, headers: { authorization: `Bearer ${adminToken}`, 'content-type': type }, body: JSON.stringify(body) });
  if (!done.ok) throw new Error(`${method} ${path}: ${done.status} ${await done.text()}`);
}
