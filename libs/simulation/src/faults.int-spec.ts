import type { KubeObject } from '@larry/contracts';
import { ApiClient } from './cluster';
import { kinds } from './cluster/kinds';
import type { Container, Deployment, Pod, PodSpec } from './cluster/types';
import { startSimulatedCluster, type SimulatedCluster } from './simulated-cluster';
import { eventually } from './testing';

/** A fault of one Deployment `app` in a namespace of its own: what is seen of it, and the change after which it runs. */
interface Fault {
  container: Partial<Container>;
  spec?: Partial<PodSpec>;
  with?: KubeObject[];
  /** Reason and beginning or pattern of an event of the namespace. */
  event?: [reason: string, message: RegExp];
  waiting?: string;
  log?: RegExp;
  repair: Partial<Container> | { spec: Partial<PodSpec> } | { object: KubeObject };
}

const http = (path: string, port: number, scheme?: string) => ({ httpGet: { path, port, ...(scheme ? { scheme } : {}) }, periodSeconds: 1 });
const configMap = (name: string, data: Record<string, string>): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const quota = (hard: Record<string, string>): KubeObject => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small' }, spec: { hard } });
const service = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: 'app' }, ports: [{ port: 5432 }] } });
const pgadminEnv = (extra: Record<string, string> = {}) => Object.entries({ PGADMIN_DEFAULT_EMAIL: 'a@example.com', PGADMIN_DEFAULT_PASSWORD: 'x', ...extra }).map(([name, value]) => ({ name, value }));
const n8nEnv = (host: string, port = '5432') => [{ name: 'DB_TYPE', value: 'postgresdb' }, { name: 'DB_POSTGRESDB_HOST', value: host }, { name: 'DB_POSTGRESDB_PORT', value: port }];
const cpu = (request: string) => ({ resources: { requests: { cpu: request } } });
const pgadmin = 'dpage/pgadmin4:9.8';

