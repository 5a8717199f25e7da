import { behaviourOf, type ContainerFacts, type MountView, type Script } from '.';
import { isEmail } from './pgadmin';

const complete = { PGADMIN_DEFAULT_EMAIL: 'admin@example.com', PGADMIN_DEFAULT_PASSWORD: 'secret' };

function facts(env: Record<string, string>, more: Partial<ContainerFacts> = {}): ContainerFacts {
  return { image: 'dpage/pgadmin4:9.8', repository: 'dpage/pgadmin4', tag: '9.8', command: [], args: [], env, mounts: [], uid: 5050, gids: [0], memoryLimitBytes: undefined, readOnlyRoot: false, bindsPrivilegedPorts: true, executesNetBind: true, dial: () => 'open', podName: 'pgadmin-0', startedAt: new Date(0), ...more };
}

function aMount(path: string, writable: boolean, files: Record<string, string> = {}): MountView {
  return { path, readOnly: false, files: new Map(Object.entries(files)), writableBy: () => writable };
}

function run(env: Record<string, string>, more: Partial<ContainerFacts> = {}): Script {
  const outcome = behaviourOf('dpage/pgadmin4:9.8')?.run(facts(env, more));
  if (!outcome || 'unknown' in outcome) throw new Error('expected a script');
  return outcome;
}

const text = (script: Script) => script.lines.map((each) => each.line).join('\n');

