import { ended, fileIn, mountOf, type ContainerFacts, type ImageBehaviour, type Script } from './behaviour';
import { pythonJsonError } from './python-json';

/*
 * What dpage/pgadmin4 does is read from its own sources, not from Larry's rules:
 * - pgadmin-org/pgadmin4 `pkg/docker/entrypoint.sh` (the order of the checks and their texts),
 * - `web/pgadmin/setup/data_directory.py` (the data directory), `web/pgadmin/utils/validation_utils.py`,
 * - JoshData/python-email-validator `email_validator/__init__.py` (SPECIAL_USE_DOMAIN_NAMES) and its syntax rules,
 * - gunicorn's arbiter: a worker that leaves with `sys.exit(1)` is started again and again, the master lives on.
 * - its `Dockerfile` (`setcap CAP_NET_BIND_SERVICE=+eip` on python: where that capability was dropped, the kernel executes no
 *   such program), `web/setup.py` and `web/pgadmin/utils/__init__.py` (load_servers, load_database_servers), gunicorn `sock.py` for a
 *   port it may not have,
 * - `web/pgadmin/utils/check_external_config_db.py` and psycopg 3 for the database of its settings (Alpine's resolver, 130 s unless the
 *   URI says `connect_timeout`): the entrypoint's look fails and is passed over, then gunicorn's worker fails to boot, which is exit code 3.
 * Ports below 1024 need no capability where containerd 2 sets `net.ipv4.ip_unprivileged_port_start=0`, as k3s' does.
 */

const dataDirectory = '/var/lib/pgadmin';
const specialUse = ['arpa', 'invalid', 'local', 'localhost', 'onion', 'test'];
const baselineBytes = 150 * 2 ** 20;

export const pgadmin: ImageBehaviour = {
  repositories: ['dpage/pgadmin4'],
  uid: 5050,
  run(facts) {
    if (facts.command.length > 0 && facts.command[0] !== '/entrypoint.sh') return { unknown: `command ${facts.command.join(' ')} replaces the entrypoint of ${facts.repository}` };
    if (!facts.executesNetBind) return ended(126, ['/entrypoint.sh: line 148: /venv/bin/python3: Operation not permitted', '/entrypoint.sh: line 213: /venv/bin/gunicorn: Operation not permitted'], 250);
    const refused = firstLaunch(facts) ?? configDatabase(facts) ?? privilegedPort(facts);
    if (refused) return refused;
    if (facts.memoryLimitBytes !== undefined && facts.memoryLimitBytes < baselineBytes) {
      return { ...serving(facts), lines: gunicornLines(facts), ports: [], exit: { afterMs: 1500, code: 137, reason: 'OOMKilled' } };
    }
    return canWrite(facts) ? serving(facts) : withoutDataDirectory(facts);
  },
};

/** The checks that the entrypoint makes while there is no configuration database yet. */
function firstLaunch(facts: ContainerFacts): Script | undefined {
  const { env } = facts;
  const passwordFile = env.PGADMIN_DEFAULT_PASSWORD_FILE;
  if (env.PGADMIN_DEFAULT_PASSWORD && passwordFile) return ended(1, ['error: both PGADMIN_DEFAULT_PASSWORD and PGADMIN_DEFAULT_PASSWORD_FILE are set (but are exclusive)']);
  const fromFile = passwordFile ? fileIn(facts, passwordFile) : undefined;
  const complaint = passwordFile && fromFile === undefined ? [`/entrypoint.sh: line 26: ${passwordFile}: No such file or directory`] : [];
  if (env.PGADMIN_CONFIG_CONFIG_DATABASE_URI || mountOf(facts, dataDirectory)?.files.has(`${dataDirectory}/pgadmin4.db`)) return undefined;
  const email = env.PGADMIN_DEFAULT_EMAIL;
  if (!email || !(env.PGADMIN_DEFAULT_PASSWORD || fromFile)) {
    return ended(1, [...complaint, 'You need to define the PGADMIN_DEFAULT_EMAIL and PGADMIN_DEFAULT_PASSWORD or PGADMIN_DEFAULT_PASSWORD_FILE environment variables.']);
  }
  const allowed = env.PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS ?? '[]';
  if (isEmail(email, pythonStrings(allowed))) return undefined;
  return ended(
    1,
    [configLine(facts), `'${email}' does not appear to be a valid email address. Please reset the PGADMIN_DEFAULT_EMAIL environment variable and try again.`],
    600,
  );
}

