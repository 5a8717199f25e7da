import type { Fault, Recipe } from '../case';
import type { Cluster } from '../cluster/cluster';
import type { Target } from '../cluster/objects';
import { crashLoop } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

/** Its own warnings, which stand in the logs of healthy ones too. */
export const harmless = [
  'sudo: setrlimit(RLIMIT_CORE): Operation not permitted',
  'NOTE: Configuring authentication for SERVER mode.',
  '',
  'WARNING: Failed to set ACL on the directory containing the configuration database:',
  "           [Errno 1] Operation not permitted: '/var/lib/pgadmin'",
  'HINT   : You may need to manually set the permissions on',
  '         /var/lib/pgadmin to allow pgadmin to write to it.',
];
const gunicorn = ['[2026-06-02 09:41:09 +0000] [1] [INFO] Starting gunicorn 23.0.0'];
export const serving = [...gunicorn, '[2026-06-02 09:41:10 +0000] [1] [INFO] Listening at: http://[::]:80 (1)', '[2026-06-02 09:41:10 +0000] [1] [INFO] Using worker: gthread', '[2026-06-02 09:41:10 +0000] [112] [INFO] Booting worker with pid: 112'];
const missing = ['You need to define the PGADMIN_DEFAULT_EMAIL and PGADMIN_DEFAULT_PASSWORD or PGADMIN_DEFAULT_PASSWORD_FILE environment variables.'];
const invalid = (email: string) => [`'${email}' does not appear to be a valid email address. Please reset the PGADMIN_DEFAULT_EMAIL environment variable and try again.`];
const unwritable = ['ERROR  : Failed to create the directory /var/lib/pgadmin/sessions:', "           [Errno 13] Permission denied: '/var/lib/pgadmin/sessions'", 'HINT   : Create the directory /var/lib/pgadmin/sessions, ensure it is writeable by', "         'pgadmin', and try again, or, create a config_local.py file", '         and override the SESSION_DB_PATH setting per', '         https://www.pgadmin.org/docs/pgadmin4/9.4/config_py.html'];
const older = ["PermissionError: [Errno 13] Permission denied: '/var/lib/pgadmin/sessions'", '[2026-06-02 09:41:10 +0000] [87] [INFO] Worker exiting (pid: 87)', '[2026-06-02 09:41:10 +0000] [1] [INFO] Shutting down: Master', '[2026-06-02 09:41:10 +0000] [1] [INFO] Reason: Worker failed to boot.'];
const portTaken = (port: number) => ['sudo: setrlimit(RLIMIT_CORE): Operation not permitted', ...gunicorn, ...Array.from({ length: 5 }, (_, i) => `[2026-06-02 09:41:${10 + i} +0000] [1] [ERROR] Retrying in 1 second.`), `[2026-06-02 09:41:15 +0000] [1] [ERROR] Can't connect to ('::', ${port})`];

export const credentials = [
  { name: 'PGADMIN_DEFAULT_EMAIL', value: 'ops@example.com' },
  { name: 'PGADMIN_DEFAULT_PASSWORD', valueFrom: { secretKeyRef: { name: 'pgadmin', key: 'password' } } },
];

/** pgAdmin with its claim and Secret. */
export function pgadmin(c: Cluster, at: Target, spec: WorkloadSpec = {}) {
  const namespace = at.namespace ?? '';
  c.add('v1', 'Secret', { name: 'pgadmin', namespace }, { type: 'Opaque', data: { password: '' } });
  c.add('v1', 'PersistentVolumeClaim', { name: at.name, namespace }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', volumeName: `pvc-${at.name}`, resources: { requests: { storage: '1Gi' } } }, status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] } });
  return c.workload(at, {
    image: 'docker.io/dpage/pgadmin4:9.4',
    replicas: 1,
    port: 80,
    ageS: 40 * 86_400,
    podAgeS: 7200,
    ...spec,
    pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: at.name } }, ...((spec.pod?.volumes ?? []) as Record<string, unknown>[])], securityContext: { fsGroup: 5050 }, ...omitVolumes(spec.pod) },
    container: { env: credentials, ...spec.container, volumeMounts: [{ name: 'data', mountPath: '/var/lib/pgadmin' }, ...(spec.container?.volumeMounts ?? [])] },
  });
}

function omitVolumes(pod: WorkloadSpec['pod'] = {}): Record<string, unknown> {
  const { volumes: _, ...rest } = pod;
  return rest;
}

function dies(exitCode: number, log: string[], spec: WorkloadSpec = {}): Recipe {
  return (c, at) => crashLoop(c, pgadmin(c, at, spec), { exitCode, log, livedS: 4 });
}

const withEnv = (env: Record<string, unknown>[]): WorkloadSpec => ({ container: { env } });
const email = (value: string) => withEnv([{ name: 'PGADMIN_DEFAULT_EMAIL', value }, { name: 'PGADMIN_DEFAULT_PASSWORD', valueFrom: { secretKeyRef: { name: 'pgadmin', key: 'password' } } }]);

