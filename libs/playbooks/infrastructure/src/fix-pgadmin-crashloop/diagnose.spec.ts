import { findingSchema, criterionSchema, type KubeObject } from '@larry/contracts';
import { aDeployment, anEvent, aPod, aReplicaSet, aService, aStatefulSet, memoryCluster, type MemoryClusterOptions } from '@larry/kube/testing';
import { aContext, literal, logKey, logOf, now, passwordSecret, pgadminObjects, refusedEmail, secretKey, type PgadminParts } from './__fixtures__/pgadmin-cluster';
import { diagnose } from './diagnose';
import { observe } from './observe';
import { optionsSchema, type Options } from './options';
import { plan } from './plan';

async function run(objects: KubeObject[], cluster: MemoryClusterOptions = {}, given: Partial<Options> = {}, ours: readonly string[] = []) {
  const options = optionsSchema.parse(given);
  const isOurs = (step: string) => Promise.resolve(ours.includes(step));
  const facts = await observe({ ...aContext(memoryCluster(objects, cluster), given), isOurs });
  const diagnosis = diagnose(facts, options);
  diagnosis.findings.forEach((f) => findingSchema.parse(f));
  diagnosis.criteria.forEach((c) => criterionSchema.parse(c));
  return { facts, ...diagnosis, steps: plan(facts, diagnosis, options) };
}

const pgadmin = (parts: PgadminParts, log: string[] | undefined, given: Partial<Options> = {}, more: KubeObject[] = [passwordSecret]) =>
  run([...pgadminObjects(parts), ...more], { logs: log ? { [logKey]: log } : {} }, given);

describe('a PgAdmin that refuses its e-mail address', () => {
  it('is one finding with the log line, the variable and the exit code as evidence', async () => {
    const { findings, criteria } = await pgadmin({}, refusedEmail('admin@cluster.local'));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ rule: 'pgadmin_invalid_email', severity: 'high', confidence: 0.97, also: expect.arrayContaining(['Pod database/pgadmin-2-abcde']) });
    expect(findings[0]?.title).toBe('PgAdmin refuses its e-mail address admin@cluster.local: "local" is a special-use domain');
    expect(findings[0]?.evidence.map((e) => e.at)).toEqual(['log:pgadmin:current', '.status.containerStatuses[pgadmin]', '.spec.template.spec.containers[0].env[0].value']);
    expect(criteria.map((c) => [c.id, c.verdict])).toEqual([['pgadmin-ready', 'not-met'], ['pgadmin-no-restarts', 'not-met']]);
  });

  it('is an outage where it was seen, and none in a manifest that would not start', async () => {
    const objects = [...pgadminObjects({}), passwordSecret];
    const seen = await run(objects, { logs: { [logKey]: refusedEmail('admin@cluster.local') } });
    const written = await run(objects, { source: { type: 'manifests' }, unknown: { Pod: 'manifests have no runtime state', Event: 'manifests have no runtime state' } });
    expect(seen.findings.map((f) => f.broken)).toEqual([true]);
    expect(written.findings.map((f) => [f.rule, f.broken])).toEqual([['pgadmin_invalid_email', undefined]]);
  });

  it('gets one JSON patch that keeps the name and replaces the domain', async () => {
    const { steps, findings } = await pgadmin({}, refusedEmail('admin@cluster.local'));
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({
      category: 'workload-env',
      patch: [{ op: 'replace', path: '/spec/template/spec/containers/0/env/0/value', value: 'admin@example.com' }],
      depends: ['/spec/template/spec/containers/0/name', '/spec/template/spec/containers/0/image', '/spec/template/spec/containers/0/env/0/name', '/spec/template/spec/containers/0/env/0/value'],
    });
    expect(findings[0]?.remedy).toMatchObject({
      layer: 'patch',
      command: `kubectl patch deployment.apps/pgadmin --namespace=database --type=json --patch='[{"op":"replace","path":"/spec/template/spec/containers/0/env/0/value","value":"admin@example.com"}]'`,
    });
  });

  it('takes the address that the user chose, and refuses one that PgAdmin would refuse', async () => {
    const { steps } = await pgadmin({}, refusedEmail('admin@cluster.local'), { pgadminEmail: 'dba@corp.de' });
    expect(steps[0]?.patch).toMatchObject([{ value: 'dba@corp.de' }]);
    expect(() => optionsSchema.parse({ pgadminEmail: 'dba@corp.local' })).toThrow(/would be refused by PgAdmin/);
    expect(() => optionsSchema.parse({ pgadminEmailDomain: 'localhost' })).toThrow(/special-use/);
  });

  it('is proposed at the source when the address comes from a ConfigMap', async () => {
    const env = [{ name: 'PGADMIN_DEFAULT_EMAIL', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'email' } } }, literal('PGADMIN_DEFAULT_PASSWORD', 'x')];
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cfg', namespace: 'database', uid: 'c' }, data: { email: 'root@localhost' } };
    const { steps, findings } = await pgadmin({ env }, refusedEmail('root@localhost'), {}, [config]);
    expect(steps).toEqual([]);
    expect(findings[0]?.remedy).toMatchObject({ layer: 'none', reason: expect.stringContaining('ConfigMap database/cfg, key email') });
  });

  it('never shows what stands in a Secret', async () => {
    const env = [secretKey('PGADMIN_DEFAULT_EMAIL', 'pgadmin', 'email'), secretKey('PGADMIN_DEFAULT_PASSWORD', 'pgadmin', 'password')];
    const secret = { ...passwordSecret, data: { email: 'c2VjcmV0QHZhbHVlLmxvY2Fs', password: 'aHVudGVyMg==' } };
    const outcome = await pgadmin({ env }, logOf("'' does not appear to be a valid email address."), {}, [secret]);
    expect(outcome.findings[0]?.rule).toBe('pgadmin_invalid_email');
    expect(JSON.stringify(outcome)).not.toMatch(/c2VjcmV0|aHVudGVyMg|hunter2/);
  });
});

