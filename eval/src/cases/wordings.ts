import type { CaseClass, Fault, Recipe } from '../case';
import { crashLoop, pullError } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

/** The same causes in the words of other languages, drivers and programs. */
const fresh = { ageS: 7200, podAgeS: 2500 };

function fault(caseClass: CaseClass, cause: string, from: string, ...variants: Fault['variants']): Fault {
  return { class: caseClass, cause, sources: [from], variants };
}

function dies(exitCode: number, log: string[], spec: WorkloadSpec = {}): Recipe {
  return (c, at) => crashLoop(c, c.workload(at, { ...fresh, ...spec }), { exitCode, log, livedS: 4 });
}

const runs = (...command: string[]): WorkloadSpec => ({ container: { command } });
const env = (fields: Record<string, string>) => Object.entries(fields).map(([name, value]) => ({ name, value }));
const readOnly: WorkloadSpec = { container: { securityContext: { readOnlyRootFilesystem: true } } };

/** A program that writes to its claim as the wrong user. */
function onClaim(path: string, runAsUser: number, exitCode: number, log: string[], spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    c.add('v1', 'PersistentVolumeClaim', { name: `${at.name}-data`, namespace: at.namespace }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', volumeName: `pv-${at.name}`, resources: { requests: { storage: '8Gi' } } }, status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '8Gi' } } });
    c.add('v1', 'PersistentVolume', { name: `pv-${at.name}` }, { spec: { capacity: { storage: '8Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', hostPath: { path: '/srv' }, claimRef: { kind: 'PersistentVolumeClaim', namespace: at.namespace, name: `${at.name}-data` } }, status: { phase: 'Bound' } });
    dies(exitCode, log, { ...spec, pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `${at.name}-data` } }] }, container: { securityContext: { runAsUser }, volumeMounts: [{ name: 'data', mountPath: path }] } })(c, at);
  };
}

/** A client of a database that runs. */
function client(engine: 'postgres' | 'mysql', database: string, fields: Record<string, string>, log: string[]): Recipe {
  return (c, at) => {
    const port = engine === 'postgres' ? 5432 : 3306;
    c.workload({ kind: 'StatefulSet', namespace: at.namespace, name: database }, { ageS: 900_000, port, service: false, image: engine === 'postgres' ? 'docker.io/library/postgres:17.5' : 'docker.io/library/mysql:8.4.5' });
    c.service({ namespace: at.namespace, name: database }, { app: database }, [{ name: engine, port, targetPort: port }]);
    dies(1, log, { container: { env: env(fields) } })(c, at);
  };
}

function pulls(image: string, message: string, spec: WorkloadSpec = {}, missing?: string): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...fresh, image, ...spec, pod: missing === undefined ? {} : { imagePullSecrets: [{ name: missing }] } });
    pullError(c, workload, `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${message}`);
    if (missing !== undefined) for (const pod of workload.pods) c.event(pod, { reason: 'FailedToRetrieveImagePullSecret', message: `Unable to retrieve some image pull secrets (${missing}); attempting to pull the image may not succeed.`, count: 25 });
  };
}

const head = (host: string, path: string, tag: string) => `failed to do request: Head "https://${host}/v2/${path}/manifests/${tag}": dial tcp: lookup ${host}`;