/** servers.json from a config map. The entrypoint goes on when it cannot load it: pgAdmin runs, without servers. */
function servers(json: string, says: string[], user: { kind: string; name: string }): Recipe {
  return (c, at) => {
    c.add('v1', 'ConfigMap', { name: at.name, namespace: at.namespace }, { data: { 'servers.json': json } });
    const workload = pgadmin(c, { kind: user.kind, namespace: at.namespace, name: user.name }, {
      pod: { volumes: [{ name: 'servers', configMap: { name: at.name } }] },
      container: { volumeMounts: [{ name: 'servers', mountPath: '/pgadmin4/servers.json', subPath: 'servers.json', readOnly: true }] },
    });
    for (const pod of workload.pods) c.log(pod, workload.main, ['NOTE: Configuring authentication for SERVER mode.', '', ...says, ...serving]);
  };
}

function configDatabase(uri: string, log: string[], database?: string): Recipe {
  return (c, at) => {
    if (database) c.workload({ kind: 'StatefulSet', namespace: at.namespace, name: database }, { port: 5432, image: 'docker.io/library/postgres:17.5' });
    dies(1, ['sudo: setrlimit(RLIMIT_CORE): Operation not permitted', 'Traceback (most recent call last):', '  File "/venv/lib/python3.12/site-packages/sqlalchemy/engine/base.py", line 146, in __init__', ...log, '(Background on this error at: https://sqlalche.me/e/20/e3q8)'], withEnv([...credentials, { name: 'PGADMIN_CONFIG_CONFIG_DATABASE_URI', value: `'${uri}'` }]))(c, at);
  };
}

const parse = (why: string) => [`Error parsing input file /pgadmin4/servers.json: ${why}`];