describe('the other two causes', () => {
  const lacking = logOf('You need to define the PGADMIN_DEFAULT_EMAIL and PGADMIN_DEFAULT_PASSWORD or PGADMIN_DEFAULT_PASSWORD_FILE environment variables.');
  const env = '/spec/template/spec/containers/0/env';
  const email = literal('PGADMIN_DEFAULT_EMAIL', 'a@b.de');

  it.each<[string, unknown[], KubeObject[], string, unknown, boolean]>([
    ['an empty e-mail', [literal('PGADMIN_DEFAULT_EMAIL', ''), literal('PGADMIN_DEFAULT_PASSWORD', 'x')], [], 'PGADMIN_DEFAULT_EMAIL', { op: 'replace', path: `${env}/0/value`, value: 'pgadmin@example.com' }, false],
    ['no e-mail', [secretKey('PGADMIN_DEFAULT_PASSWORD', 'pgadmin', 'password')], [passwordSecret], 'PGADMIN_DEFAULT_EMAIL', { op: 'add', path: `${env}/-`, value: literal('PGADMIN_DEFAULT_EMAIL', 'pgadmin@example.com') }, false],
    ['a password under the name of another image, which the container has already', [email, secretKey('PGADMIN_PASSWORD', 'tools', 'pw')], [], 'PGADMIN_DEFAULT_PASSWORD', { op: 'add', path: `${env}/-`, value: secretKey('PGADMIN_DEFAULT_PASSWORD', 'tools', 'pw') }, false],
    ['a Secret that is PgAdmin\'s by its name alone', [email], [passwordSecret], 'PGADMIN_DEFAULT_PASSWORD', { op: 'add', path: `${env}/-`, value: secretKey('PGADMIN_DEFAULT_PASSWORD', 'pgadmin', 'password') }, true],
    ['a key that the Secret lacks', [email, secretKey('PGADMIN_DEFAULT_PASSWORD', 'pgadmin', 'pw')], [passwordSecret], 'PGADMIN_DEFAULT_PASSWORD', { op: 'replace', path: `${env}/1/valueFrom/secretKeyRef/key`, value: 'password' }, true],
  ])('missing credentials: %s', async (_what, given, more, name, operation, alwaysAsk) => {
    const { findings, steps } = await pgadmin({ env: given }, lacking, {}, more);
    expect(findings[0]).toMatchObject({ rule: 'pgadmin_missing_credentials', title: `PgAdmin starts without ${name}` });
    expect(steps).toMatchObject([{ patch: [operation], alwaysAsk }]);
  });

  it('missing credentials: the address that the user chose is the one that is set', async () => {
    const { steps } = await pgadmin({ env: [literal('PGADMIN_DEFAULT_PASSWORD', 'x')] }, lacking, { pgadminEmail: 'dba@corp.de' });
    expect(steps[0]?.patch).toMatchObject([{ value: { value: 'dba@corp.de' } }]);
  });

  it.each<[string, unknown[], KubeObject[], RegExp]>([
    ['no Secret at all', [email], [], /a secret that only you can choose/],
    ['the database\'s own password', [email, secretKey('POSTGRES_PASSWORD', 'postgres', 'password')], [{ ...passwordSecret, metadata: { ...passwordSecret.metadata, name: 'postgres' } }], /a secret that only you can choose/],
    ['two that may be meant', [email], [passwordSecret, { ...passwordSecret, metadata: { ...passwordSecret.metadata, name: 'pgadmin-old', uid: 't' } }], /more than one may be meant \(Secret pgadmin, key password, Secret pgadmin-old, key password\)/],
  ])('missing credentials are left to people: %s', async (_what, given, more, reason) => {
    const { findings, steps } = await pgadmin({ env: given }, lacking, {}, more);
    expect(findings[0]?.remedy).toMatchObject({ layer: 'none', reason: expect.stringMatching(reason) });
    expect(steps).toEqual([]);
  });

  it('missing credentials: the kubelet does not even start the container', async () => {
    const message = "couldn't find key pw in Secret database/pgadmin";
    const env = [literal('PGADMIN_DEFAULT_EMAIL', 'a@b.de'), secretKey('PGADMIN_DEFAULT_PASSWORD', 'pgadmin', 'pw')];
    const { findings } = await pgadmin({ env, restarts: 0, containerStatus: { state: { waiting: { reason: 'CreateContainerConfigError', message } } } }, undefined);
    expect(findings[0]).toMatchObject({ rule: 'pgadmin_missing_credentials', confidence: 0.98, title: 'PgAdmin starts without PGADMIN_DEFAULT_PASSWORD' });
    expect(findings[0]?.evidence[0]?.value).toContain(message);
  });

  const denied = logOf("PermissionError: [Errno 13] Permission denied: '/var/lib/pgadmin/sessions'");
  const goodEnv = [literal('PGADMIN_DEFAULT_EMAIL', 'a@b.de'), literal('PGADMIN_DEFAULT_PASSWORD', 'x')];
  it('an unwritable data directory gets fsGroup 5050', async () => {
    const { findings, steps } = await pgadmin({ env: goodEnv }, denied);
    expect(findings[0]).toMatchObject({ rule: 'pgadmin_data_not_writable' });
    expect(steps[0]).toMatchObject({ category: 'workload-security-context', patch: [{ op: 'add', path: '/spec/template/spec/securityContext/fsGroup', value: 5050 }] });
  });
  it('adds the security context where there is none', async () => {
    const { steps } = await pgadmin({ env: goodEnv, securityContext: null }, denied);
    expect(steps[0]?.patch).toEqual([{ op: 'add', path: '/spec/template/spec/securityContext', value: { fsGroup: 5050 } }]);
  });
  it.each<[string, PgadminParts, string]>([
    ['fsGroup is set already', { securityContext: { fsGroup: 5050 } }, 'fsGroup is 5050 already'],
    ['the volume is a hostPath', { volume: { hostPath: { path: '/x' } } }, 'does not apply fsGroup to a hostPath'],
  ])('proposes no fsGroup when %s', async (_what, parts, reason) => {
    const { findings, steps } = await pgadmin({ env: goodEnv, ...parts }, denied);
    expect(findings[0]?.remedy).toMatchObject({ layer: 'none', reason: expect.stringContaining(reason) });
    expect(steps).toEqual([]);
  });
});

