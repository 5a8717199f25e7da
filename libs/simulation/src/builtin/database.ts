import type { KubeObject } from '@larry/contracts';
import { claim, configMap, ingress, networkPolicy, object, secret, serviceAccount, workload } from './builders';
import type { ReleaseRow } from './helm-release';

const ns = 'database';
const owner = { helm: 'postgresql', chart: 'postgresql-16.7.4', version: '17.5.0' };

/** The Helm release `postgresql`, and beside it PgAdmin, which was applied by hand and crashes on its own settings. */
export function database(now: Date): KubeObject[] {
  return [...postgresql(), ...pgadmin(), ...backups(now), networkPolicy({ ns, name: 'allow-clients' }, ['database', 'n8n', 'monitoring'])];
}

function postgresql(): KubeObject[] {
  return [
    serviceAccount({ ns, name: 'postgresql', owner }),
    secret({ ns, name: 'postgresql', owner }, { 'postgres-password': 'simulated-superuser', password: 'simulated-app' }),
    configMap({ ns, name: 'postgresql-extended-configuration', owner }, { 'override.conf': 'max_connections = 100\nshared_buffers = 256MB\nlog_min_duration_statement = 1000\n' }),
    object('policy/v1', 'PodDisruptionBudget', { ns, name: 'postgresql', owner }, { spec: { maxUnavailable: 1, selector: { matchLabels: { 'app.kubernetes.io/instance': 'postgresql', 'app.kubernetes.io/name': 'postgresql' } } } }),
    ...workload({
      ns, name: 'postgresql', owner, kind: 'StatefulSet', image: 'docker.io/bitnami/postgresql:17.5.0-debian-12-r3', ports: { 'tcp-postgresql': 5432 }, service: { ports: { 'tcp-postgresql': 5432 } },
      env: { POSTGRESQL_PORT_NUMBER: '5432', POSTGRESQL_VOLUME_DIR: '/bitnami/postgresql', PGDATA: '/bitnami/postgresql/data', POSTGRES_USER: 'app', POSTGRES_DATABASE: 'app', POSTGRES_PASSWORD: { secret: 'postgresql', key: 'password' }, POSTGRES_POSTGRES_PASSWORD: { secret: 'postgresql', key: 'postgres-password' } },
      claims: { '/bitnami/postgresql': '20Gi' }, mounts: { '/bitnami/postgresql/conf/conf.d': 'config:postgresql-extended-configuration', '/dev/shm': 'empty' }, resources: ['250m', '512Mi', '2', '2Gi'], ready: '@tcp-postgresql', live: '@tcp-postgresql',
      serviceAccount: 'postgresql', podSecurity: { fsGroup: 1001 }, security: { runAsUser: 1001, runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
    }),
    object('v1', 'Service', { ns, name: 'postgresql-hl', owner }, { spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector: { 'app.kubernetes.io/name': 'postgresql' }, ports: [{ name: 'tcp-postgresql', port: 5432, targetPort: 'tcp-postgresql' }] } }),
  ];
}

