import fc from 'fast-check';
import { redact, redactKeys, redactText } from './redact';
import { isSecretKey } from './secret-key';

/** Built from parts, so that no scanner takes this file for a leak. */
const fake = {
  jwt: ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P'].join('.'),
  aws: `AKIA${'IOSFODNN7EXAMPLE'}`,
  github: `ghp_${'a1B2'.repeat(9)}`,
  githubFine: `github_pat_${'11ABCDEFG0'.repeat(3)}`,
  gitlab: `glpat-${'x'.repeat(20)}`,
  slack: `xoxb-${'1234567890'}-abcdefghij`,
  npm: `npm_${'q'.repeat(36)}`,
  google: `AIza${'S'.repeat(35)}`,
  model: `sk-${'proj-abc123'.repeat(3)}`,
  vault: `hvs.${'CAES'.repeat(6)}`,
  k3s: `K10${'0f'.repeat(32)}::server:5f1d`,
};
const pem = `-----BEGIN RSA ${'PRIVATE'} KEY-----\nMIIEow\nIBAAKC\n-----END RSA ${'PRIVATE'} KEY-----`;

describe('redactText', () => {
  it.each(Object.entries(fake))('knows a %s token by its shape, anywhere in a text', (_name, token) => {
    for (const text of [token, `log: got ${token} from x`, `"${token}"`, `a=${token};b`]) {
      expect(redactText(text)).not.toContain(token.slice(-12));
      expect(redactText(text)).toContain('[redacted]');
    }
  });

  it.each([
    ['postgres://larry:s3cr3t@db:5432/app', 'postgres://larry:[redacted]@db:5432/app'],
    ['redis://:p@ss@redis:6379', 'redis://:[redacted]@redis:6379'],
    [`https://${'x'.repeat(30)}@git.example/repo`, 'https://[redacted]@git.example/repo'],
    ['https://CANARYgitonly123@git.example/x: not found', 'https://[redacted]@git.example/x: not found'],
    ['https://0a1b2c3d4e5f60718293a4b5c6d7e8f9@sentry.example/4', 'https://[redacted]@sentry.example/4'],
    ['ssh://git@git.example/x and https://renovate-bot@git.example/x', 'ssh://git@git.example/x and https://renovate-bot@git.example/x'],
    ['docker-pullable://memcached16@sha256:0a1b', 'docker-pullable://memcached16@sha256:0a1b'],
    ['ssh://git@git.example/repo', 'ssh://git@git.example/repo'],
    ['https://example.com:8080/a@b', 'https://example.com:8080/a@b'],
    ['Authorization: Bearer abc', 'Authorization: [redacted]'],
    ['authorization=Basic dXNlcjpwYXNz', 'authorization=[redacted]'],
    ['curl -H "Authorization: Bearer abc" http://x', 'curl -H "Authorization: [redacted]" http://x'],
    ['sent Bearer abcdefghijklmnop1 to it', 'sent Bearer [redacted] to it'],
    ['password=hunter2 user=bob', 'password=[redacted] user=bob'],
    ['user=bob, PGPASSWORD="a b\\"c" next', 'user=bob, PGPASSWORD="[redacted]" next'],
    ["db_password: 'a b'", 'db_password: [redacted]'],
    ['  password: two words # c', '  password: [redacted]'],
    ['{"password":"x","user":"y"}', '{"password":"[redacted]","user":"y"}'],
    ['{\\"password\\":\\"x\\"}', '{\\"password\\":\\"[redacted]\\"}'],
    ['--password hunter2 --user bob', '--password [redacted] --user bob'],
    ['--redis-auth=CnryPw5 --author=bob', '--redis-auth=[redacted] --author=bob'],
    ['--redis-auth CnryPw5 --auth-mode x', '--redis-auth [redacted] --auth-mode x'],
    ['--enable-auth=false --redis-auth true', '--enable-auth=false --redis-auth true'],
    ['curl -u bob:pw http://x', 'curl -u bob:[redacted] http://x'],
    ['curl --user "bob:pw" http://x', 'curl --user "bob:[redacted]" http://x'],
    ['docker run --user 1000:1000 -p 8080:80 x', 'docker run --user 1000:1000 -p 8080:80 x'],
    ['date -u +%H:%M; sort -u a:b', 'date -u +%H:%M; sort -u a:b'],
    ['redis-cli -h db -a CnryPw5 ping', 'redis-cli -h db -a [redacted] ping'],
    ['mysqladmin -uroot -pCnryPw5 ping', 'mysqladmin -uroot -p[redacted] ping'],
    ['mkdir -p /data && ls -a x', 'mkdir -p /data && ls -a x'],
    ['args: ["--password", "CnryPw5", "-v"]', 'args: ["--password", "[redacted]", "-v"]'],
    ['{\\"args\\":[\\"--password\\",\\"CnryPw5\\"]}', '{\\"args\\":[\\"--password\\",\\"[redacted]\\"]}'],
    ['args:\n  - --a\n  - --password\n  - CnryPw5\n  - -v', 'args:\n  - --a\n  - --password\n  - [redacted]\n  - -v'],
    ['Failed to pull image "bob:CnryPw5@registry.example:5000/app:1"', 'Failed to pull image "bob:[redacted]@registry.example:5000/app:1"'],
    ['nginx:1.25@sha256:0a1b and mailto:bob@example.com/x', 'nginx:1.25@sha256:0a1b and mailto:bob@example.com/x'],
    ['--api-key=abc', '--api-key=[redacted]'],
    ['--password -hunter2 --token --verbose -v', '--password [redacted] --token --verbose -v'],
    ['redis-server --requirepass hunter2', 'redis-server --requirepass [redacted]'],
    ['PGADMIN_DEFAULT_PASSWORD=admin', 'PGADMIN_DEFAULT_PASSWORD=[redacted]'],
    ['failed: password=hunter2', 'failed: password=[redacted]'],
    ['ERROR: conn: password: hunter2 x', 'ERROR: conn: password: [redacted] x'],
    ['a="password=x" b=c', 'a="password=[redacted]" b=c'],
    ['host=db sslpassword=x port=5', 'host=db sslpassword=[redacted] port=5'],
    ['secretName: tls-cert', 'secretName: tls-cert'],
    ['existingSecret: pg', 'existingSecret: pg'],
    ['POSTGRES_PASSWORD_FILE=/run/secrets/pg', 'POSTGRES_PASSWORD_FILE=/run/secrets/pg'],
    ["touch: cannot touch '/data/signing.key': Read-only file system", "touch: cannot touch '/data/signing.key': Read-only file system"],
    ['open /run/secrets/token: permission denied', 'open /run/secrets/token: permission denied'],
    ['password: Permission denied', 'password: Permission denied'],
    ['password: Permission denied-hunter2', 'password: [redacted]'],
    ["'/data/signing.key': hunter2 Read-only file system", "'/data/signing.key': [redacted] Read-only file system"],
    ['"db/password": "hunter2"', '"db/password": "[redacted]"'],
    ['repository does not exist or may require authorization: server message: insufficient_scope: authorization failed', 'repository does not exist or may require authorization: server message: insufficient_scope: authorization failed'],
    ['may require authorization: server message: password=hunter2 Bearer abcdefghijklmnop1', 'may require authorization: server message: password=[redacted] Bearer [redacted]'],
    ['Authorization: server message: hunter2', 'Authorization: [redacted]'],
    ['may require authorization: hunter2', 'may require authorization: [redacted]'],
    ['tokens_used=812 tokens: 8000', 'tokens_used=812 tokens: 8000'],
    ['password authentication failed for user "larry"', 'password authentication failed for user "larry"'],
    [`before\n${pem}\nafter`, 'before\n[redacted PEM]\nafter'],
    [`cut ${pem.slice(0, 45)}`, 'cut [redacted PEM]'],
  ])('%s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it('keeps the keys and drops the values of a Secret in YAML, and leaves the other documents', () => {
    const yaml = [
      'apiVersion: v1', 'kind: Secret', 'metadata:', '  name: pg', 'data:', '  a.txt: c2VjcmV0', '  b: |', '    bGluZQ==', 'type: Opaque',
      '---', 'kind: Service', 'spec:', '  port: 80',
    ].join('\n'); // prettier-ignore
    const out = redactText(yaml);
    expect(out).toContain('  a.txt: [redacted]\n  b: [redacted]\n    [redacted]\ntype: Opaque');
    expect(out).toContain('  name: pg');
    expect(out).toContain('  port: 80');
  });

  it('changes nothing the second time', () => {
    const parts = fc.constantFrom('password', '=', ': ', 'x', '"', "'", '\n', ' ', '://', 'a:b@', '--token ', '--redis-auth ', 'mysql -p', 'curl -u ', '--user ', '- --password\n- ', '"--password","', '{', '}', '\\', pem, fake.jwt, 'kind: Secret\n', 'data:\n');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 30 }), (list) => {
        const once = redactText(list.join(''));
        expect(redactText(once)).toBe(once);
      }),
    );
  });
});