describe('a servers.json that is no JSON', () => {
  const server = '{ "Name": "db", "Group": "g", "Host": "pg", "Port": 5432, "MaintenanceDB": "postgres", "Username": "u" }';
  const wrong = `{ "Servers": { "1": ${server}, } }`;
  const objects = (text: string, { persistent = false, metadata = {} } = {}): KubeObject[] => {
    const [deployment, ...rest] = pgadminObjects({ running: true, env: [literal('PGADMIN_DEFAULT_EMAIL', 'a@b.de'), literal('PGADMIN_DEFAULT_PASSWORD', 'x')], metadata, ...(persistent ? {} : { volume: { emptyDir: {} } }) });
    const spec = (deployment as unknown as { spec: { template: { spec: { volumes: unknown[]; containers: { volumeMounts: unknown[] }[] } } } }).spec.template.spec;
    spec.volumes.push({ name: 'servers', configMap: { name: 'servers' } });
    spec.containers[0]?.volumeMounts.push({ name: 'servers', mountPath: '/pgadmin4/servers.json', subPath: 'servers.json' });
    return [deployment as KubeObject, ...rest, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'servers', namespace: 'database', uid: 'm' }, data: { 'servers.json': text } }];
  };

  it('is written as JSON, and the workload that reads it at its start is restarted for it, and only for it', async () => {
    const { findings, steps } = await run(objects(wrong));
    expect(findings[0]).toMatchObject({ rule: 'pgadmin_servers_json_invalid', object: { kind: 'ConfigMap', name: 'servers' } });
    expect(steps).toMatchObject([
      { target: { kind: 'ConfigMap' }, category: 'config-data', depends: ['/data/servers.json'], patch: [{ op: 'replace', path: '/data/servers.json', value: `{ "Servers": { "1": ${server} } }` }], alwaysAsk: false },
      { target: { kind: 'Deployment', name: 'pgadmin' }, category: 'config-data', after: steps[0]?.step, patch: [{ op: 'add' }] },
    ]);
  });

  it.each<[string, KubeObject[], RegExp]>([
    ['a persistent data directory, into which nothing is imported again', objects(wrong, { persistent: true }), /imports its servers at its first start alone/],
    ['a workload that somebody else restarts', objects(wrong, { metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'pg', 'meta.helm.sh/release-namespace': 'database' } } }), /then restart Deployment database\/pgadmin.*\(helm\) owns that/],
    ['a server that lacks something', objects(`{ "Servers": { "1": { "Name": "a" }, } }`), /server 1 has no Group/],
    ['half of it missing', objects(`{ "Servers": { "1": ${server}`), /correct servers\.json/],
    ['a password in it', objects(wrong.replace('"Host"', '"Password": "hunter2", "Host"')), /the value holds a secret/],
  ])('is left to people with %s', async (_what, given, reason) => {
    const { findings, steps } = await run(given);
    expect(findings[0]?.remedy).toMatchObject({ layer: 'none', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(findings)).not.toContain('hunter2');
    expect(steps).toEqual([]);
  });
});

