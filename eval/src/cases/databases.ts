import type { Fault, Recipe } from '../case';
import type { Cluster } from '../cluster/cluster';
import type { Target } from '../cluster/objects';
import { crashLoop } from '../cluster/trouble';
import type { Workload, WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

const days = { ageS: 30 * 86_400, podAgeS: 9 * 86_400 };
type Engine = 'postgres' | 'mysql';

const engines = {
  postgres: { image: 'docker.io/library/postgres:17.5', port: 5432, ready: ['2026-06-02 09:00:00.181 UTC [1] LOG:  database system is ready to accept connections'] },
  mysql: { image: 'docker.io/library/mysql:8.4.5', port: 3306, ready: ["2026-06-02T09:00:07.410311Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.4.5'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL."] },
};

function database(c: Cluster, at: Target, engine: Engine, log: string[] = [], spec: WorkloadSpec = {}): Workload {
  const { image, port, ready } = engines[engine];
  const workload = c.workload(at, { ...days, image, port, service: false, ...spec });
  c.service({ namespace: at.namespace ?? '', name: at.name }, { app: at.name }, [{ name: engine, port, targetPort: port }]);
  for (const pod of workload.pods) c.log(pod, workload.main, [...ready, ...log]);
  return workload;
}

interface Client {
  engine: Engine;
  database: string;
  env: Record<string, unknown>[];
  /** Of the client, and of the server. */
  log: string[];
  serverLog?: string[];
  spec?: WorkloadSpec;
}

/** The client ends; the database runs and says, if anything, that it refused somebody. */
function client({ engine, database: name, env, log, serverLog, spec }: Client): Recipe {
  return (c, at) => {
    database(c, { kind: 'StatefulSet', namespace: at.namespace, name }, engine, serverLog);
    crashLoop(c, c.workload(at, { ageS: 9000, podAgeS: 2600, ...spec, container: { env } }), { exitCode: 1, log, livedS: 4 });
  };
}

interface Server {
  engine: Engine;
  serverLog: string[];
  clients: { name: string; log: string[]; crashes?: boolean }[];
  spec?: WorkloadSpec;
  config?: Record<string, string>;
}

/** The database refuses all its clients; each of them speaks louder than it. */
function server({ engine, serverLog, clients, spec, config }: Server): Recipe {
  return (c, at) => {
    if (config) c.add('v1', 'ConfigMap', { name: `${at.name}-config`, namespace: at.namespace }, { data: config });
    const volumes = config ? { pod: { volumes: [{ name: 'config', configMap: { name: `${at.name}-config` } }] } } : {};
    database(c, at, engine, serverLog, { ...volumes, ...spec });
    for (const { name, log, crashes } of clients) {
      const workload = c.workload({ kind: 'Deployment', namespace: at.namespace, name }, { container: { env: [{ name: 'DB_HOST', value: at.name }, { name: 'DB_PORT', value: String(engines[engine].port) }] } });
      if (crashes) crashLoop(c, workload, { exitCode: 1, log, livedS: 9 });
      else for (const pod of workload.pods) c.log(pod, workload.main, log);
    }
  };
}

const env = (fields: Record<string, string>) => Object.entries(fields).map(([name, value]) => ({ name, value }));
const deniedLine = (user: string, host: string) => `2026-06-02T09:41:11.201993Z 4120 [Note] [MY-010926] [Server] Access denied for user '${user}'@'${host}' (using password: YES)`;
const failedLine = (user: string) => [`2026-06-02 09:41:11.201 UTC [4120] FATAL:  password authentication failed for user "${user}"`, `2026-06-02 09:41:11.201 UTC [4120] DETAIL:  Connection matched file "/var/lib/postgresql/data/pg_hba.conf" line 128: "host all all all scram-sha-256"`];
const fullPostgres = ['2026-06-02 09:41:11.201 UTC [4120] FATAL:  sorry, too many clients already', '2026-06-02 09:41:12.003 UTC [4121] FATAL:  sorry, too many clients already'];

export const databases: Fault[] = [
  {
    class: 'running',
    cause: 'mysql_invalid_credentials',
    sources: [sources.mysql, sources.drivers],
    variants: [
      ['Deployment shop/orders', 'Go driver', client({ engine: 'mysql', database: 'mysql', env: env({ DB_HOST: 'mysql', DB_PORT: '3306', DB_USER: 'orders', DB_PASSWORD: 'chang3me' }), log: ["2026/06/02 09:41:11 failed to ping database: Error 1045 (28000): Access denied for user 'orders'@'10.42.3.17' (using password: YES)"], serverLog: [deniedLine('orders', '10.42.3.17')] })],
      ['StatefulSet wiki/bookstack', 'PHP', client({ engine: 'mysql', database: 'wiki-mysql', env: env({ DB_HOST: 'wiki-mysql', DB_USERNAME: 'bookstack' }), log: ["SQLSTATE[HY000] [1045] Access denied for user 'bookstack'@'10.42.4.9' (using password: NO)"] })],
      ['CronJob ops/mysql-dump', 'mysqldump', client({ engine: 'mysql', database: 'maria', env: env({ MYSQL_HOST: 'maria', MYSQL_USER: 'backup' }), log: ["mysqldump: Got error: 1045: Access denied for user 'backup'@'10.42.5.3' (using password: YES) when trying to connect"], spec: { port: 0 } })],
      ['Deployment erp/backend', 'Java, user without rights on the schema', client({ engine: 'mysql', database: 'erp-db', env: env({ SPRING_DATASOURCE_URL: 'jdbc:mysql://erp-db:3306/erp', SPRING_DATASOURCE_USERNAME: 'erp_ro' }), log: ["java.sql.SQLSyntaxErrorException: Access denied for user 'erp_ro'@'%' to database 'erp'", 'Caused by: com.mysql.cj.exceptions.CJException'] })],
      ['Deployment blog/wordpress', 'PHP mysqli', client({ engine: 'mysql', database: 'wordpress-mysql', env: env({ WORDPRESS_DB_HOST: 'wordpress-mysql:3306', WORDPRESS_DB_USER: 'wp' }), log: ["PHP Warning:  mysqli::__construct(): (HY000/1045): Access denied for user 'wp'@'10.42.3.81' (using password: YES) in Standard input code on line 22", 'MySQL Connection Error: (1045) Access denied'], serverLog: [deniedLine('wp', '10.42.3.81')] })],
    ],
  },
  {
    class: 'running',
    cause: 'mysql_invalid_port',
    sources: [sources.mysql, sources.drivers],
    variants: [
      ['Deployment shop/stock', 'Go driver', client({ engine: 'mysql', database: 'mysql', env: env({ DB_HOST: 'mysql', DB_PORT: '3307' }), log: ['2026/06/02 09:41:11 failed to ping database: dial tcp 10.43.18.2:3307: connect: connection refused'] })],
      ['Deployment forum/flarum', 'PHP', client({ engine: 'mysql', database: 'forum-db', env: env({ DB_HOST: 'forum-db', DB_PORT: '33060' }), log: ['SQLSTATE[HY000] [2002] Connection refused'] })],
      ['StatefulSet data/debezium', 'Java, times out', client({ engine: 'mysql', database: 'source-mysql', env: env({ CONNECT_URL: 'jdbc:mysql://source-mysql:3360/app' }), log: ['com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure', 'The last packet sent successfully to the server was 0 milliseconds ago. The driver has not received any packets from the server.', 'Caused by: java.net.ConnectException: Connection timed out'] })],
      ['CronJob ops/mysql-check', 'the client program', client({ engine: 'mysql', database: 'maria', env: env({ MYSQL_HOST: 'maria', MYSQL_TCP_PORT: '5432' }), log: ["ERROR 2003 (HY000): Can't connect to MySQL server on 'maria:5432' (111)"], spec: { port: 0 } })],
      ['Deployment crm/contacts', 'Python', client({ engine: 'mysql', database: 'crm-mysql', env: env({ DATABASE_URL: 'mysql+pymysql://crm@crm-mysql:3308/crm' }), log: ['sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (2003, "Can\'t connect to MySQL server on \'crm-mysql\' ([Errno 111] Connection refused)")'] })],
    ],
  },
  {
    class: 'running',
    cause: 'postgres_invalid_credentials',
    sources: [sources.postgres, sources.drivers],
    variants: [
      ['Deployment shop/accounts', 'pgx', client({ engine: 'postgres', database: 'postgres', env: env({ PGHOST: 'postgres', PGPORT: '5432', PGUSER: 'accounts' }), log: ['unable to connect: failed to connect to `user=accounts database=shop`: 10.43.7.7:5432 (postgres): failed SASL auth: FATAL: password authentication failed for user "accounts" (SQLSTATE 28P01)'], serverLog: failedLine('accounts') })],
      ['StatefulSet chat/synapse', 'psycopg', client({ engine: 'postgres', database: 'synapse-db', env: env({ POSTGRES_HOST: 'synapse-db', POSTGRES_USER: 'synapse' }), log: ['psycopg2.OperationalError: connection to server at "synapse-db" (10.43.9.2), port 5432 failed: FATAL:  password authentication failed for user "synapse"'], serverLog: failedLine('synapse') })],
      ['Deployment n8n/n8n-worker', 'role that does not exist (node-postgres)', client({ engine: 'postgres', database: 'n8n-postgres', env: env({ DB_POSTGRESDB_HOST: 'n8n-postgres', DB_POSTGRESDB_USER: 'n8n_app' }), log: ['There was an error initializing DB', 'role "n8n_app" does not exist', "error: role \"n8n_app\" does not exist  code: '28000'"] })],
      ['CronJob database/pg-dump', 'pg_dump', client({ engine: 'postgres', database: 'postgres-ha', env: env({ PGHOST: 'postgres-ha', PGUSER: 'backup' }), log: ['pg_dump: error: connection to server at "postgres-ha" (10.43.9.3), port 5432 failed: FATAL:  password authentication failed for user "backup"'], spec: { port: 0 } })],
      ['Deployment erp/reporting', 'pg_hba (Java)', client({ engine: 'postgres', database: 'erp-postgres', env: env({ JDBC_URL: 'jdbc:postgresql://erp-postgres:5432/erp', JDBC_USER: 'report' }), log: ['org.postgresql.util.PSQLException: FATAL: password authentication failed for user "report"', '\tat org.postgresql.core.v3.ConnectionFactoryImpl.doAuthentication(ConnectionFactoryImpl.java:711)'], serverLog: failedLine('report') })],
    ],
  },
  {
    class: 'running',
    cause: 'postgres_invalid_port',
    sources: [sources.postgres, sources.drivers],
    variants: [
      ['Deployment shop/ratings', 'pgx', client({ engine: 'postgres', database: 'postgres', env: env({ PGHOST: 'postgres', PGPORT: '5433' }), log: ['unable to connect: failed to connect to `user=ratings database=shop`: 10.43.7.7:5433 (postgres): dial error: dial tcp 10.43.7.7:5433: connect: connection refused'] })],
      ['StatefulSet media/immich', 'node-postgres', client({ engine: 'postgres', database: 'immich-db', env: env({ DB_HOSTNAME: 'immich-db', DB_PORT: '5342' }), log: ['Error: connect ECONNREFUSED 10.43.8.1:5342', "  errno: -111, code: 'ECONNREFUSED', syscall: 'connect', address: '10.43.8.1', port: 5342"] })],
      ['Deployment hr/leave', 'in a URL (SQLAlchemy)', client({ engine: 'postgres', database: 'hr-postgres', env: env({ DATABASE_URL: 'postgresql://leave@hr-postgres:3306/hr' }), log: ['sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "hr-postgres" (10.43.4.4), port 3306 failed: Connection refused', '\tIs the server running on that host and accepting TCP/IP connections?'] })],
      ['Job batch/import', 'Job, times out', client({ engine: 'postgres', database: 'warehouse', env: env({ PGHOST: 'warehouse', PGPORT: '6432' }), log: ['psql: error: connection to server at "warehouse" (10.43.4.9), port 6432 failed: Connection timed out'], spec: { port: 0 } })],
      ['Deployment erp/invoices', 'Java', client({ engine: 'postgres', database: 'invoices-db', env: env({ JDBC_URL: 'jdbc:postgresql://invoices-db:15432/invoices' }), log: ['org.postgresql.util.PSQLException: Connection to invoices-db:15432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.'] })],
    ],
  },
  {
    class: 'running',
    cause: 'db_connection_exhaustion',
    sources: [sources.postgres, sources.mysql, sources.drivers],
    variants: [
      ['StatefulSet shop/postgres', 'three clients, one of them ends', server({ engine: 'postgres', serverLog: fullPostgres, spec: { container: { args: ['-c', 'max_connections=20'] } }, clients: [{ name: 'orders', log: ['pq: sorry, too many clients already'], crashes: true }, { name: 'catalog', log: ['ERROR query failed: FATAL: sorry, too many clients already (SQLSTATE 53300)'] }, { name: 'search', log: ['INFO index refreshed'] }] })],
      ['StatefulSet crm/mysql', 'MySQL', server({ engine: 'mysql', serverLog: ['2026-06-02T09:41:11.201993Z 0 [Warning] [MY-010055] [Server] IP address could not be resolved'], spec: { container: { args: ['--max-connections=10'] } }, clients: [{ name: 'contacts', log: ['Error 1040 (08004): Too many connections'], crashes: true }, { name: 'campaigns', log: ['SQLSTATE[08004] [1040] Too many connections'] }] })],
      ['StatefulSet erp/erp-db', 'reserved slots (PostgreSQL 16 and newer)', server({ engine: 'postgres', serverLog: ['2026-06-02 09:41:11.201 UTC [4120] FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute'], config: { 'postgresql.conf': 'max_connections = 25\nshared_buffers = 256MB\n' }, clients: [{ name: 'ledger', log: ['org.postgresql.util.PSQLException: FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute', 'HikariPool-1 - Connection is not available, request timed out after 30001ms.'], crashes: true }] })],
      ['Deployment forge/db', 'a Deployment', server({ engine: 'postgres', serverLog: fullPostgres, spec: { replicas: 1 }, clients: [{ name: 'gitea', log: ['pq: sorry, too many clients already'] }, { name: 'runner', log: ['pq: sorry, too many clients already'], crashes: true }] })],
      ['StatefulSet hr/maria', 'MySQL, the clients stay up', server({ engine: 'mysql', serverLog: [], config: { 'my.cnf': '[mysqld]\nmax_connections=15\n' }, clients: [{ name: 'portal', log: ['pymysql.err.OperationalError: (1040, \'Too many connections\')'], crashes: true }, { name: 'absences', log: ["ERROR 1040 (HY000): Too many connections"] }] })],
    ],
  },
  {
    class: 'running',
    cause: 'db_read_only',
    sources: [sources.postgres, sources.mysql, sources.drivers],
    variants: [
      ['StatefulSet shop/mysql', '--read-only', server({ engine: 'mysql', serverLog: [], spec: { container: { args: ['--read-only=ON'] } }, clients: [{ name: 'orders', log: ['Error 1290 (HY000): The MySQL server is running with the --read-only option so it cannot execute this statement'], crashes: true }] })],
      ['StatefulSet data/postgres-main', 'default_transaction_read_only', server({ engine: 'postgres', serverLog: ['2026-06-02 09:41:11.201 UTC [991] ERROR:  cannot execute INSERT in a read-only transaction', '2026-06-02 09:41:11.201 UTC [991] STATEMENT:  INSERT INTO jobs (id) VALUES ($1)'], spec: { container: { args: ['-c', 'default_transaction_read_only=on'] } }, clients: [{ name: 'jobs', log: ['ERROR: cannot execute INSERT in a read-only transaction (SQLSTATE 25006)'], crashes: true }, { name: 'viewer', log: ['INFO 42 rows'] }] })],
      ['StatefulSet crm/maria', 'super_read_only in a config map', server({ engine: 'mysql', serverLog: [], config: { 'my.cnf': '[mysqld]\nsuper_read_only=1\n' }, clients: [{ name: 'leads', log: ['SQLSTATE[HY000]: General error: 1290 The MySQL server is running with the --super-read-only option so it cannot execute this statement'] }, { name: 'mailer', log: ['(1290, "The MySQL server is running with the --super-read-only option so it cannot execute this statement")'], crashes: true }] })],
      ['StatefulSet erp/pg', 'in recovery', server({ engine: 'postgres', serverLog: ['2026-06-02 09:00:00.181 UTC [1] LOG:  database system is ready to accept read-only connections', '2026-06-02 09:41:11.201 UTC [991] ERROR:  cannot execute UPDATE in a read-only transaction'], clients: [{ name: 'bookings', log: ['org.postgresql.util.PSQLException: ERROR: cannot execute UPDATE in a read-only transaction'], crashes: true }] })],
      ['Deployment hr/pg-small', 'a Deployment', server({ engine: 'postgres', serverLog: ['2026-06-02 09:41:11.201 UTC [991] ERROR:  cannot execute CREATE TABLE in a read-only transaction'], config: { 'postgresql.conf': "default_transaction_read_only = 'on'\n" }, spec: { replicas: 1 }, clients: [{ name: 'payslips', log: ['django.db.utils.InternalError: cannot execute CREATE TABLE in a read-only transaction'], crashes: true }] })],
    ],
  },
];
