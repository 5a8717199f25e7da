import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import { configError, crashLoop, mountError, startError } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

const fresh = { ageS: 7200, podAgeS: 2500 };

function misconfigured(message: string, spec: WorkloadSpec, options: { container?: string } = {}, before?: Recipe): Recipe {
  return (c, at) => {
    before?.(c, at);
    configError(c, c.workload(at, { ...fresh, ...spec }), message.replaceAll('NS', at.namespace), options);
  };
}

function unmounted(message: string, volume: Record<string, unknown>, spec: WorkloadSpec = {}, before?: Recipe): Recipe {
  return (c, at) => {
    before?.(c, at);
    const name = String(volume['name']);
    const workload = c.workload(at, { ...fresh, ...spec, pod: { ...spec.pod, volumes: [volume] }, container: { ...spec.container, volumeMounts: [{ name, mountPath: `/etc/${name}`, readOnly: true }] } });
    mountError(c, workload, message.replaceAll('NS', at.namespace));
  };
}

/** Ends by itself with these last words. */
function dies(exitCode: number, log: string[], spec: WorkloadSpec = {}, container?: string): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...fresh, ...spec });
    crashLoop(c, workload, { exitCode, log, container });
    workload.stuck = true;
  };
}

function neverStarts(message: string, spec: WorkloadSpec): Recipe {
  return (c, at) => startError(c, c.workload(at, { ...fresh, ...spec }), message);
}

const secretEnv = (name: string, secret: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key } } });
const mapEnv = (name: string, map: string, key: string) => ({ name, valueFrom: { configMapKeyRef: { name: map, key } } });

function aSecret(name: string, ...keys: string[]): Recipe {
  return (c, at) => void c.add('v1', 'Secret', { name, namespace: at.namespace }, { type: 'Opaque', data: Object.fromEntries(keys.map((key) => [key, ''])) });
}

const data = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] };