describe('redact', () => {
  const hidden = 's3cr3t-value';
  it.each<[string, unknown]>([
    ['a member named password', { db: { password: hidden } }],
    ['a number named pin code by its key', { passcode: 123456 }],
    ['an environment variable', { env: [{ name: 'DB_PASSWORD', value: hidden }] }],
    ['a Secret', { kind: 'Secret', data: { anything: hidden }, stringData: { x: hidden } }],
    ['a list of Secrets', { kind: 'List', items: [{ kind: 'Secret', data: { anything: hidden } }] }],
    ['a JSON patch', [{ op: 'replace', path: '/spec/template/password', value: hidden }]],
    ['JSON inside an annotation', { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ kind: 'Secret', data: { k: hidden } }) }],
    ['Helm values', { auth: { postgresPassword: hidden, username: 'u' } }],
    ['a docker configuration', { auths: { 'registry.example': { auth: hidden } } }],
    ['command arguments', { args: ['--user', 'x', `--password=${hidden}`] }],
    ['an argument after its flag', { args: ['--password', hidden] }],
    ['an argument whose flag ends in auth', { args: [`--redis-auth=${hidden}`, '--redis-auth', hidden] }],
    ['a password after a user', { command: ['curl', '-u', `bob:${hidden}`, '--user', `bob:${hidden}`, `--proxy-user=bob:${hidden}`] }],
    ['the short flag of a client', { command: ['/usr/bin/sshpass', '-p', hidden, 'ssh', 'x'] }],
    ['the short flag of a client in another list', { command: ['redis-cli'], args: ['-h', 'db', '-a', hidden] }],
    ['a password attached to its flag', { command: ['mysql', '-uroot', `-p${hidden}`] }],
    ['an argument that looks like a flag after its flag', { args: ['--password', `-${hidden}1`, '--token', `--${hidden}1`] }],
    ['a password attached to its flag, of the program that the image is named after', { image: 'registry:5000/x/mysql:8', args: ['-uroot', `-p${hidden}`] }],
    ['an annotation that ends in auth', { annotations: { 'example.io/basic-auth': `bob:${hidden}` } }],
    ['a variable that ends in auth', { env: [{ name: 'NEO4J_AUTH', value: `neo4j/x:${hidden}` }] }],
    ['credentials in an image reference', { image: `bob:${hidden}@registry/app:1` }],
    ['an array under a secret name', { credentials: [hidden, hidden] }],
    ['an error', new Error(`connect redis://u:${hidden}@h failed`)],
  ])('finds %s', (_what, value) => {
    const text = JSON.stringify(redact(value));
    expect(text).not.toMatch(/s3cr3t|123456/);
    expect(text).toContain('[redacted]');
  });

  it('keeps what holds no secret, by type and value', () => {
    const value = {
      tokens: 8000,
      tokens_used: 3,
      secretName: 'tls',
      password: { valueFrom: { secretKeyRef: { name: 'pg', key: 'postgres-password' } } },
      automountServiceAccountToken: false,
      list: [1, null, true],
    };
    expect(redact(value)).toEqual(value);
  });

  it('keeps ordinary arguments', () => {
    const value = {
      command: ['server', '--author', 'bob', '-p', '8080', '-a', 'all', '--user', '1000:1000', '--password-file', '/run/pw', '--enable-auth', 'true', '--token', '--verbose'],
      args: ['--redis-auth', 'true', '--auth-url', 'https://x/y', '--image', 'registry.example:5000/app:1@sha256:0a1b', '--user', 'bob', 5, '--', null],
      annotations: { 'nginx.ingress.kubernetes.io/auth-type': 'basic', 'example.io/external-auth': 'https://auth.example/x', 'example.io/auth-url': 'a:b' },
    };
    expect(redact(value)).toEqual(value);
  });

  it('takes time in proportion to its input', () => {
    const pieces = ['--a","', '- --a\n', 'mysql ', 'redis-cli -', '--user a', 'a.', 'a:b', '-', ' - ', 'a:b@'];
    for (const piece of pieces) {
      const text = piece.repeat(Math.ceil(400_000 / piece.length));
      const before = performance.now();
      redactText(text);
      expect({ piece, slow: performance.now() - before > 5_000 }).toEqual({ piece, slow: false });
    }
  });

  it('does not change what it was given', () => {
    const value = { password: 'x', list: [{ token: 'y' }] };
    redact(value);
    expect(value).toEqual({ password: 'x', list: [{ token: 'y' }] });
  });

  it('strikes tokens out of the names of members, which are file names in a ConfigMap; other names stay', () => {
    const key = `dump-${fake.vault}.sql`;
    for (const value of [{ data: { [key]: 'x' } }, { kind: 'Secret', data: { [key]: 'x' } }, { kind: 'ConfigMap', data: { [fake.github]: { deep: 1 } } }]) {
      expect(JSON.stringify(redact(value))).toMatch(/^(?!.*CAES)(?!.*a1B2).*\[redacted\]/);
    }
    const fields = [{ manager: 'kubectl', fieldsV1: { 'f:data': { [`f:${key}`]: {}, 'f:password': {} } } }];
    expect(redactKeys(fields)).toEqual([{ manager: 'kubectl', fieldsV1: { 'f:data': { 'f:dump-[redacted].sql': {}, 'f:password': {} } } }]);
    const plain = { managedFields: [{ manager: 'helm', fieldsV1: { 'f:spec': {} } }] };
    expect(redactKeys(plain)).toBe(plain);
  });

  it('ends on cycles, on depth and on bytes', () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle['self'] = cycle;
    let deep: unknown = 'x';
    for (let i = 0; i < 10_000; i++) deep = [deep];
    expect(redact(cycle)).toEqual({ a: 1, self: '[circular]' });
    expect(JSON.stringify(redact(deep))).toContain('[too deep]');
    expect(redact({ b: Buffer.from('secret') })).toEqual({ b: '[6 bytes]' });
  });
});

describe('isSecretKey', () => {
  it.each(['password', 'PGPASSWORD', 'dbPassword', 'clientSecret', 'AWS_SECRET_ACCESS_KEY', 'api-key', 'token', 'tls.key', '.dockerconfigjson', 'PASSWORD_1', 'SECRET_KEY_BASE'])(
    '%s holds a secret',
    (name) => expect(isSecretKey(name)).toBe(true),
  );
  it.each(['tokens', 'tokens_used', 'passwordFile', 'secretName', 'secretKeyRef', 'existingSecret', 'imagePullSecrets', 'key', 'monkey', 'compass', 'keyboard'])(
    '%s holds none',
    (name) => expect(isSecretKey(name)).toBe(false),
  );
});