/** Its settings may be kept in another database (`CONFIG_DATABASE_URI`), which must answer at the start. */
function configDatabase(facts: ContainerFacts): Script | undefined {
  const uri = (facts.env.PGADMIN_CONFIG_CONFIG_DATABASE_URI ?? '').replace(/^(['"])(.*)\1$/, '$2');
  const [, host = '', port = '5432'] = /^[a-z0-9+]+:\/\/(?:[^/@\s]*@)?([^:/?\s]+)(?::(\d+))?/i.exec(uri) ?? [];
  const found = host ? facts.dial(host, Number(port)) : 'open';
  if (found === 'open') return undefined;
  const why = {
    'unknown host': '(psycopg.OperationalError) [Errno -2] Name does not resolve',
    refused: `(psycopg.OperationalError) connection failed: connection to server at "${host}", port ${port} failed: Connection refused`,
    'timed out': '(psycopg.errors.ConnectionTimeout) connection timeout expired',
  }[found];
  const waitMs = found === 'timed out' ? Number(/[?&]connect_timeout=(\d+)/.exec(uri)?.[1] ?? 130) * 1000 : 0;
  const looked = 400 + waitMs;
  const failed = looked + 1200 + waitMs;
  const worker = (level: string, text: string) => `${gunicornStamp(facts)} [119] [${level}] ${text}`;
  const master = (text: string) => `${gunicornStamp(facts)} [1] [ERROR] ${text}`;
  return {
    lines: [
      ...['Traceback (most recent call last):', "UnboundLocalError: cannot access local variable 'connection' where it is not associated with a value"].map((line) => ({ afterMs: looked, line })),
      ...gunicornLines(facts).map(({ afterMs, line }) => ({ afterMs: looked + afterMs, line })),
      ...[worker('ERROR', 'Exception in worker process'), 'Traceback (most recent call last):', `sqlalchemy.exc.OperationalError: ${why}`, '(Background on this error at: https://sqlalche.me/e/20/e3q8)', worker('INFO', 'Worker exiting (pid: 119)'), master('Worker (pid:119) exited with code 3.'), master('Shutting down: Master'), master('Reason: Worker failed to boot.')].map((line) => ({ afterMs: failed, line })),
    ],
    ports: [{ port: portOf(facts), afterMs: looked + 820 }],
    exit: { afterMs: failed + 100, code: 3 },
    onTerm: { afterMs: 100, code: 0 },
  };
}

function privilegedPort(facts: ContainerFacts): Script | undefined {
  const port = portOf(facts);
  if (port >= 1024 || facts.uid === 0 || facts.bindsPrivilegedPorts) return undefined;
  const stamped = (line: string) => `${gunicornStamp(facts)} [1] ${line}`;
  return ended(1, [stamped('[INFO] Starting gunicorn 23.0.0'), ...Array<string>(5).fill(stamped('[ERROR] Retrying in 1 second.')), stamped(`[ERROR] Can't connect to ('::', ${port})`)], 5_500);
}

/** The servers to import at the first launch, or at each when it is told to: what is wrong with them is said, and PgAdmin runs without them. */
function importedServers(facts: ContainerFacts): string[] {
  const path = facts.env.PGADMIN_SERVER_JSON_FILE ?? '/pgadmin4/servers.json';
  const text = fileIn(facts, path);
  if (text === undefined) return [];
  return ['----------', 'Loading servers with:', `User: ${facts.env.PGADMIN_DEFAULT_EMAIL ?? ''}`, `SQLite pgAdmin config: ${dataDirectory}/pgadmin4.db`, '----------', ...answerOfImport(path, text)];
}

function answerOfImport(path: string, text: string): string[] {
  try {
    const { Servers } = JSON.parse(text) as { Servers?: Record<string, Record<string, unknown>> };
    if (!Servers) return ['Traceback (most recent call last):', "KeyError: 'Servers'"];
    const servers = Object.values(Servers);
    const lacking = Object.entries(Servers).flatMap(([id, server]) => ['Name', 'Group', ...(server.Service === undefined ? ['Port', 'Username', 'MaintenanceDB'] : [])].filter((field) => server[field] === undefined).map((field) => `'${field}' attribute not found for server '${id}'`));
    return lacking.length > 0 ? lacking.slice(0, 1) : [`Added ${new Set(servers.map(({ Group }) => Group)).size} Server Group(s) and ${servers.length} Server(s).`];
  } catch (error) {
    return [`Error parsing input file ${path}: ${pythonJsonError(text, (error as Error).message)}`];
  }
}

function configLine({ env }: ContainerFacts): string {
  const check = env.PGADMIN_CONFIG_CHECK_EMAIL_DELIVERABILITY ?? 'False';
  return `email config is {'CHECK_EMAIL_DELIVERABILITY': ${check}, 'ALLOW_SPECIAL_EMAIL_DOMAINS': ${env.PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS ?? '[]'}}`;
}

/** email-validator's syntax rules and reserved domains; whether mail can be delivered is not looked up. */
export function isEmail(email: string, allowedDomains: readonly string[] = []): boolean {
  const at = email.lastIndexOf('@');
  const local = email.slice(0, at);
  const domain = email.slice(at + 1).toLowerCase();
  if (at < 1 || local.length > 64 || domain.length > 253) return false;
  if (!/^[\p{L}\p{N}!#$%&'*+\-/=?^_`{|}~]+(\.[\p{L}\p{N}!#$%&'*+\-/=?^_`{|}~]+)*$/u.test(local)) return false;
  const labels = domain.split('.');
  if (!labels.every((label) => /^[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u.test(label))) return false;
  if (labels.length < 2 || !/[\p{L}]$/u.test(domain)) return false;
  const reserved = specialUse.filter((name) => !allowedDomains.includes(name));
  return !reserved.some((name) => domain === name || domain.endsWith(`.${name}`));
}

function pythonStrings(list: string): string[] {
  return [...list.matchAll(/['"]([^'"]*)['"]/g)].map((match) => match[1] ?? '');
}

function canWrite(facts: ContainerFacts): boolean {
  const mount = mountOf(facts, dataDirectory);
  // Without a volume the directory is the image's own, which belongs to 5050:0 and is open to its group.
  if (!mount) return facts.uid === 0 || facts.uid === 5050 || facts.gids.includes(0);
  return !mount.readOnly && mount.writableBy(facts.uid, facts.gids);
}

function portOf({ env }: ContainerFacts): number {
  return Number(env.PGADMIN_LISTEN_PORT ?? (env.PGADMIN_ENABLE_TLS ? 443 : 80));
}

const gunicornStamp = ({ startedAt }: ContainerFacts) => `[${startedAt.toISOString().slice(0, 19).replace('T', ' ')} +0000]`;

function gunicornLines(facts: ContainerFacts): { afterMs: number; line: string }[] {
  const stamp = gunicornStamp(facts);
  const scheme = facts.env.PGADMIN_ENABLE_TLS ? 'https' : 'http';
  const lines = [
    `${stamp} [1] [INFO] Starting gunicorn 23.0.0`,
    `${stamp} [1] [INFO] Listening at: ${scheme}://[::]:${portOf(facts)} (1)`,
    `${stamp} [1] [INFO] Using worker: gthread`,
    `${stamp} [119] [INFO] Booting worker with pid: 119`,
  ];
  return lines.map((line, i) => ({ afterMs: 800 + i * 20, line }));
}

function serving(facts: ContainerFacts): Script {
  const fresh = !mountOf(facts, dataDirectory)?.files.has(`${dataDirectory}/pgadmin4.db`);
  const imported = fresh || facts.env.PGADMIN_REPLACE_SERVERS_ON_STARTUP === 'True' ? importedServers(facts) : [];
  return {
    lines: [...(fresh ? [{ afterMs: 300, line: configLine(facts) }, { afterMs: 700, line: 'NOTE: Configuring authentication for SERVER mode.' }] : []), ...imported.map((line) => ({ afterMs: 750, line })), ...gunicornLines(facts)],
    ports: [{ port: portOf(facts), afterMs: 900, http: (path) => (/^\/(misc\/ping|login|static\/.*)$/.test(path) ? 200 : /^\/(browser\/?)?$/.test(path) ? 302 : 404), ...(facts.env.PGADMIN_ENABLE_TLS ? { tls: true } : {}) }],
    onTerm: { afterMs: 100, code: 0 },
    writes: [{ path: `${dataDirectory}/pgadmin4.db`, content: 'SQLite format 3' }],
  };
}

/** Set-up fails, gunicorn's master holds the port, and no worker lives long enough to answer. */
function withoutDataDirectory(facts: ContainerFacts): Script {
  const tag = /^\d+(\.\d+)?/.exec(facts.tag)?.[0] ?? 'latest';
  const complaint = [
    'WARNING: Failed to set ACL on the directory containing the configuration database:',
    `           [Errno 1] Operation not permitted: '${dataDirectory}'`,
    'HINT   : You may need to manually set the permissions on',
    `         ${dataDirectory} to allow pgadmin to write to it.`,
    `ERROR  : Failed to create the directory ${dataDirectory}/sessions:`,
    `           [Errno 13] Permission denied: '${dataDirectory}/sessions'`,
    `HINT   : Create the directory ${dataDirectory}/sessions, ensure it is writeable by`,
    "         'pgadmin', and try again, or, create a config_local.py file",
    '         and override the SESSION_DB_PATH setting per',
    `         https://www.pgadmin.org/docs/pgadmin4/${tag}/config_py.html`,
  ];
  return {
    lines: [...complaint.map((line) => ({ afterMs: 600, line })), ...gunicornLines(facts)],
    loop: { everyMs: 3000, lines: ['[INFO] Worker exiting (pid: 119)', ...complaint, '[INFO] Booting worker with pid: 119'] },
    ports: [{ port: portOf(facts), afterMs: 1000 }],
    onTerm: { afterMs: 100, code: 0 },
  };
}