const faults: Record<string, Fault> = {
  'a tag that there is not': { container: { image: 'nginx:1.28-typo' }, waiting: 'ImagePullBackOff', event: ['Failed', /^Failed to pull image "nginx:1\.28-typo": rpc error: code = NotFound desc = failed to pull and unpack image "docker\.io\/library\/nginx:1\.28-typo": failed to resolve reference .*: not found$/], repair: { image: 'nginx:1.28' } },
  'a misspelt image': { container: { image: 'ngnix:1.28' }, waiting: 'ImagePullBackOff', event: ['Failed', /pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed$/], repair: { image: 'nginx:1.28' } },
  'a registry without an address': { container: { image: 'registry.invalid/team/nginx:1' }, waiting: 'ImagePullBackOff', event: ['Failed', /dial tcp: lookup registry\.invalid on [\d.]+:53: no such host$/], repair: { image: 'nginx:1' } },
  'a readiness path that is not served': { container: { readinessProbe: http('/readyz', 80) }, event: ['Unhealthy', /^Readiness probe failed: HTTP probe failed with statuscode: 404$/], repair: { readinessProbe: http('/', 80) } },
  'a readiness port that is not open': { container: { readinessProbe: http('/', 8081) }, event: ['Unhealthy', /^Readiness probe failed: Get "http:\/\/[\d.]+:8081\/": dial tcp [\d.]+:8081: connect: connection refused$/], repair: { readinessProbe: http('/', 80) } },
  'a readiness probe by HTTPS to HTTP': { container: { readinessProbe: http('/', 80, 'HTTPS') }, event: ['Unhealthy', /^Readiness probe failed: Get "https:\/\/[\d.]+:80\/": http: server gave HTTP response to HTTPS client$/], repair: { readinessProbe: http('/', 80, 'HTTP') } },
  'a readiness probe by HTTP to Redis': { container: { image: 'redis:8', readinessProbe: http('/', 6379) }, event: ['Unhealthy', /malformed HTTP response "-ERR wrong number of arguments for 'get' command"$/], repair: { readinessProbe: { httpGet: null as never, tcpSocket: { port: 6379 } } } },
  'a liveness path that is not served': { container: { livenessProbe: { ...http('/health', 80), failureThreshold: 2 } }, event: ['Killing', /^Container app failed liveness probe, will be restarted$/], repair: { livenessProbe: http('/', 80) } },
  'a liveness probe that does not wait': { container: { image: 'n8nio/n8n:1', livenessProbe: { ...http('/healthz', 5678), failureThreshold: 2 } }, event: ['Unhealthy', /^Liveness probe failed: Get .*connection refused$/], repair: { livenessProbe: { ...http('/healthz', 5678), initialDelaySeconds: 60 } } },
  'a key that the ConfigMap lacks': { with: [configMap('settings', { a: '1' })], container: { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'b' } } }] }, waiting: 'CreateContainerConfigError', event: ['Failed', /^Error: couldn't find key b in ConfigMap \S+\/settings$/], repair: { object: configMap('settings', { b: '2' }) } },
  'a memory limit that is too low': { container: { image: 'grafana/grafana:12', resources: { limits: { memory: '24Mi' } } }, waiting: 'CrashLoopBackOff', repair: { resources: { limits: { memory: '128Mi' } } } },
  'a root file system that is read-only': { container: { securityContext: { readOnlyRootFilesystem: true } }, waiting: 'CrashLoopBackOff', log: /nginx: \[emerg\] mkdir\(\) "\/var\/cache\/nginx\/client_temp" failed \(30: Read-only file system\)/, repair: { securityContext: { readOnlyRootFilesystem: false } } },
  'a volume that the user may not write': { container: { image: 'grafana/grafana:12', volumeMounts: [{ name: 'v', mountPath: '/var/lib/grafana' }] }, spec: { volumes: [{ name: 'v', hostPath: { path: '/srv/grafana' } }] }, waiting: 'CrashLoopBackOff', log: /mkdir: can't create directory '\/var\/lib\/grafana\/plugins': Permission denied/, repair: { securityContext: { runAsUser: 0 } } },
  'a database Service that there is not': { container: { image: 'n8nio/n8n:1', env: n8nEnv('n8n-postgress') }, with: [service('n8n-postgres')], waiting: 'CrashLoopBackOff', log: /getaddrinfo ENOTFOUND n8n-postgress/, repair: { env: n8nEnv('n8n-postgres') } },
  'a port that the database Service does not have': { container: { image: 'n8nio/n8n:1', env: n8nEnv('db', '5433') }, with: [service('db')], waiting: 'CrashLoopBackOff', log: /connect ETIMEDOUT db:5433/, repair: { env: n8nEnv('db') } },
  'an upstream that there is not': { container: { volumeMounts: [{ name: 'v', mountPath: '/etc/nginx/conf.d' }] }, with: [configMap('site', { 'default.conf': 'server {\n  listen 80;\n  location / { proxy_pass http://backnd:8080; }\n}\n' })], spec: { volumes: [{ name: 'v', configMap: { name: 'site' } }] }, waiting: 'CrashLoopBackOff', log: /host not found in upstream "backnd" in \/etc\/nginx\/conf\.d\/default\.conf:3/, repair: { object: service('backnd') } },
  'more CPU than the quota has left': { with: [quota({ 'requests.cpu': '500m' })], container: cpu('2'), event: ['FailedCreate', /^Error creating: pods "app-\S+" is forbidden: exceeded quota: small, requested: requests\.cpu=2, used: requests\.cpu=0, limited: requests\.cpu=500m$/], repair: cpu('250m') },
  'no limit where the quota wants one': { with: [quota({ 'limits.memory': '1Gi' })], container: {}, event: ['FailedCreate', /failed quota: small: must specify limits\.memory for: app$/], repair: { resources: { limits: { memory: '64Mi' } } } },
  'a service account that there is not': { container: {}, spec: { serviceAccountName: 'robot' }, event: ['FailedCreate', /error looking up service account \S+\/robot: serviceaccount "robot" not found$/], repair: { object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } } } },
  'PgAdmin: its e-mail': { container: { image: pgadmin, env: pgadminEnv({ PGADMIN_DEFAULT_EMAIL: 'a@b.local' }) }, waiting: 'CrashLoopBackOff', log: /'a@b\.local' does not appear to be a valid email address/, repair: { env: pgadminEnv() } },
  'PgAdmin: no credentials': { container: { image: pgadmin }, waiting: 'CrashLoopBackOff', log: /You need to define the PGADMIN_DEFAULT_EMAIL/, repair: { env: pgadminEnv() } },
  'PgAdmin: no database for its settings': { container: { image: pgadmin, env: pgadminEnv({ PGADMIN_CONFIG_CONFIG_DATABASE_URI: "'postgresql://a:b@settings-db/pgadmin'" }) }, waiting: 'CrashLoopBackOff', log: /sqlalchemy\.exc\.OperationalError: .*Name does not resolve/, repair: { object: service('settings-db') } },
  'PgAdmin: NET_BIND_SERVICE dropped': { container: { image: pgadmin, env: pgadminEnv(), securityContext: { capabilities: { drop: ['ALL'] } } }, waiting: 'CrashLoopBackOff', log: /\/venv\/bin\/python3: Operation not permitted/, repair: { securityContext: { capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } } } },
  'PgAdmin: a privileged port': { container: { image: pgadmin, env: pgadminEnv(), securityContext: { allowPrivilegeEscalation: false } }, spec: { securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '1024' }] } }, waiting: 'CrashLoopBackOff', log: /Can't connect to \('::', 80\)/, repair: { env: pgadminEnv({ PGADMIN_LISTEN_PORT: '8080' }) } },
  'PgAdmin: its data directory': { container: { image: pgadmin, env: pgadminEnv(), volumeMounts: [{ name: 'v', mountPath: '/var/lib/pgadmin' }], readinessProbe: http('/misc/ping', 80) }, spec: { volumes: [{ name: 'v', hostPath: { path: '/srv/pgadmin' } }] }, event: ['Unhealthy', /Client\.Timeout exceeded while awaiting headers/], log: /Permission denied: '\/var\/lib\/pgadmin/, repair: { spec: { volumes: [{ name: 'v', hostPath: null as never, emptyDir: {} }] } } },
};