export const wordings: Fault[] = [
  fault('startup', 'invalid_command', sources.shells,
    ['Deployment w1/argparse', 'argparse', dies(2, ['usage: serve.py [-h] [--port PORT]', 'serve.py: error: unrecognized arguments: --hots 0.0.0.0'], runs('python', 'serve.py', '--hots', '0.0.0.0'))],
    ['Deployment w1/goflag', 'Go flag', dies(2, ['flag provided but not defined: -prot', 'Usage of /server:', '  -port int', '    \tport to listen on (default 8080)'], { container: { args: ['-prot', '8080'] } })],
    ['StatefulSet w1/jar', 'java -jar', dies(1, ['Error: Unable to access jarfile /app/aplication.jar'], runs('java', '-jar', '/app/aplication.jar'))],
    ['Deployment w1/pyfile', 'python file', dies(2, ["python: can't open file '/app/mian.py': [Errno 2] No such file or directory"], runs('python', '/app/mian.py'))],
    ['CronJob w1/nodefile', 'node file', dies(1, ["Error: Cannot find module '/app/sever.js'", '    at Function._resolveFilename (node:internal/modules/cjs/loader:1401:15)', "  code: 'MODULE_NOT_FOUND',", '  requireStack: []'], runs('node', '/app/sever.js'))],
    ['DaemonSet w1/shell', 'shell syntax', dies(2, ['sh: syntax error: unterminated quoted string'], runs('sh', '-c', "echo 'start; exec /agent"))]),
  fault('startup', 'invalid_environment', 'pydantic-settings, kelseyhightower/envconfig, Ruby ENV.fetch, Rust std::env, MariaDB docker-entrypoint.sh',
    ['Deployment w2/pydantic', 'pydantic', dies(1, ['pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings', 'DATABASE_URL', '  Field required [type=missing, input_value={}, input_type=dict]', '    For further information visit https://errors.pydantic.dev/2.11/v/missing'])],
    ['Deployment w2/envconfig', 'envconfig (Go)', dies(1, ['2026/06/02 09:41:11 required key API_TOKEN missing value'])],
    ['StatefulSet w2/rails', 'Ruby', dies(1, ["config/initializers/storage.rb:3:in `fetch': key not found: \"STORAGE_BUCKET\" (KeyError)"])],
    ['CronJob w2/environ', 'Python os.environ', dies(1, ['Traceback (most recent call last):', '  File "/app/job.py", line 4, in <module>', '    bucket = os.environ["S3_BUCKET"]', '  File "<frozen os>", line 685, in __getitem__', "KeyError: 'S3_BUCKET'"])],
    ['Deployment w2/rust', 'Rust', dies(101, ["thread 'main' panicked at src/config.rs:12:40:", 'environment variable LISTEN_ADDR must be set: NotPresent', 'note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace'])],
    ['StatefulSet w2/mariadb', 'MariaDB', dies(1, ['2026-06-02 09:41:11+00:00 [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified', '\tYou need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD'], { image: 'docker.io/library/mariadb:11.8', port: 3306 })]),
  fault('startup', 'volume_mount_permission_denied', 'MySQL, Redis, MongoDB, Loki, n8n, Gitea at start on a directory of another user',
    ['StatefulSet w3/mysqld', 'MySQL', onClaim('/var/lib/mysql', 27, 1, ["mysqld: Can't create/write to file '/var/lib/mysql/is_writable' (OS errno 13 - Permission denied)", '2026-06-02T09:41:11.200Z 0 [ERROR] [MY-010460] [Server] --initialize specified but the data directory exists and is not writable. Aborting.'], { image: 'docker.io/library/mysql:8.4.5', port: 3306 })],
    ['StatefulSet w3/redis', 'Redis', onClaim('/data', 1001, 1, ["1:M 02 Jun 2026 09:41:11.201 # Can't open or create append-only dir appendonlydir: Permission denied"], { image: 'docker.io/library/redis:8.0', port: 6379 })],
    ['StatefulSet w3/mongo', 'MongoDB', onClaim('/data/db', 1001, 100, ['{"t":{"$date":"2026-06-02T09:41:11.201+00:00"},"s":"E","c":"CONTROL","id":20557,"ctx":"initandlisten","msg":"DBException in initAndListen, terminating","attr":{"error":"IllegalOperation: Attempted to create a lock file on a read-only directory: /data/db"}}', '{"s":"E","msg":"error","attr":{"error":"Permission denied [system:13]: \\"/data/db/mongod.lock\\""}}'], { image: 'docker.io/library/mongo:8.0', port: 27017 })],
    ['Deployment w3/n8n', 'Node.js', onClaim('/home/node/.n8n', 1000, 1, ["Error: EACCES: permission denied, open '/home/node/.n8n/config'", "  errno: -13, code: 'EACCES', syscall: 'open', path: '/home/node/.n8n/config'"], { replicas: 1 })],
    ['StatefulSet w3/loki', 'Go', onClaim('/loki', 10_001, 1, ['mkdir /loki/rules: permission denied', 'error initialising module: ruler-storage'], { port: 3100 })]),
  fault('startup', 'read_only_file_system', sources.shells,
    ['Deployment w4/go', 'Go', dies(1, ['FATAL could not create pid file: open /run/app.pid: read-only file system'], readOnly)],
    ['Deployment w4/php', 'PHP', dies(255, ['PHP Fatal error:  Uncaught UnexpectedValueException: The stream or file "/var/www/storage/logs/laravel.log" could not be opened in append mode: Failed to open stream: Read-only file system'], readOnly)],
    ['StatefulSet w4/ruby', 'Ruby', dies(1, ["Errno::EROFS (Read-only file system @ rb_sysopen - /app/log/production.log)"], readOnly)],
    ['DaemonSet w4/java', 'Java', dies(1, ['Caused by: java.nio.file.FileSystemException: /tmp/tomcat.8080.1829: Read-only file system'], readOnly)]),
  fault('running', 'dependency_unavailable', 'AWS SDK for Go, Apache Kafka clients, cURL, reqwest errors',
    ['Deployment w5/sts', 'AWS', dies(1, ['failed to refresh cached credentials: operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 0, request send failed, Post "https://sts.eu-central-1.amazonaws.com/": dial tcp 198.51.100.80:443: i/o timeout'], { container: { env: env({ AWS_REGION: 'eu-central-1' }) } })],
    ['StatefulSet w5/kafka-consumer', 'Kafka elsewhere', dies(1, ['[AdminClient clientId=app] Connection to node -1 (kafka.partner.example/203.0.113.77:9092) could not be established. Node may not be available.', 'org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: listTopics'], { container: { env: env({ KAFKA_BOOTSTRAP: 'kafka.partner.example:9092' }) } })],
    ['CronJob w5/curl', 'cURL', dies(28, ['curl: (28) Failed to connect to feeds.example.org port 443 after 130012 ms: Could not connect to server'], { container: { env: env({ FEED: 'https://feeds.example.org/all.xml' }) } })],
    ['Deployment w5/rust', 'Rust', dies(1, ['Error: error sending request for url (https://license.vendor.example/v1/check): error trying to connect: tcp connect error: Connection refused (os error 111)'], { container: { env: env({ LICENSE_URL: 'https://license.vendor.example' }) } })]),
  fault('running', 'postgres_invalid_credentials', sources.drivers,
    ['Deployment w6/prisma', 'Prisma', client('postgres', 'pg', { DATABASE_URL: 'postgresql://app@pg:5432/app' }, ['Error: P1000: Authentication failed against database server, the provided database credentials for `app` are not valid.', 'Please make sure to provide valid database credentials for the database server at the configured address.'])],
    ['Deployment w6/npgsql', 'Npgsql', client('postgres', 'pg-net', { ConnectionStrings__Main: 'Host=pg-net;Port=5432;Username=app' }, ['Unhandled exception. Npgsql.PostgresException (0x80004005): 28P01: password authentication failed for user "app"'])],
    ['StatefulSet w6/rails', 'Rails', client('postgres', 'pg-rails', { DATABASE_HOST: 'pg-rails' }, ['ActiveRecord::ConnectionNotEstablished: connection to server at "10.43.5.5", port 5432 failed: FATAL:  password authentication failed for user "rails"'])]),
  fault('running', 'postgres_invalid_port', sources.drivers,
    ['Deployment w7/prisma', 'Prisma', client('postgres', 'pg', { DATABASE_URL: 'postgresql://app@pg:5423/app' }, ["Error: P1001: Can't reach database server at `pg:5423`", 'Please make sure your database server is running at `pg:5423`.'])],
    ['Deployment w7/npgsql', 'Npgsql', client('postgres', 'pg-net', { DB_HOST: 'pg-net', DB_PORT: '5532' }, ['Unhandled exception. Npgsql.NpgsqlException (0x80004005): Failed to connect to 10.43.5.9:5532', ' ---> System.Net.Sockets.SocketException (111): Connection refused'])],
    ['CronJob w7/isready', 'pg_isready', client('postgres', 'pg-cron', { PGHOST: 'pg-cron', PGPORT: '5439' }, ['pg-cron:5439 - no response'])]),
  fault('running', 'mysql_invalid_credentials', sources.drivers,
    ['Deployment w8/sequelize', 'Sequelize', client('mysql', 'my', { DB_HOST: 'my', DB_USER: 'app' }, ["SequelizeAccessDeniedError: Access denied for user 'app'@'10.42.3.3' (using password: YES)"])],
    ['Deployment w8/django', 'Django', client('mysql', 'my-dj', { DB_HOST: 'my-dj' }, ["django.db.utils.OperationalError: (1045, \"Access denied for user 'site'@'10.42.4.4' (using password: YES)\")"])],
    ['StatefulSet w8/plugin', 'mysql2', client('mysql', 'my-two', { MYSQL_HOST: 'my-two' }, ["Error: Access denied for user 'svc'@'10.42.1.1' (using password: YES)", "  code: 'ER_ACCESS_DENIED_ERROR', errno: 1045, sqlState: '28000'"])]),
  fault('running', 'mysql_invalid_port', sources.drivers,
    ['Deployment w9/sequelize', 'Sequelize', client('mysql', 'my', { DB_HOST: 'my', DB_PORT: '3360' }, ['SequelizeConnectionRefusedError: connect ECONNREFUSED 10.43.8.8:3360'])],
    ['Deployment w9/jdbc', 'HikariCP', client('mysql', 'my-jdbc', { JDBC_URL: 'jdbc:mysql://my-jdbc:13306/app' }, ['HikariPool-1 - Exception during pool initialization.', 'com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure', 'Caused by: java.net.ConnectException: Connection refused'])],
    ['CronJob w9/dump', 'mysqldump', client('mysql', 'my-dump', { MYSQL_HOST: 'my-dump', MYSQL_PORT: '3316' }, ["mysqldump: Got error: 2003: Can't connect to MySQL server on 'my-dump:3316' (111) when trying to connect"])]),
  fault('startup', 'image_registry_dns_failure', sources.imagePull,
    ['Deployment w10/misbehaving', 'server misbehaving', pulls('registry.intra.example/app/api:1', `${head('registry.intra.example', 'app/api', '1')} on 192.168.50.1:53: server misbehaving`)],
    ['StatefulSet w10/loopback', 'the node\'s own resolver is down', pulls('quay.io/acme/db:3', `${head('quay.io', 'acme/db', '3')} on [::1]:53: read udp [::1]:43121->[::1]:53: read: connection refused`)],
    ['DaemonSet w10/temporary', 'Temporary failure', pulls('harbor.site-b.example/ops/agent:9', `${head('harbor.site-b.example', 'ops/agent', '9')}: Temporary failure in name resolution`)]),
  fault('startup', 'missing_image_pull_secret', sources.imagePull,
    ['Deployment w11/hub', 'a private repository of Docker Hub', pulls('docker.io/acme/private-api:2', 'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed', {}, 'dockerhub')],
    ['StatefulSet w11/ecr', 'ECR', pulls('123456789012.dkr.ecr.eu-central-1.amazonaws.com/db:5', 'unexpected status from HEAD request to https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/v2/db/manifests/5: 401 Unauthorized', {}, 'ecr-login')],
    ['CronJob w11/quay', 'Quay', pulls('quay.io/acme/nightly:1', 'unexpected status from HEAD request to https://quay.io/v2/acme/nightly/manifests/1: 401 UNAUTHORIZED', { port: 0 }, 'quay-robot')]),
];