describe('the database of its settings', () => {
  const refused = logOf('sqlalchemy.exc.OperationalError: (psycopg.errors.ConnectionTimeout) connection timeout expired');
  const settings = aService({ name: 'settings-db', namespace: 'database', spec: { ports: [{ port: 5432 }] } });
  const uri = (at: string) => [literal('PGADMIN_DEFAULT_EMAIL', 'a@b.de'), literal('PGADMIN_CONFIG_CONFIG_DATABASE_URI', `'postgresql+psycopg://${at}'`)];

  it.each<[string, string, string, boolean]>([
    ['at a port that its Service does not have', 'u@settings-db:5433/p', "'postgresql+psycopg://u@settings-db:5432/p'", false],
    ['at a name that is nearly a Service\'s: a person says whether it is that one', 'u@setings-db/p', "'postgresql+psycopg://u@settings-db/p'", true],
  ])('is looked for %s', async (_what, at, value, alwaysAsk) => {
    const { findings, steps } = await pgadmin({ env: uri(at) }, refused, {}, [settings]);
    expect(findings.map((f) => f.rule)).toEqual(['pgadmin_config_database_unreachable']);
    expect(steps).toMatchObject([{ category: 'workload-env', patch: [{ op: 'replace', path: '/spec/template/spec/containers/0/env/1/value', value }], alwaysAsk }]);
  });

  it.each<[string, string, RegExp]>([
    ['a password in its address', 'u:hunter2@settings-db:5433/p', /the value holds a secret, so Larry neither writes it down nor changes it/],
    ['no Service that may be meant', 'u@elsewhere/p', /which one is meant is for you to say/],
  ])('is left to people with %s', async (_what, at, reason) => {
    const { findings, steps } = await pgadmin({ env: uri(at) }, refused, {}, [settings]);
    expect(findings[0]).toMatchObject({ rule: 'pgadmin_config_database_unreachable', remedy: { layer: 'none', reason: expect.stringMatching(reason) } });
    expect(JSON.stringify(findings)).not.toContain('hunter2');
    expect(steps).toEqual([]);
  });
});