function pgadmin(): KubeObject[] {
  const labels = { app: 'pgadmin' };
  const made = [
    claim({ ns, name: 'pgadmin-data', labels }, '2Gi'),
    secret({ ns, name: 'pgadmin-credentials', labels }, { password: 'simulated-pgadmin' }),
    configMap({ ns, name: 'pgadmin-servers', labels }, { 'servers.json': '{"Servers":{"1":{"Name":"postgresql","Group":"database","Host":"postgresql.database.svc.cluster.local","Port":5432,"MaintenanceDB":"postgres","Username":"app","SSLMode":"prefer"}}}' }),
    ...workload({
      ns, name: 'pgadmin', labels, image: 'dpage/pgadmin4:9.8', ports: { http: 80 }, strategy: { type: 'Recreate' },
      env: { PGADMIN_DEFAULT_EMAIL: 'admin@pgadmin.local', PGADMIN_DEFAULT_PASSWORD: { secret: 'pgadmin-credentials', key: 'password' }, PGADMIN_SERVER_JSON_FILE: '/config/servers.json' },
      mounts: { '/var/lib/pgadmin': 'pvc:pgadmin-data', '/config': 'config:pgadmin-servers' }, podSecurity: { fsGroup: 5050 }, resources: ['50m', '256Mi', '500m', '512Mi'], ready: '/misc/ping@http', live: '/misc/ping@http',
    }),
    ingress({ ns, name: 'pgadmin', labels }, 'pgadmin.larry.lan', 'pgadmin', 'http'),
  ];
  // As `kubectl apply` leaves it behind.
  return made.map((each) => ({ ...each, metadata: { ...each.metadata, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(each)}\n` } } }));
}

function backups(now: Date): KubeObject[] {
  const everyMs = 6 * 3_600_000;
  const lastScheduleTime = `${new Date(Math.floor(now.getTime() / everyMs) * everyMs).toISOString().slice(0, 19)}Z`;
  const job = {
    template: {
      spec: {
        restartPolicy: 'OnFailure',
        containers: [{ name: 'dump', image: 'alpine:3.22', command: ['sh', '-c', 'echo "dumping database app"; sleep 2; echo "dump done"'], resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } } }],
      },
    },
  };
  return [
    object('batch/v1', 'CronJob', { ns, name: 'postgresql-backup' }, { spec: { schedule: '0 */6 * * *', concurrencyPolicy: 'Forbid', jobTemplate: { spec: job } }, status: { lastScheduleTime, lastSuccessfulTime: lastScheduleTime } }),
    claim({ ns, name: 'postgresql-backups' }, '50Gi'),
    ...workload({
      ns, name: 'postgres-exporter', image: 'quay.io/prometheuscommunity/postgres-exporter:v0.17.1', ports: { metrics: 9187 }, annotations: { 'prometheus.io/scrape': 'true' },
      env: { DATA_SOURCE_URI: 'postgresql.database:5432/app?sslmode=disable', DATA_SOURCE_USER: 'app', DATA_SOURCE_PASS: { secret: 'postgresql', key: 'password' } }, resources: ['10m', '32Mi', '100m', '64Mi'], ready: '/@metrics',
    }),
  ];
}

export function databaseReleases(): ReleaseRow[] {
  const values = (memory: string, extra: object = {}) => ({ auth: { username: 'app', database: 'app', existingSecret: 'postgresql' }, primary: { persistence: { size: '20Gi', storageClass: 'local-path' }, resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { cpu: '2', memory } } }, ...extra });
  return [
    {
      name: 'postgresql', namespace: ns,
      chart: { name: 'postgresql', version: '16.7.4', appVersion: '17.5.0', description: 'PostgreSQL is an open source object-relational database.' },
      defaults: { architecture: 'standalone', auth: { username: '', database: '' }, image: { registry: 'docker.io', repository: 'bitnami/postgresql', tag: '17.5.0-debian-12-r3' }, primary: { persistence: { enabled: true, size: '8Gi' }, extendedConfiguration: '' }, metrics: { enabled: false } },
      revisions: [
        { status: 'superseded', values: values('1Gi'), daysAgo: 96, description: 'Install complete', version: '16.4.1', appVersion: '17.2.0' },
        { status: 'failed', values: values('2Gi', { metrics: { enabled: true, serviceMonitor: { enabled: true } } }), daysAgo: 31, description: 'Upgrade "postgresql" failed: resource mapping not found for name: "postgresql" namespace: "database" from "": no matches for kind "ServiceMonitor" in version "monitoring.coreos.com/v1"' },
        { status: 'deployed', values: values('2Gi'), daysAgo: 31, description: 'Upgrade complete' },
      ],
      objects: postgresql(), notes: 'PostgreSQL can be accessed via port 5432 on postgresql.database.svc.cluster.local',
    },
  ];
}