/** A bound claim, mounted at `path`. */
function onVolume(path: string, spec: WorkloadSpec, recipe: (spec: WorkloadSpec) => Recipe): Recipe {
  return (c, at) => {
    c.add('v1', 'PersistentVolumeClaim', { name: 'data', namespace: at.namespace }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', volumeName: `pvc-${at.name}`, resources: { requests: { storage: '8Gi' } } }, status: { phase: 'Bound', capacity: { storage: '8Gi' }, accessModes: ['ReadWriteOnce'] } });
    c.add('v1', 'PersistentVolume', { name: `pvc-${at.name}` }, { spec: { capacity: { storage: '8Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', persistentVolumeReclaimPolicy: 'Delete', hostPath: { path: `/var/lib/rancher/k3s/storage/pvc-${at.name}` }, claimRef: { kind: 'PersistentVolumeClaim', namespace: at.namespace, name: 'data' } }, status: { phase: 'Bound' } });
    recipe({ ...spec, pod: { ...data, ...spec.pod }, container: { volumeMounts: [{ name: 'data', mountPath: path }], ...spec.container } })(c, at);
  };
}

const uid = (runAsUser: number) => ({ securityContext: { runAsUser, runAsNonRoot: true } });
const readOnly = { securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false } };

export const startup: Fault[] = [
  {
    class: 'startup',
    cause: 'missing_secret_binding',
    sources: [sources.kubeletConfig, sources.kubeletVolumes],
    variants: [
      ['Deployment shop/checkout', 'secretKeyRef', misconfigured('secret "checkout-db" not found', { container: { env: [secretEnv('DB_PASSWORD', 'checkout-db', 'password')] } })],
      ['StatefulSet data/rabbitmq', 'volume', unmounted('MountVolume.SetUp failed for volume "erlang-cookie" : secret "rabbitmq-erlang-cookie" not found', { name: 'erlang-cookie', secret: { secretName: 'rabbitmq-erlang-cookie', defaultMode: 256 } })],
      ['Deployment ingress/gateway', 'certificate', unmounted('MountVolume.SetUp failed for volume "tls" : secret "gateway-tls" not found', { name: 'tls', secret: { secretName: 'gateway-tls', defaultMode: 420 } })],
      ['CronJob ops/offsite-backup', 'envFrom', misconfigured('secret "s3-credentials" not found', { port: 0, container: { envFrom: [{ secretRef: { name: 's3-credentials' } }] } })],
      ['DaemonSet logging/vector', 'DaemonSet', misconfigured('secret "vector-token" not found', { container: { env: [secretEnv('TOKEN', 'vector-token', 'token')] } })],
      ['Deployment auth/dex', 'only the side container', misconfigured('secret "oauth2-cookie" not found', { sidecars: [{ name: 'oauth2', image: 'quay.io/oauth2-proxy/oauth2-proxy:v7.9.0', env: [secretEnv('COOKIE', 'oauth2-cookie', 'secret')] }] }, { container: 'oauth2' })],
    ],
  },
  {
    class: 'startup',
    cause: 'missing_config_map',
    sources: [sources.kubeletConfig, sources.kubeletVolumes],
    variants: [
      ['Deployment shop/pricing', 'envFrom', misconfigured('configmap "pricing-settings" not found', { container: { envFrom: [{ configMapRef: { name: 'pricing-settings' } }] } })],
      ['StatefulSet billing/ledger-db', 'two others wait for it', feltBy(unmounted('MountVolume.SetUp failed for volume "config" : configmap "ledger-db" not found', { name: 'config', configMap: { name: 'ledger-db', defaultMode: 420 } }, { port: 5432 }), 'ledger-db', { name: 'invoices', log: [complaints.postgres] }, { name: 'dunning', log: [complaints.java], runs: true })],
      ['StatefulSet monitoring/loki', 'volume', unmounted('MountVolume.SetUp failed for volume "config" : configmap "loki-config" not found', { name: 'config', configMap: { name: 'loki-config', defaultMode: 420 } })],
      ['DaemonSet network/speaker', 'volume of a DaemonSet', unmounted('MountVolume.SetUp failed for volume "memberlist" : configmap "memberlist" not found', { name: 'memberlist', configMap: { name: 'memberlist', defaultMode: 420 } })],
      ['Job batch/load-fixtures', 'configMapKeyRef', misconfigured('configmap "fixtures" not found', { port: 0, container: { env: [mapEnv('FIXTURE', 'fixtures', 'set')] } })],
      ['Deployment web/nginx', 'projected with others', unmounted('MountVolume.SetUp failed for volume "sites" : [configmap "nginx-sites" not found]', { name: 'sites', projected: { sources: [{ configMap: { name: 'nginx-sites' } }, { configMap: { name: 'kube-root-ca.crt' } }] } })],
      ['CronJob reports/digest', 'stands in another namespace', misconfigured('configmap "smtp" not found', { port: 0, container: { envFrom: [{ configMapRef: { name: 'smtp' } }] } }, {}, (c) => void c.add('v1', 'ConfigMap', { name: 'smtp', namespace: 'mail' }, { data: { host: 'smtp.mail' } }))],
    ],
  },
  {
    class: 'startup',
    cause: 'missing_secret_key',
    sources: [sources.kubeletConfig, sources.kubeletVolumes],
    variants: [
      ['Deployment shop/orders', 'other case of letters', misconfigured("couldn't find key PASSWORD in Secret NS/orders-db", { container: { env: [secretEnv('DB_PASSWORD', 'orders-db', 'PASSWORD')] } }, {}, aSecret('orders-db', 'username', 'password'))],
      ['StatefulSet data/mariadb', 'StatefulSet', misconfigured("couldn't find key mariadb-root-password in Secret NS/mariadb", { port: 3306, container: { env: [secretEnv('MARIADB_ROOT_PASSWORD', 'mariadb', 'mariadb-root-password')] } }, {}, aSecret('mariadb', 'root-password', 'mariadb-password'))],
      ['Deployment web/api', 'item of a volume', unmounted('MountVolume.SetUp failed for volume "tls" : references non-existent secret key: ca.crt', { name: 'tls', secret: { secretName: 'api-tls', items: [{ key: 'tls.crt', path: 'tls.crt' }, { key: 'ca.crt', path: 'ca.crt' }] } }, {}, aSecret('api-tls', 'tls.crt', 'tls.key'))],
      ['Job batch/publish', 'Job', misconfigured("couldn't find key api-token in Secret NS/publisher", { port: 0, container: { env: [secretEnv('TOKEN', 'publisher', 'api-token')] } }, {}, aSecret('publisher', 'apiToken'))],
      ['DaemonSet monitoring/agent', 'DaemonSet', misconfigured("couldn't find key license in Secret NS/agent", { container: { env: [secretEnv('LICENSE_KEY', 'agent', 'license')] } }, {}, aSecret('agent', 'licence'))],
    ],
  },
  {
    class: 'startup',
    cause: 'volume_mount_permission_denied',
    sources: [sources.shells, 'docker.io/library/postgres docker-entrypoint.sh; bitnami/containers postgresql; Grafana packaging/docker/run.sh; Prometheus tsdb; Elasticsearch NodeEnvironment'],
    variants: [
      ['Deployment monitoring/grafana', 'Grafana as user 472', onVolume('/var/lib/grafana', { replicas: 1, port: 3000, image: 'docker.io/grafana/grafana:12.0.1', container: uid(472) }, (spec) => dies(1, ["GF_PATHS_DATA='/var/lib/grafana' is not writable.", 'You may have issues with file permissions, more information here: http://docs.grafana.org/installation/docker/#migrate-to-v51-or-later', "mkdir: can't create directory '/var/lib/grafana/plugins': Permission denied"], spec))],
      ['StatefulSet data/postgresql', 'PostgreSQL', onVolume('/bitnami/postgresql', { port: 5432, image: 'docker.io/bitnami/postgresql:17', container: uid(1001) }, (spec) => dies(1, ['postgresql 10:02:11.04 INFO  ==> ** Starting PostgreSQL setup **', 'postgresql 10:02:11.11 INFO  ==> Initializing PostgreSQL database...', "mkdir: cannot create directory '/bitnami/postgresql/data': Permission denied"], spec))],
      ['StatefulSet monitoring/prometheus-main', 'Prometheus', onVolume('/prometheus', { port: 9090, image: 'quay.io/prometheus/prometheus:v3.4.1', container: uid(65534) }, (spec) => dies(1, ['time=2026-05-02T09:11:07.120Z level=ERROR source=query_logger.go:113 msg="Error opening query log file" component=activeQueryTracker file=/prometheus/queries.active err="open /prometheus/queries.active: permission denied"', 'panic: Unable to create mmap-ed active query log'], spec))],
      ['Deployment forge/jenkins', 'Jenkins', onVolume('/var/jenkins_home', { replicas: 1, container: uid(1000) }, (spec) => dies(1, ["touch: cannot touch '/var/jenkins_home/copy_reference_file.log': Permission denied", 'Can not write to /var/jenkins_home/copy_reference_file.log. Wrong volume permissions?'], spec))],
      ['StatefulSet search/elasticsearch', 'Elasticsearch', onVolume('/usr/share/elasticsearch/data', { port: 9200, container: uid(1000) }, (spec) => dies(1, ['{"@timestamp":"2026-04-08T12:00:31.554Z", "log.level":"ERROR", "message":"fatal exception while booting Elasticsearch", "ecs.version": "1.2.0","error.type":"java.lang.IllegalStateException","error.message":"failed to obtain node locks, tried [/usr/share/elasticsearch/data]; maybe these locations are not writable or multiple nodes were started on the same data path?"}', 'Caused by: java.nio.file.AccessDeniedException: /usr/share/elasticsearch/data/node.lock'], spec))],
      ['CronJob ops/dump', 'CronJob', onVolume('/backup', { port: 0, container: uid(999) }, (spec) => dies(1, ['pg_dump: error: could not open output file "/backup/nightly.sql": Permission denied'], spec))],
    ],
  },
  {
    class: 'startup',
    cause: 'read_only_file_system',
    sources: [sources.shells, 'nginx ngx_create_paths; Python and Node.js errno texts'],
    variants: [
      ['Deployment web/nginx-static', 'nginx', dies(1, ['2026/05/11 07:31:22 [emerg] 1#1: mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)', 'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)'], { image: 'docker.io/library/nginx:1.29', container: readOnly })],
      ['Deployment shop/thumbnails', 'Python', dies(1, ['Traceback (most recent call last):', '  File "/app/main.py", line 14, in <module>', '    os.makedirs("/app/cache")', "OSError: [Errno 30] Read-only file system: '/app/cache'"], { container: readOnly })],
      ['StatefulSet data/redis-cache', 'StatefulSet', dies(1, ["1:M 03 Jun 2026 11:20:08.120 # Can't chdir to '/data': No such file or directory", '1:M 03 Jun 2026 11:20:08.121 # Can\'t open or create append-only dir appendonlydir: Read-only file system'], { port: 6379, container: readOnly })],
      ['CronJob reports/render', 'Node.js', dies(1, ["Error: EROFS: read-only file system, open '/app/.cache/report.tmp'", '    at Object.openSync (node:fs:573:18)', "  errno: -30, code: 'EROFS', syscall: 'open', path: '/app/.cache/report.tmp'"], { port: 0, container: readOnly })],
      ['Deployment erp/tomcat', 'Java', dies(1, ['SEVERE [main] org.apache.catalina.startup.Catalina.initDirs Cannot find specified temporary folder at [/usr/local/tomcat/temp]', 'java.io.FileNotFoundException: /usr/local/tomcat/logs/catalina.2026-06-01.log (Read-only file system)'], { container: readOnly })],
      ['Deployment chat/matrix', 'the mount itself is read only', (c, at) => {
        c.add('v1', 'ConfigMap', { name: 'matrix', namespace: at.namespace }, { data: { 'homeserver.yaml': 'server_name: chat.example\n' } });
        dies(1, ["touch: cannot touch '/config/signing.key': Read-only file system"], { pod: { volumes: [{ name: 'config', configMap: { name: 'matrix' } }] }, container: { volumeMounts: [{ name: 'config', mountPath: '/config', readOnly: true }], securityContext: { readOnlyRootFilesystem: true } } })(c, at);
      }],
    ],
  },
  {
    class: 'startup',
    cause: 'invalid_command',
    sources: [sources.runc, sources.shells],
    variants: [
      ['Deployment shop/emails', 'not in $PATH', neverStarts('exec: "pyhton": executable file not found in $PATH: unknown', { container: { command: ['pyhton', 'main.py'] } })],
      ['StatefulSet data/consul', 'no such file', neverStarts('exec: "/bin/consull": stat /bin/consull: no such file or directory: unknown', { port: 8500, container: { command: ['/bin/consull', 'agent'] } })],
      ['CronJob ops/vacuum', 'not executable', neverStarts('exec: "/scripts/vacuum.sh": permission denied: unknown', { port: 0, container: { command: ['/scripts/vacuum.sh'] } })],
      ['DaemonSet network/sysctl', 'the shell finds nothing: 127', dies(127, ['/bin/sh: sysctll: not found'], { port: 0, container: { command: ['/bin/sh', '-c'], args: ['sysctll -w net.core.somaxconn=4096 && sleep infinity'] } })],
      ['Deployment web/uvicorn', 'unknown flag', dies(2, ['Usage: uvicorn [OPTIONS] APP', "Try 'uvicorn --help' for help.", '', 'Error: No such option: --prot'], { container: { command: ['uvicorn'], args: ['app:app', '--prot', '8080'] } })],
      ['Job batch/compact', 'entry of a Windows line end', neverStarts('exec: "/entrypoint.sh\\r": stat /entrypoint.sh\r: no such file or directory: unknown', { port: 0, container: { command: ['/entrypoint.sh\r'] } })],
    ],
  },
  {
    class: 'startup',
    cause: 'invalid_environment',
    sources: ['docker.io/library/postgres and mysql docker-entrypoint.sh; Spring Boot FailureAnalyzers; Go strconv; zod and pydantic validation errors'],
    variants: [
      ['Deployment hr/directory', 'one other ends for want of it', feltBy(dies(1, ['panic: environment variable LDAP_BIND_DN is not set', '', 'goroutine 1 [running]:', 'main.main()']), 'directory', { name: 'badges', log: [complaints.node] })],
      ['Deployment shop/billing', 'a port that is no number (Go)', dies(1, ['panic: strconv.Atoi: parsing "eighty": invalid syntax', '', 'goroutine 1 [running]:', 'main.mustPort(...)', '\t/src/main.go:31'], { container: { env: [{ name: 'PORT', value: 'eighty' }] } })],
      ['StatefulSet data/postgres-main', 'no password for the first start', dies(1, ['Error: Database is uninitialized and superuser password is not specified.', '       You must specify POSTGRES_PASSWORD to a non-empty value for the', '       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".'], { image: 'docker.io/library/postgres:17.5', port: 5432, container: { env: [{ name: 'POSTGRES_DB', value: 'app' }] } })],
      ['StatefulSet data/mysql', 'no root password (MySQL)', dies(1, ['2026-05-20 08:00:01+00:00 [Note] [Entrypoint]: Entrypoint script for MySQL Server 8.4.5-1.el9 started.', '2026-05-20 08:00:01+00:00 [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified', '    You need to specify one of the following as an environment variable:', '    - MYSQL_ROOT_PASSWORD', '    - MYSQL_ALLOW_EMPTY_PASSWORD', '    - MYSQL_RANDOM_ROOT_PASSWORD'], { image: 'docker.io/library/mysql:8.4', port: 3306 })],
      ['Deployment ai-agents/router', 'missing variable (zod)', dies(1, ['Invalid environment variables: {', '  OPENAI_BASE_URL: [ "Required" ],', '  MAX_PARALLEL: [ "Expected number, received nan" ]', '}'], { container: { env: [{ name: 'MAX_PARALLEL', value: 'many' }] } })],
      ['CronJob ops/prune', 'missing variable (shell)', dies(1, ['/app/prune.sh: line 4: RETENTION_DAYS: unbound variable'], { port: 0, container: { command: ['/app/prune.sh'] } })],
      ['Deployment erp/backend', 'placeholder not resolved (Spring)', dies(1, ["Error starting ApplicationContext. To display the condition evaluation report re-run your application with 'debug' enabled.", "java.lang.IllegalArgumentException: Could not resolve placeholder 'ERP_TENANT' in value \"${ERP_TENANT}\""], { container: { env: [{ name: 'SPRING_PROFILES_ACTIVE', value: 'prod' }] } })],
    ],
  },
  {
    class: 'startup',
    cause: 'init_container_failed',
    sources: ['kubernetes 1.3x pkg/kubelet/kuberuntime: init containers run before all others; Flyway, Alembic, Prisma errors'],
    variants: [
      ['Deployment shop/inventory', 'Flyway migration', dies(1, ['ERROR: Validate failed: Migrations have failed validation', 'Migration checksum mismatch for migration version 12', '-> Applied to database : 1892934', '-> Resolved locally    : -99123'], { pod: { initContainers: [{ name: 'migrate', image: 'docker.io/flyway/flyway:11' }] } }, 'migrate')],
      ['StatefulSet data/kafka-broker', 'StatefulSet', dies(1, ['+ cp /etc/config/server.properties /prepared/', 'cp: target \'/prepared/\' is not a directory'], { port: 9092, pod: { initContainers: [{ name: 'prepare', image: 'docker.io/library/busybox:1.37' }] } }, 'prepare')],
      ['Deployment web/cms', 'Alembic', dies(255, ["ERROR [alembic.util.messaging] Can't locate revision identified by '9f1c2d'", "FAILED: Can't locate revision identified by '9f1c2d'"], { pod: { initContainers: [{ name: 'db-upgrade', image: 'registry.example.com/web/cms:5' }] } }, 'db-upgrade')],
      ['Job batch/index', 'Job', dies(2, ['fetch: checksum of index.tar.zst does not match', 'fetch: giving up'], { port: 0, pod: { initContainers: [{ name: 'fetch', image: 'registry.example.com/ops/fetch:1' }] } }, 'fetch')],
      ['DaemonSet network/cni-setup', 'DaemonSet', dies(1, ['install-cni: /host/opt/cni/bin/ptp: text file busy'], { port: 0, pod: { initContainers: [{ name: 'install-cni', image: 'registry.example.com/net/cni:2' }] } }, 'install-cni')],
      ['Deployment forge/gitlab', 'the second of two', dies(1, ['Checking database schema version: expected 20260401, found 20250901', 'Refusing to start'], { pod: { initContainers: [{ name: 'certificates', image: 'registry.example.com/forge/certs:1' }, { name: 'check-schema', image: 'registry.example.com/forge/gitlab:18' }] } }, 'check-schema')],
    ],
  },
];