describe('what is no cause', () => {
  it('names no PgAdmin cause for the warnings about ACL and setrlimit', async () => {
    const { findings, steps } = await pgadmin({ env: [literal('PGADMIN_DEFAULT_EMAIL', 'a@b.de'), literal('PGADMIN_DEFAULT_PASSWORD', 'x')] }, logOf('ModuleNotFoundError: No module named typer'));
    expect(findings[0]).toMatchObject({ rule: 'application_error', remedy: { layer: 'none', reason: 'the application itself fails: its log says why' } });
    expect(findings[0]?.evidence.some((e) => e.value.includes('No module named typer'))).toBe(true);
    expect(steps).toEqual([]);
  });
  it('does not take a suspicious address for the cause when PgAdmin says something else', async () => {
    const { findings } = await pgadmin({}, logOf('ZeroDivisionError: division by zero'));
    expect(findings[0]?.rule).toBe('application_error');
  });
  it('suspects the address when the log cannot be read, and then changes nothing by itself', async () => {
    const { findings, steps, unknowns } = await pgadmin({}, undefined);
    expect(findings[0]).toMatchObject({ rule: 'pgadmin_invalid_email', confidence: 0.85 });
    expect(findings[0]?.remedy).toMatchObject({ layer: 'patch', note: expect.stringContaining('Larry does not make it by himself: he is 85 % sure of the cause') });
    expect(steps).toEqual([]);
    expect(unknowns).toContainEqual(expect.objectContaining({ subject: expect.stringMatching(/logs? of (a )?pods? that do(es)? not run/) }));
  });
  it('goes by the newest run when two logs disagree', async () => {
    const { findings } = await run([...pgadminObjects(), passwordSecret], { logs: { [logKey]: logOf("[Errno 13] Permission denied: '/var/lib/pgadmin/sessions'"), [`${logKey}:previous`]: refusedEmail('old@x.local') } });
    expect(findings[0]?.rule).toBe('pgadmin_data_not_writable');
  });
  it('ignores pods of older ReplicaSets and events of deleted pods', async () => {
    const [deployment, oldSet, ...rest] = pgadminObjects({ running: true });
    const oldPod = aPod({ name: 'pgadmin-1-old', namespace: 'database', controller: oldSet as KubeObject, status: { containerStatuses: [{ name: 'pgadmin', ready: false, restartCount: 9, state: { waiting: { reason: 'CrashLoopBackOff' } } }] } });
    const gone = aPod({ name: 'pgadmin-0-gone', namespace: 'database' });
    const { findings, skip } = await run([deployment as KubeObject, oldSet as KubeObject, ...rest, oldPod, anEvent(gone, { reason: 'BackOff' })]);
    expect(findings).toEqual([]);
    expect(skip?.reason).toBe('nothing-to-do');
  });
});

