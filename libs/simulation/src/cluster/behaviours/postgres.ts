import { ended, fileIn, mountOf, writeProblem, type ContainerFacts, type ImageBehaviour, type Script } from './behaviour';

/*
 * Read from docker-library/postgres `docker-entrypoint.sh` (docker_verify_minimum_env, docker_init_database_dir) and
 * bitnami/containers `bitnami/postgresql/.../libpostgresql.sh`. pgvector's image is the official one with an extension.
 */

const baselineBytes = 48 * 2 ** 20;

export const postgres: ImageBehaviour = {
  repositories: ['postgres', 'pgvector/pgvector', 'postgis/postgis', 'timescale/timescaledb'],
  uid: 0,
  run(facts) {
    const command = facts.command[0] ?? facts.args[0] ?? 'postgres';
    if (!command.startsWith('-') && !/(^|\/)(postgres|docker-entrypoint\.sh)$/.test(command)) return { unknown: `what ${command} does in ${facts.repository} is not known` };
    const data = facts.env.PGDATA ?? '/var/lib/postgresql/data';
    const initialised = fileIn(facts, `${data}/PG_VERSION`) !== undefined;
    const password = facts.env.POSTGRES_PASSWORD || (facts.env.POSTGRES_PASSWORD_FILE && fileIn(facts, facts.env.POSTGRES_PASSWORD_FILE));
    const problem = writeProblem(facts, data, 999);
    if (problem) return ended(1, [`chown: changing ownership of '${data}': ${problem}`], 150);
    if (!initialised && !password && facts.env.POSTGRES_HOST_AUTH_METHOD !== 'trust') return ended(1, withoutPassword, 150);
    return serve(facts, data, initialised);
  },
};

export const bitnamiPostgres: ImageBehaviour = {
  repositories: ['bitnami/postgresql', 'bitnamilegacy/postgresql'],
  uid: 1001,
  run(facts) {
    if (facts.command.length) return { unknown: `what ${facts.command.join(' ')} does in ${facts.repository} is not known` };
    const data = facts.env.PGDATA ?? facts.env.POSTGRESQL_DATA_DIR ?? '/bitnami/postgresql/data';
    const initialised = fileIn(facts, `${data}/PG_VERSION`) !== undefined;
    const file = facts.env.POSTGRES_PASSWORD_FILE ?? facts.env.POSTGRESQL_PASSWORD_FILE;
    const password = facts.env.POSTGRES_PASSWORD || facts.env.POSTGRESQL_PASSWORD || facts.env.POSTGRES_POSTGRES_PASSWORD || (file && fileIn(facts, file));
    if (!initialised && !password && facts.env.ALLOW_EMPTY_PASSWORD !== 'yes') {
      return ended(1, [
        'postgresql INFO  ==> ** Starting PostgreSQL setup **',
        'postgresql INFO  ==> Validating settings in POSTGRESQL_* env vars..',
        'postgresql ERROR ==> The POSTGRESQL_PASSWORD environment variable is empty or not set. Set the environment variable ALLOW_EMPTY_PASSWORD=yes to allow the container to be started with blank passwords. This is recommended only for development.',
      ]);
    }
    return serve(facts, data, initialised);
  },
};

const withoutPassword = [
  'Error: Database is uninitialized and superuser password is not specified.',
  '       You must specify POSTGRES_PASSWORD to a non-empty value for the',
  '       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".',
  '',
  '       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all',
  '       connections without a password. This is *not* recommended.',
  '',
  '       See PostgreSQL documentation about "trust":',
  '       https://www.postgresql.org/docs/current/auth-trust.html',
];

function serve(facts: ContainerFacts, data: string, initialised: boolean): Script {
  const mount = mountOf(facts, data);
  if (mount && facts.uid !== 0 && !mount.writableBy(facts.uid, facts.gids)) {
    return ended(1, [`mkdir: cannot create directory '${data}': Permission denied`]);
  }
  const port = Number(facts.env.PGPORT ?? facts.env.POSTGRESQL_PORT_NUMBER ?? 5432);
  const version = /^(?:pg)?(\d+(?:\.\d+)?)/.exec(facts.tag)?.[1] ?? '17.4';
  const ready = initialised ? 300 : 700;
  const stamp = `${facts.startedAt.toISOString().slice(0, 23).replace('T', ' ')} UTC [1] LOG: `;
  const lines = [
    ...(initialised ? ['PostgreSQL Database directory appears to contain a database; Skipping initialization'] : ['The files belonging to this database system will be owned by user "postgres".', 'PostgreSQL init process complete; ready for start up.']),
    `${stamp} starting PostgreSQL ${version} on x86_64-pc-linux-gnu, 64-bit`,
    `${stamp} listening on IPv4 address "0.0.0.0", port ${port}`,
    `${stamp} database system is ready to accept connections`,
  ];
  const script: Script = {
    lines: lines.map((line, i) => ({ afterMs: ready - 100 + i, line })),
    ports: [{ port, afterMs: ready, says: '' }],
    onTerm: { afterMs: 150, code: 0 },
    writes: [{ path: `${data}/PG_VERSION`, content: `${version.split('.')[0]}\n` }],
  };
  if (facts.memoryLimitBytes !== undefined && facts.memoryLimitBytes < baselineBytes) return { ...script, ports: [], exit: { afterMs: ready, code: 137, reason: 'OOMKilled' } };
  return script;
}