export const pgadminFaults: Fault[] = [
  {
    class: 'pgadmin',
    cause: 'pgadmin_invalid_email',
    sources: [sources.pgadmin],
    variants: [
      ['Deployment database/pgadmin', 'special-use domain', dies(1, invalid('admin@pgadmin.local'), email('admin@pgadmin.local'))],
      ['Deployment tools/pgadmin4', 'no domain', dies(1, invalid('admin'), email('admin'))],
      ['StatefulSet db-admin/pgadmin', 'StatefulSet', dies(1, ['sudo: setrlimit(RLIMIT_CORE): Operation not permitted', ...invalid('ops@localhost')], email('ops@localhost'))],
      ['Deployment erp/pgadmin-erp', 'space at the end', dies(1, invalid('dba@example.com '), email('dba@example.com '))],
      ['Deployment lab/pgadmin-lab', 'two @', dies(1, invalid('root@@example.com'), email('root@@example.com'))],
    ],
  },
  {
    class: 'pgadmin',
    cause: 'pgadmin_missing_credentials',
    sources: [sources.pgadmin],
    variants: [
      ['Deployment database/pgadmin', 'no password', dies(1, missing, withEnv([{ name: 'PGADMIN_DEFAULT_EMAIL', value: 'ops@example.com' }]))],
      ['Deployment tools/pgadmin4', 'nothing', dies(1, missing, withEnv([]))],
      ['StatefulSet db-admin/pgadmin', 'no email', dies(1, missing, withEnv([{ name: 'PGADMIN_DEFAULT_PASSWORD', valueFrom: { secretKeyRef: { name: 'pgadmin', key: 'password' } } }]))],
      ['Deployment erp/pgadmin-erp', 'names of another image', dies(1, missing, withEnv([{ name: 'PGADMIN_EMAIL', value: 'ops@example.com' }, { name: 'PGADMIN_PASSWORD_FILE', value: '/run/secrets/password' }]))],
      ['Deployment lab/pgadmin-lab', 'an empty value', dies(1, ['sudo: setrlimit(RLIMIT_CORE): Operation not permitted', ...missing], withEnv([{ name: 'PGADMIN_DEFAULT_EMAIL', value: '' }, { name: 'PGADMIN_DEFAULT_PASSWORD', valueFrom: { secretKeyRef: { name: 'pgadmin', key: 'password' } } }]))],
    ],
  },
  {
    class: 'pgadmin',
    cause: 'pgadmin_data_not_writable',
    sources: [sources.pgadmin],
    variants: [
      ['Deployment database/pgadmin', 'no fsGroup', dies(1, [...harmless, ...unwritable], { pod: { securityContext: {} } })],
      ['Deployment tools/pgadmin4', 'another fsGroup', dies(3, [...harmless, ...unwritable, ...older.slice(2)], { pod: { securityContext: { fsGroup: 1000 } } })],
      ['StatefulSet db-admin/pgadmin', 'StatefulSet, an older image', dies(3, ["WARNING: Failed to set ACL on the directory containing the configuration database: [Errno 1] Operation not permitted: '/var/lib/pgadmin'", ...older], { image: 'dpage/pgadmin4:6.21', pod: { securityContext: {} } })],
      ['Deployment erp/pgadmin-erp', 'runs as another user', dies(1, [...unwritable], { pod: { securityContext: { runAsUser: 10_001, runAsGroup: 10_001 } } })],
      ['Deployment lab/pgadmin-lab', 'the database file', dies(1, [...harmless.slice(1), "sqlite3.OperationalError: unable to open database file", "[Errno 13] Permission denied: '/var/lib/pgadmin/pgadmin4.db'"], { pod: { securityContext: {} } })],
    ],
  },
  {
    class: 'pgadmin',
    cause: 'pgadmin_servers_json_invalid',
    sources: [sources.pgadmin],
    variants: [
      ['ConfigMap database/pgadmin-servers', 'a comma at the end', servers('{\n  "Servers": {\n    "1": { "Name": "main", "Group": "Servers", "Host": "postgres", "Port": 5432, "MaintenanceDB": "postgres", "Username": "ops", "SSLMode": "prefer", },\n  }\n}', parse('Expecting property name enclosed in double quotes: line 3 column 141 (char 159)'), { kind: 'Deployment', name: 'pgadmin' })],
      ['ConfigMap tools/servers', 'cut off', servers('{ "Servers": { "1": { "Name": "main", "Group": "Servers"', parse("Expecting ',' delimiter: line 1 column 56 (char 55)"), { kind: 'Deployment', name: 'pgadmin4' })],
      ['ConfigMap db-admin/pgadmin-config', 'StatefulSet, YAML instead of JSON', servers('Servers:\n  "1":\n    Name: main\n', parse('Expecting value: line 1 column 1 (char 0)'), { kind: 'StatefulSet', name: 'pgadmin' })],
      ['ConfigMap erp/server-definitions', 'single quotes', servers("{'Servers': {'1': {'Name': 'erp'}}}", parse('Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'), { kind: 'Deployment', name: 'pgadmin-erp' })],
      ['ConfigMap lab/definitions', 'a server without a group', servers('{ "Servers": { "1": { "Name": "lab", "Host": "pg", "Port": 5432, "MaintenanceDB": "postgres", "Username": "lab", "SSLMode": "prefer" } } }', ['Added 0 Server Group(s) and 0 Server(s).', "'Group' attribute not found for server '1'"], { kind: 'Deployment', name: 'pgadmin-lab' })],
    ],
  },
  {
    class: 'pgadmin',
    cause: 'pgadmin_config_database_unreachable',
    sources: [sources.pgadmin, sources.postgres],
    variants: [
      ['Deployment database/pgadmin', 'wrong port', configDatabase('postgresql://pgadmin:x@postgres-ha:5433/pgadmin', ['sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed: connection to server at "10.43.7.7", port 5433 failed: Connection refused'], 'postgres-ha')],
      ['Deployment tools/pgadmin4', 'no such host', configDatabase('postgresql://pgadmin:x@pg-config.tools:5432/pgadmin', ["sqlalchemy.exc.OperationalError: (psycopg.OperationalError) [Errno -2] Name or service not known"])],
      ['StatefulSet db-admin/pgadmin', 'StatefulSet, wrong password', configDatabase('postgresql://pgadmin:wrong@config-db:5432/pgadmin', ['sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed: connection to server at "10.43.4.4", port 5432 failed: FATAL:  password authentication failed for user "pgadmin"'], 'config-db')],
      ['Deployment erp/pgadmin-erp', 'times out', configDatabase('postgresql://pgadmin:x@198.51.100.7:5432/pgadmin', ['sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection timeout expired'])],
      ['Deployment lab/pgadmin-lab', 'an older driver', configDatabase('postgresql://pgadmin:x@pg:5432/pgadmin', ['sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) could not translate host name "pg" to address: Name or service not known'])],
    ],
  },
  {
    class: 'pgadmin',
    cause: 'pgadmin_privileged_port',
    sources: [sources.pgadmin],
    variants: [
      ['Deployment database/pgadmin', 'port 80 without the capability', dies(1, portTaken(80), { container: { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } } })],
      ['Deployment tools/pgadmin4', 'TLS on 443', dies(1, portTaken(443), { container: { env: [...credentials, { name: 'PGADMIN_ENABLE_TLS', value: 'True' }], securityContext: { capabilities: { drop: ['ALL'] } } } })],
      ['StatefulSet db-admin/pgadmin', 'StatefulSet', dies(1, portTaken(80), { container: { securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false } } })],
      ['Deployment erp/pgadmin-erp', 'another port below 1024', dies(1, portTaken(88), { container: { env: [...credentials, { name: 'PGADMIN_LISTEN_PORT', value: '88' }], securityContext: { capabilities: { drop: ['ALL'] } } } })],
      ['Deployment lab/pgadmin-lab', 'runs as another user', dies(1, portTaken(80), { pod: { securityContext: { runAsUser: 10_001, fsGroup: 10_001 } }, container: { securityContext: { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false } } })],
    ],
  },
];