describe('who owns it', () => {
  const helm = { labels: { 'app.kubernetes.io/managed-by': 'Helm', 'helm.sh/chart': 'pgadmin4-1.33.0' }, annotations: { 'meta.helm.sh/release-name': 'pg', 'meta.helm.sh/release-namespace': 'database' } };
  it('proposes the value of the chart to the release that owns it, and no patch', async () => {
    const { findings, steps } = await pgadmin({ metadata: helm }, refusedEmail('admin@cluster.local'));
    expect(findings[0]?.remedy).toMatchObject({ layer: 'helm-value', release: 'pg', namespace: 'database', values: 'env:\n  email: "admin@example.com"\n' });
    expect(steps).toEqual([]);
  });
  it('says so when it does not know the values of the chart', async () => {
    const { findings } = await pgadmin({ metadata: { ...helm, labels: { ...helm.labels, 'helm.sh/chart': 'our-tools-2.0.0' } } }, refusedEmail('admin@cluster.local'));
    expect(findings[0]?.remedy).toMatchObject({ layer: 'none', reason: expect.stringContaining('the Helm release database/pg') });
  });
  it('names file and line in a tree of manifests, and says that running is unknown', async () => {
    const [deployment] = pgadminObjects();
    const { findings, criteria, steps, unknowns } = await run([deployment as KubeObject], { source: { type: 'manifests' }, origins: { 'Deployment database/pgadmin': { file: 'db/pgadmin.yaml', line: 12 } } });
    expect(findings[0]).toMatchObject({ rule: 'pgadmin_invalid_email', severity: 'medium', remedy: { layer: 'manifest', file: 'db/pgadmin.yaml', line: 12 } });
    expect((findings[0]?.remedy as { yaml: string }).yaml).toBe(
      'spec:\n  template:\n    spec:\n      containers:\n        - name: "pgadmin"\n          env:\n            - name: "PGADMIN_DEFAULT_EMAIL"\n              value: "admin@example.com"\n',
    );
    expect(criteria.map((c) => c.verdict)).toEqual(['unknown', 'unknown']);
    expect(unknowns[0]?.reason).toBe('manifests say what shall be, not what runs');
    expect(steps).toEqual([]);
  });
  it('emits the same step for a change that an earlier attempt made', async () => {
    const objects = pgadminObjects({ running: true, env: [literal('PGADMIN_DEFAULT_EMAIL', 'admin@example.com'), literal('PGADMIN_DEFAULT_PASSWORD', 'x')], metadata: { annotations: { 'larry.dev/change': 'run-1/fix-pgadmin-crashloop/pgadmin-invalid-email-x' } } });
    const { steps, skip } = await run(objects, {}, {}, ['pgadmin-invalid-email-x']);
    expect(skip).toBeUndefined();
    expect(steps.map((s) => s.step)).toEqual(['pgadmin-invalid-email-x']);
  });
  it('plans for an object with a mark that no record knows of what it plans for one without', async () => {
    const stepsOf = async (parts: PgadminParts) => (await pgadmin(parts, refusedEmail('admin@cluster.local'))).steps;
    const marked = await stepsOf({ metadata: { annotations: { 'larry.dev/change': 'run-1/fix-pgadmin-crashloop/oom-killed-database-pgadmin-00000000' } } });
    expect(marked).toHaveLength(1);
    expect(marked.map(({ step, patch }) => [step, patch])).toEqual((await stepsOf({})).map(({ step, patch }) => [step, patch]));
  });
});

describe('a PgAdmin that is just starting', () => {
  const start = pgadminObjects({ restarts: 0, containerStatus: { state: { waiting: { reason: 'ContainerCreating' } } } }).filter((o) => o.kind !== 'Event').map((o) => ({ ...o, metadata: { ...o.metadata, creationTimestamp: '2026-06-01T11:59:58Z' } }));
  it('is waited for on a live cluster, until it runs or crashes', async () => {
    const [before, after] = [memoryCluster(start), memoryCluster(pgadminObjects(), { logs: { [logKey]: refusedEmail('admin@cluster.local') } })];
    let waits = 0;
    const current = () => (waits < 3 ? before : after);
    const moving = { ...before, list: (...args: Parameters<typeof before.list>) => current().list(...args), get: (...args: Parameters<typeof before.get>) => current().get(...args), logs: (...args: Parameters<typeof before.logs>) => current().logs(...args) };
    const facts = await observe(aContext(moving, {}, () => waits++));
    expect(waits).toBe(3);
    expect(diagnose(facts, optionsSchema.parse({})).findings[0]?.rule).toBe('pgadmin_invalid_email');
  });
  it('is left as it is when the time is over, and in a snapshot at once', async () => {
    let waited = 0;
    await observe(aContext(memoryCluster(start), { settleSeconds: 10 }, (ms) => (waited += ms)));
    expect(waited).toBe(10_000);
    waited = 0;
    const facts = await observe(aContext(memoryCluster(start, { source: { type: 'snapshot' } }), {}, (ms) => (waited += ms)));
    expect(waited).toBe(0);
    expect(facts.cluster.workloads[0]?.state).toBe('starting');
  });
});