describe('the behaviour of dpage/pgadmin4', () => {
  it.each([
    ['no e-mail', { PGADMIN_DEFAULT_PASSWORD: 'x' }],
    ['no password', { PGADMIN_DEFAULT_EMAIL: 'a@example.com' }],
    ['a password file that does not exist', { PGADMIN_DEFAULT_EMAIL: 'a@example.com', PGADMIN_DEFAULT_PASSWORD_FILE: '/run/secrets/pw' }],
  ])('ends with 1 and asks for the variables when there is %s', (_, env) => {
    const script = run(env);
    expect(script.exit?.code).toBe(1);
    expect(text(script)).toContain('You need to define the PGADMIN_DEFAULT_EMAIL and PGADMIN_DEFAULT_PASSWORD or PGADMIN_DEFAULT_PASSWORD_FILE environment variables.');
  });

  it('ends with 1 on a special-use domain and names the address', () => {
    const script = run({ ...complete, PGADMIN_DEFAULT_EMAIL: 'admin@pgadmin.local' });
    expect(script.exit?.code).toBe(1);
    expect(text(script)).toContain("'admin@pgadmin.local' does not appear to be a valid email address. Please reset the PGADMIN_DEFAULT_EMAIL environment variable and try again.");
  });

  it('takes a special-use domain that is allowed by configuration', () => {
    expect(run({ ...complete, PGADMIN_DEFAULT_EMAIL: 'admin@pgadmin.local', PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS: "['local']" }).exit).toBeUndefined();
  });

  it('does not look at the e-mail again once the configuration database exists', () => {
    const mounts = [aMount('/var/lib/pgadmin', true, { '/var/lib/pgadmin/pgadmin4.db': '' })];
    expect(run({ PGADMIN_DEFAULT_EMAIL: 'nonsense' }, { mounts }).exit).toBeUndefined();
  });

  it('reads the password from a file', () => {
    const mounts = [aMount('/run/secrets', false, { '/run/secrets/pw': 'x' })];
    expect(run({ PGADMIN_DEFAULT_EMAIL: 'a@example.com', PGADMIN_DEFAULT_PASSWORD_FILE: '/run/secrets/pw' }, { mounts }).exit).toBeUndefined();
  });

  it('answers HTTP on port 80, or where it is told to', () => {
    expect(run(complete).ports[0]).toMatchObject({ port: 80 });
    const moved = run({ ...complete, PGADMIN_LISTEN_PORT: '5050' }).ports[0];
    expect(moved?.port).toBe(5050);
    expect(moved?.http?.('/misc/ping')).toBe(200);
  });

  it('keeps running without ever answering when it may not write to its data directory', () => {
    const script = run(complete, { mounts: [aMount('/var/lib/pgadmin', false)] });
    expect(script.exit).toBeUndefined();
    expect(script.ports[0]?.http).toBeUndefined();
    expect(text(script)).toContain("[Errno 13] Permission denied: '/var/lib/pgadmin/sessions'");
  });

  it('is killed for memory below its baseline', () => {
    expect(run(complete, { memoryLimitBytes: 64 * 2 ** 20 }).exit).toMatchObject({ code: 137, reason: 'OOMKilled' });
  });

  describe('with the database of its settings elsewhere', () => {
    const uri = (rest: string) => ({ ...complete, PGADMIN_CONFIG_CONFIG_DATABASE_URI: `'postgresql+psycopg://pgadmin@settings-db${rest}'` });

    it.each([
      ['unknown host', '(psycopg.OperationalError) [Errno -2] Name does not resolve'],
      ['refused', '(psycopg.OperationalError) connection failed: connection to server at "settings-db", port 5433 failed: Connection refused'],
      ['timed out', '(psycopg.errors.ConnectionTimeout) connection timeout expired'],
    ] as const)('ends with 3, as gunicorn does whose worker fails to boot: %s', (dialled, why) => {
      const script = run(uri(':5433/pgadmin'), { dial: (host, port) => (host === 'settings-db' && port === 5433 ? dialled : 'open') });
      expect(script.exit?.code).toBe(3);
      expect(text(script)).toContain(`sqlalchemy.exc.OperationalError: ${why}`);
      expect(text(script)).toMatch(/Reason: Worker failed to boot\.$/);
    });

    it('waits as long as the URI says, twice', () => {
      const endOf = (rest: string) => run(uri(rest), { dial: () => 'timed out' }).exit?.afterMs ?? 0;
      expect(endOf('/pgadmin') - endOf('/pgadmin?connect_timeout=3')).toBe(2 * 127_000);
    });

    it('runs when it answers', () => expect(run(uri(':5433/pgadmin')).exit).toBeUndefined());
  });

  describe('with servers to import', () => {
    const servers = (json: string) => aMount('/pgadmin4/servers.json', false, { '/pgadmin4/servers.json': json });
    const good = '{"Servers": {"1": {"Name": "a", "Group": "g", "Host": "pg", "Port": 5432, "MaintenanceDB": "postgres", "Username": "u"}}}';
    const kept = aMount('/var/lib/pgadmin', true, { '/var/lib/pgadmin/pgadmin4.db': '' });

    it.each([
      ['a comma too many', '{"Servers": {},\n}', 'Error parsing input file /pgadmin4/servers.json: Expecting property name enclosed in double quotes: line 2 column 1 (char 16)'],
      ['the end missing', '{"Servers": {}', "Error parsing input file /pgadmin4/servers.json: Expecting ',' delimiter: line 1 column 15 (char 14)"],
      ['a byte order mark', `\ufeff${good}`, 'Error parsing input file /pgadmin4/servers.json: Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)'],
      ['a server without a name', '{"Servers": {"1": {}}}', "'Name' attribute not found for server '1'"],
      ['nothing wrong', good, 'Added 1 Server Group(s) and 1 Server(s).'],
    ])('says what it finds and runs on: %s', (_, json, line) => {
      const script = run(complete, { mounts: [servers(json)] });
      expect(script.exit).toBeUndefined();
      expect(script.lines.map((each) => each.line)).toContain(line);
    });

    it('imports them into an empty data directory alone, unless it is told to replace them at each start', () => {
      expect(text(run(complete, { mounts: [servers(good), kept] }))).not.toContain('Server(s)');
      expect(text(run({ ...complete, PGADMIN_REPLACE_SERVERS_ON_STARTUP: 'True' }, { mounts: [servers(good), kept] }))).toContain('Added 1 Server Group(s) and 1 Server(s).');
    });
  });

  it('is unknown when its entrypoint is replaced', () => {
    expect(behaviourOf('dpage/pgadmin4')?.run(facts(complete, { command: ['/bin/true'] }))).toHaveProperty('unknown');
  });
});

it.each([
  ['admin@example.com', true], ['first.last+tag@sub.example.co', true], ['admin', false], ['admin@localhost', false], ['a@b@example.com', false],
  ['admin@x.test', false], ['admin@example.c0', false], ['.a@example.com', false], ['a..b@example.com', false], ['admin@-x.com', false], ['a@x.local', false],
])('judges %s as email-validator does: %s', (address, expected) => expect(isEmail(address)).toBe(expected));