let cluster: SimulatedCluster;
let api: ApiClient;
const names = Object.keys(faults);
/** All faults live at the same time; undefined for one that went as it should. */
const outcomes = new Map<string, Promise<unknown>>();
const namespaceOf = (name: string) => `fault-${names.indexOf(name)}`;

beforeAll(async () => {
  cluster = await startSimulatedCluster({ objects: [], speed: 20 });
  api = new ApiClient({ url: cluster.url, token: cluster.adminToken, userAgent: 'spec' });
  await apply('kube-system', configMap('larry-simulation', { 'start-seconds.n8n': '20' }));
  for (const name of names) outcomes.set(name, live(name).then(() => undefined, (error: unknown) => error));
}, 60_000);
afterAll(async () => {
  api.close();
  await cluster.close();
});

const kindOf = (object: KubeObject) => ({ ConfigMap: kinds.configMaps, Service: kinds.services, ServiceAccount: kinds.serviceAccounts, ResourceQuota: { ...kinds.configMaps, plural: 'resourcequotas', kind: 'ResourceQuota' } })[object.kind as 'ConfigMap'];
const apply = (ns: string, object: KubeObject) => api.create(kindOf(object) as typeof kinds.configMaps, object, ns);

async function inject(name: string): Promise<void> {
  const { container, spec = {}, with: others = [] } = faults[name] as Fault;
  const ns = namespaceOf(name);
  await api.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
  for (const each of others) await apply(ns, each);
  const labels = { app: 'app' };
  const template = { metadata: { labels }, spec: { ...spec, containers: [{ name: 'app', image: 'nginx:1.28', ...container }] } };
  const deployment: Deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'app', namespace: ns }, spec: { replicas: 1, strategy: { type: 'Recreate' }, selector: { matchLabels: labels }, template } };
  await api.create(kinds.deployments, deployment, ns);
}

const podsOf = (ns: string) => cluster.server.objects('pods', ns) as unknown as Pod[];
const available = (ns: string) => (cluster.server.objects('deployments.apps', ns)[0] as unknown as Deployment).status?.availableReplicas;
const eventsOf = (ns: string, reason: string) => cluster.server.objects('events', ns).filter((event) => event.reason === reason).map((event) => String(event.message));
const logOf = (ns: string) => podsOf(ns).flatMap((pod) => [true, false].flatMap((previous) => cluster.server.logs.read(ns, pod.metadata.name, 'app', previous)?.map(({ line }) => line) ?? [])).join('\n');

async function live(name: string): Promise<void> {
  await inject(name);
  const { event, waiting, log, repair } = faults[name] as Fault;
  const ns = namespaceOf(name);
  const seen = (check: () => void) => eventually(check, 60_000);
  if (event) await seen(() => expect(eventsOf(ns, event[0])).toEqual(expect.arrayContaining([expect.stringMatching(event[1])])));
  if (waiting) await seen(() => expect(podsOf(ns).map((pod) => pod.status?.containerStatuses?.[0]?.state.waiting?.reason)).toEqual([waiting]));
  if (log) await seen(() => expect(logOf(ns)).toMatch(log));
  const target = { metadata: { name: 'app', namespace: ns } };
  const made = 'object' in repair ? (repair as { object: KubeObject }).object : undefined;
  if (made?.kind === 'ConfigMap') await api.patch(kinds.configMaps, { metadata: { name: made.metadata.name, namespace: ns } }, { data: made['data'] });
  else if (made) await apply(ns, made);
  else await api.patch(kinds.deployments, target, { spec: { template: { spec: 'spec' in repair ? repair.spec : { containers: [{ name: 'app', ...repair }] } } } }, 'strategic');
  await seen(() => expect(available(ns)).toBe(1));
}

describe('a fault that is injected shows as in a real cluster, and is gone with the repair of its field', () => {
  it.each(names)('%s', async (name) => {
    const error = await outcomes.get(name);
    if (error) throw error;
  }, 120_000);
});