describe('a PgAdmin that runs', () => {
  it.each<[string, PgadminParts, string, string]>([
    ['for an hour', { running: true }, 'met', 'met'],
    ['for five minutes', { running: true, startedAt: '2026-06-01T11:55:00Z' }, 'met', 'provisional'],
    ['again since a restart ten minutes ago', { running: true, startedAt: '2026-06-01T11:50:00Z', restarts: 1 }, 'met', 'not-met'],
    ['since a restart two hours ago', { running: true, startedAt: '2026-06-01T10:00:00Z', restarts: 3 }, 'met', 'met'],
  ])('%s', async (_what, parts, ready, restarts) => {
    const { criteria, findings, skip } = await pgadmin(parts, undefined);
    expect(criteria.map((c) => c.verdict)).toEqual([ready, restarts]);
    expect(findings).toEqual([]);
    expect(skip?.reason).toBe('nothing-to-do');
  });
  it('is unknown, and no target, where there is none', async () => {
    const { criteria, skip } = await run([aService()]);
    expect(criteria.map((c) => c.verdict)).toEqual(['unknown', 'unknown']);
    expect(skip?.reason).toBe('no-target');
  });
});

describe('other workloads that do not run', () => {
  const broken = (kind: 'Deployment' | 'StatefulSet', name: string, state: unknown, more: Record<string, unknown> = {}) => {
    const owner = (kind === 'Deployment' ? aDeployment : aStatefulSet)({ name, status: { readyReplicas: 0, observedGeneration: 1 } });
    const set = aReplicaSet({ name: `${name}-1`, controller: owner });
    const pods = ['a', 'b'].map((id) =>
      aPod({ name: `${name}-${id}`, controller: kind === 'Deployment' ? set : owner, status: { containerStatuses: [{ name: 'app', ready: false, restartCount: 2, state, ...more }] } }),
    );
    return [owner, ...(kind === 'Deployment' ? [set] : []), ...pods];
  };
  it.each<[string, unknown, Record<string, unknown>, string]>([
    ['image', { waiting: { reason: 'ImagePullBackOff', message: 'not found' } }, {}, 'incorrect_image_reference'],
    ['memory', { waiting: { reason: 'CrashLoopBackOff' } }, { lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } } }, 'oom_killed'],
    ['crash', { waiting: { reason: 'CrashLoopBackOff' } }, { lastState: { terminated: { reason: 'Error', exitCode: 2 } } }, 'application_error'],
    ['exit', { terminated: { reason: 'Error', exitCode: 3 } }, {}, 'application_error'],
  ])('are one finding for both replicas: %s', async (_what, state, more, cause) => {
    const { findings } = await run(broken('Deployment', 'web', state, more), { logs: { 'default/web-a/app': 'password=hunter2 \x1b[31mboom' } });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ rule: cause, object: { kind: 'Deployment', name: 'web' }, also: expect.arrayContaining(['Pod default/web-a', 'Pod default/web-b']), remedy: { layer: 'none' } });
    expect(JSON.stringify(findings)).not.toMatch(/hunter2|\\u001b/);
  });
  it('are found by their pods where the source cannot list the kind', async () => {
    const objects = broken('StatefulSet', 'redis', { waiting: { reason: 'CrashLoopBackOff' } }).filter((o) => o.kind === 'Pod');
    const { findings, unknowns } = await run(objects, { unknown: { StatefulSet: 'not in dump' } });
    expect(findings[0]).toMatchObject({ object: { kind: 'StatefulSet', name: 'redis' } });
    expect(unknowns).toContainEqual({ subject: 'StatefulSet objects', reason: 'not in dump' });
  });
  it('are not called broken while they start, and then no skip claims that all is well', async () => {
    const pod = aPod({ name: 'new', metadata: { creationTimestamp: now }, status: { phase: 'Pending', containerStatuses: [{ name: 'app', ready: false, restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } }] } });
    const { findings, unknowns, skip } = await run([pod]);
    expect(findings).toEqual([]);
    expect(skip).toBeUndefined();
    expect(unknowns[0]?.reason).toBe('it is still starting: look again');
  });
  it('are found for a Deployment whose pods are refused, and for a pod that no node fits', async () => {
    const quota = aDeployment({ name: 'quota', status: { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }] } });
    const big = aPod({ name: 'big', spec: { nodeName: undefined }, status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }] } });
    const { findings } = await run([quota, big]);
    expect(findings.map((f) => f.object.name).sort()).toEqual(['big', 'quota']);
    expect(JSON.stringify(findings.map((f) => f.evidence))).toMatch(/exceeded quota.*0\/3 nodes are available|0\/3 nodes are available.*exceeded quota/);
  });
  it('are not those whose evicted pods lie about, nor those that are not ready for a moment', async () => {
    const web = aDeployment({ name: 'web', status: { readyReplicas: 0, observedGeneration: 1 } });
    const set = aReplicaSet({ name: 'web-1', controller: web });
    const evicted = aPod({ name: 'web-1-old', controller: set, status: { phase: 'Failed', reason: 'Evicted', message: 'low on disk' } });
    const blink = aPod({
      name: 'web-1-new',
      controller: set,
      status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-06-01T11:59:30Z' }], containerStatuses: [{ name: 'app', ready: false, restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 1, finishedAt: '2026-02-01T00:00:00Z' } } }] },
    });
    const ready = aPod({ name: 'web-1-ready', controller: set, status: { conditions: [{ type: 'Ready', status: 'True' }] } });
    expect((await run([{ ...web, status: { readyReplicas: 1 } }, set, evicted, ready])).findings).toEqual([]);
    expect((await run([web, set, evicted, blink])).findings).toEqual([]);
  });
  it('are those that crash, also in the moment in which they run again', async () => {
    const pod = aPod({ name: 'x', status: { containerStatuses: [{ name: 'app', ready: false, restartCount: 3, state: { running: { startedAt: now } }, lastState: { terminated: { reason: 'Error', exitCode: 1, finishedAt: '2026-06-01T11:59:50Z' } } }] } });
    expect((await run([pod])).findings.map((f) => f.rule)).toEqual(['application_error']);
  });
  it('are those that are not ready for long, and say for how long', async () => {
    const pod = aPod({ name: 'x', status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-06-01T11:00:00Z' }], containerStatuses: [{ name: 'app', ready: false, restartCount: 0, state: { running: {} } }] } });
    expect((await run([pod])).findings[0]?.evidence.at(-1)?.value).toBe('the pod is Running and not ready for 60 minutes');
  });
  it('are not those whose pods got ready after the workload was listed, but those without any pod', async () => {
    const web = aDeployment({ name: 'web', status: { readyReplicas: 0, observedGeneration: 1 } });
    const set = aReplicaSet({ name: 'web-1', controller: web });
    const ready = aPod({ name: 'web-1-a', controller: set, status: { conditions: [{ type: 'Ready', status: 'True' }] } });
    expect((await run([web, set, ready])).findings).toEqual([]);
    expect((await run([web, set])).findings.map((f) => f.rule)).toEqual(['unknown']);
    expect((await run([web, set], { unknown: { Pod: 'forbidden' } })).findings.map((f) => f.rule)).toEqual(['unknown']);
  });
  it('leaves finished, deleted and scaled-down ones alone', async () => {
    const idle = aDeployment({ name: 'idle', spec: { replicas: 0 } });
    const done = aPod({ name: 'done', status: { phase: 'Succeeded' } });
    const going = aPod({ name: 'going', metadata: { deletionTimestamp: now }, status: { phase: 'Failed' } });
    expect((await run([idle, done, going])).findings).toEqual([]);
  });
  it('survives names and messages made to deceive', async () => {
    const evil = aPod({ name: "x'; rm -rf / #\u202e", status: { phase: 'Failed', reason: '<script>\x1b]0;t\x07', message: '</script>\x1b[2J' + 'A'.repeat(100_000) } });
    const { findings, summary } = await run([evil]);
    expect(findings).toHaveLength(1);
    expect(findings[0]?.title + summary).not.toMatch(/\x1b|\u202e/);
    expect(findings[0]?.evidence[0]?.value.length).toBeLessThanOrEqual(1000);
  });
});
