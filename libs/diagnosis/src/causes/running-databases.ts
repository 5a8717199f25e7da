import { listOf, printable, textOf, valueIn, type ObjectRef } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import type { Workload } from '../facts/model';
import type { Candidate, FieldChange } from '../finding';
import type { Call, Scene } from '../graph/edges';
import { saidNow, type SaidLine } from './log-lines';
import { networkFailureIn } from './network-failure';
import type { Complaint } from './running-dependencies';
import { dotted, seen, seenLine } from './evidence';

type Engine = 'mysql' | 'postgres';

const images: Record<Engine, RegExp> = {
  mysql: /(?:^|\/)(?:mysql|mariadb|percona)(?:-(?:server|galera))?(?:[:@]|$)/,
  postgres: /(?:^|\/)(?:postgres|postgresql|postgresql-repmgr|postgis|timescaledb|pgvector|spilo[^:@]*|cloudnative-pg\/postgresql)(?:[:@-]|$)/,
};
const ports: Record<Engine, number> = { mysql: 3306, postgres: 5432 };
const schemes: Record<Engine, RegExp> = { mysql: /^(?:mysql|mariadb)/, postgres: /^postgres/ };

/** MySQL 8 error reference: 1045 ER_ACCESS_DENIED_ERROR, 1040 ER_CON_COUNT_ERROR, 1203, 1290 ER_OPTION_PREVENTS_STATEMENT, 1836. */
const mysqlDenied = /Access denied for user '([^']*)'|ER_ACCESS_DENIED_ERROR|\b1045\b.*denied|is not allowed to connect to this M(?:ySQL|ariaDB) server/i;
/** PostgreSQL error codes: 28P01, 28000, 53300, 25006. */
const postgresDenied = /password authentication failed for user "?([^"\s]*)"?|\b28P01\b|role "([^"]+)" does not exist|fe_sendauth: no password supplied|SASL authentication failed|no pg_hba\.conf entry for host|client password must be a string/i;
const exhausted = /Too many connections|ER_CON_COUNT_ERROR|sorry, too many clients already|remaining connection slots are reserved|max_user_connections|\b53300\b|too many connections for (?:role|database)/i;
const readOnly = /running with the --(?:super-)?read-only option|ER_OPTION_PREVENTS_STATEMENT|cannot execute \w+(?: \w+)* in a read-only transaction|\b25006\b|database is in read[- ]only mode|ERROR 1836|Running in read-only mode|read_only_sql_transaction/i;

/** What databases and their clients say: the client is at fault for its credentials and its port, the database for its limits. */
export function databaseCauses(scene: Scene, complaints: Complaint[]): Candidate[] {
  const found = scene.facts.workloads.flatMap((workload) => {
    if (workload.pods.length === 0) return [];
    return [credentialsCause(scene, workload), limitCause(scene, workload, 'db_connection_exhaustion', exhausted), limitCause(scene, workload, 'db_read_only', readOnly), portCause(scene, workload)].flatMap((c) => c ?? []);
  });
  return [...found, ...complaints.flatMap((complaint) => heardPort(complaint) ?? [])];
}

/** The address may stand in a Secret: then only the log tells of the port. */
function heardPort({ workload, service, failure, said }: Complaint): Candidate | undefined {
  const engine = service?.workloads.map(engineOf).find((e) => e !== undefined);
  if (!service || !engine || failure.kind === 'dns' || failure.port === undefined || service.ports.length === 0) return undefined;
  const known = service.ports.some((p) => p.port === failure.port || p.targetPort === failure.port);
  if (known) return undefined;
  return {
    cause: `${engine}_invalid_port`,
    object: workload.ref,
    confidence: 0.92,
    title: `${workload.name} calls the database ${service.name} at port ${failure.port}, which it does not have`,
    evidence: [seenLine(said.pod, said.log, said.line), seen(service.ref, '.spec.ports', service.ports.map((p) => p.port).join(', '))],
    explains: explainsOf(workload),
    remedy: { none: `call port ${service.ports[0]?.port ?? ports[engine]} instead: where the address stands cannot be seen, perhaps in a Secret` },
  };
}

/** The database engine that a workload runs. */
export function engineOf(workload: Workload): Engine | undefined {
  const all = listOf(workload.podSpec['containers']).map((c) => textOf(valueIn(c, 'image')) ?? '');
  return (Object.keys(images) as Engine[]).find((engine) => all.some((image) => images[engine].test(image) && !/exporter|backup|client|admin|operator/.test(image)));
}

/** The engine that a call speaks to: by what runs there, else by scheme, port or name. */
function engineOfCall({ service, address, target }: Call): Engine | undefined {
  const behind = service?.workloads.map(engineOf).find((e) => e !== undefined);
  if (behind) return behind;
  const engines = Object.keys(images) as Engine[];
  return (
    engines.find((e) => address.scheme !== undefined && schemes[e].test(address.scheme)) ??
    engines.find((e) => service?.ports.some((p) => p.port === ports[e])) ??
    engines.find((e) => address.port === ports[e]) ??
    (/mysql|mariadb/.test(target.name) ? 'mysql' : /postgres|pgsql|(?:^|-)pg(?:-|$)/.test(target.name) ? 'postgres' : undefined)
  );
}

const explainsOf = (workload: Workload): string[] => (workload.unwell.length > 0 ? workload.unwell.map(({ pod }) => pod.key) : [workload.key]);

function credentialsCause(scene: Scene, workload: Workload): Candidate | undefined {
  // The database logs the refusals of its clients: they are not its own.
  if (engineOf(workload) !== undefined && workload.unwell.length === 0) return undefined;
  const said = saidNow(scene, workload, [mysqlDenied, postgresDenied], (_, line) => !/pgadmin.*login/i.test(line));
  if (!said || engineOf(workload) !== undefined) return undefined;
  const engine: Engine = mysqlDenied.test(said.line) ? 'mysql' : 'postgres';
  const user = said.match[1] || said.match[2];
  const where = credentialPointers(workload);
  return {
    cause: `${engine}_invalid_credentials`,
    object: workload.ref,
    confidence: 0.94,
    title: `${engine === 'mysql' ? 'MySQL' : 'PostgreSQL'} refuses ${user ? `user ${printable(user, 60)}` : 'the user'} of ${workload.name}`,
    evidence: [seenLine(said.pod, said.log, said.line), ...where.map(({ at, text }) => seen(workload.ref, at, text))],
    alternatives: [{ cause: 'dependency_unavailable', why: 'the database answered' }],
    explains: explainsOf(workload),
    remedy: { none: `user and password are secrets that only you have: ${where[0] ? `correct ${where[0].at}` : 'correct them'} or what the database accepts` },
  };
}

function credentialPointers(workload: Workload): { at: string; text: string }[] {
  return listOf(workload.podSpec['containers']).flatMap((container, c) =>
    listOf(valueIn(container, 'env')).flatMap((entry, e) => {
      const name = textOf(valueIn(entry, 'name')) ?? '';
      if (!/(?:USER(?:NAME)?|PASS(?:WORD|WD)?|PWD|DSN|DATABASE_URL|DB_URL|DATASOURCE_URL)$/i.test(name)) return [];
      const from = valueIn(entry, 'valueFrom', 'secretKeyRef') ?? valueIn(entry, 'valueFrom', 'configMapKeyRef');
      return [{ at: dotted(`${workload.podSpecAt}/containers/${c}/env/${e}`), text: from ? `${name} from ${JSON.stringify(from)}` : /USER/i.test(name) ? `${name}=${textOf(valueIn(entry, 'value')) ?? ''}` : `${name} is set here` }];
    }),
  ).slice(0, 3);
}

function limitCause(scene: Scene, workload: Workload, cause: CauseCode, pattern: RegExp): Candidate | undefined {
  const said = saidNow(scene, workload, [pattern]);
  if (!said) return undefined;
  const own = engineOf(workload);
  const database = own ? { ref: workload.ref, key: workload.key } : databaseOf(scene, workload, said);
  const limit = cause === 'db_connection_exhaustion';
  const field = database && settingOf(scene, database.key, limit ? /max[_-]?connections=?(\d+)?/i : /read[_-]only|default_transaction_read_only/i);
  return {
    cause,
    object: database?.ref ?? workload.ref,
    confidence: database ? 0.94 : 0.75,
    title: limit ? `the database ${database?.ref.name ?? ''} takes no more connections` : `the database ${database?.ref.name ?? ''} only lets read`,
    evidence: [seenLine(said.pod, said.log, said.line), ...(field ? [seen(database.ref, field.at, field.text)] : [])],
    alternatives: [{ cause: 'application_error', why: 'the line is the database\'s own answer; the caller only repeats it' }],
    explains: explainsOf(workload),
    remedy: { none: limit ? 'raise max_connections of the database (memory allowing), or bound the pools of its clients' : 'find out why it was made read-only (a replica, a full disk, a failover) before it is made writable' },
  };
}

/** The database that a caller's line is about. */
function databaseOf(scene: Scene, workload: Workload, said: SaidLine): { ref: ObjectRef; key: string } | undefined {
  const calls = (scene.callsOf.get(workload.key) ?? []).filter((c) => engineOfCall(c) !== undefined);
  const wanted: Engine = /mysql|Too many connections|read-only option|ER_|1290|1040/i.test(said.line) ? 'mysql' : 'postgres';
  const call = calls.find((c) => engineOfCall(c) === wanted) ?? calls[0];
  const behind = call?.service?.workloads[0];
  if (behind) return { ref: behind.ref, key: behind.key };
  if (call?.service) return { ref: call.service.ref, key: call.service.key };
  const all = scene.facts.workloads.filter((w) => engineOf(w) === wanted && w.namespace === workload.namespace);
  return all.length === 1 && all[0] ? { ref: all[0].ref, key: all[0].key } : undefined;
}

/** Where a database's own configuration sets something: arguments, variables, mounted ConfigMaps. */
function settingOf(scene: Scene, key: string, pattern: RegExp): { at: string; text: string } | undefined {
  const workload = scene.facts.workloadAt.get(key);
  for (const [c, container] of listOf(workload?.podSpec['containers']).entries()) {
    for (const field of ['args', 'command'] as const) {
      const index = listOf(valueIn(container, field)).findIndex((a) => typeof a === 'string' && pattern.test(a));
      if (index >= 0) return { at: dotted(`${workload?.podSpecAt ?? ''}/containers/${c}/${field}/${index}`), text: String(listOf(valueIn(container, field))[index]) };
    }
    const env = listOf(valueIn(container, 'env')).findIndex((e) => pattern.test(textOf(valueIn(e, 'name')) ?? ''));
    if (env >= 0) return { at: dotted(`${workload?.podSpecAt ?? ''}/containers/${c}/env/${env}`), text: JSON.stringify(listOf(valueIn(container, 'env'))[env]) };
  }
  return undefined;
}

/** The port of a database's address that its Service does not have. */
function portCause(scene: Scene, workload: Workload): Candidate | undefined {
  for (const call of scene.callsOf.get(workload.key) ?? []) {
    const { service, address } = call;
    const engine = engineOfCall(call);
    if (!engine || !service || address.port === undefined || service.ports.length === 0 || service.ports.some((p) => p.port === address.port)) continue;
    const right = service.ports.find((p) => p.port === ports[engine])?.port ?? service.ports[0]?.port ?? ports[engine];
    const said = saidNow(scene, workload, [/refused|timed? ?out|can't connect|could not connect|unreachable|Communications link failure|ECONN|failed to connect|connection/i], (_, line) => {
      const failure = networkFailureIn(line);
      return failure !== undefined && failure.kind !== 'dns' && (failure.port === undefined || failure.port === address.port);
    });
    const unwell = workload.unwell.length > 0;
    const at = address.portAt ?? address.at;
    return {
      cause: `${engine}_invalid_port`,
      object: workload.ref,
      confidence: said ? 0.96 : unwell ? 0.86 : 0.72,
      title: `${workload.name} calls the database ${service.name} at port ${address.port}, which it does not have`,
      evidence: [seen(workload.ref, at ? dotted(at) : address.from, `${address.from}=${address.text}`), seen(service.ref, '.spec.ports', service.ports.map((p) => p.port).join(', ')), ...(said ? [seenLine(said.pod, said.log, said.line)] : [])],
      alternatives: [{ cause: 'dependency_unavailable', why: `Service ${service.name} has ${service.readyPods.length} ready backends` }],
      explains: explainsOf(workload),
      remedy: portChange(call, address.port, right),
    };
  }
  return undefined;
}

function portChange({ address, workload }: Call, wrong: number, right: number): FieldChange | { none: string } {
  const summary = `Call port ${right} instead of ${wrong}`;
  if (address.portAt) return { summary, patch: [{ op: 'replace', path: address.portAt, value: String(right) }] };
  if (address.at) return { summary, patch: [{ op: 'replace', path: address.at, value: address.text.replace(`:${wrong}`, `:${right}`) }] };
  return { none: `${address.configMap ? `ConfigMap ${workload.namespace}/${address.configMap.name}, key ${address.configMap.key}` : address.from}: ${summary}` };
}
