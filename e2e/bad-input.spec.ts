import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testRedis, type TestRedis } from '@larry/redis/testing';

// The built `larry` as a process: bad input costs one sentence and the right exit code, never a stack and never what is good.

const root = path.join(__dirname, '..');
const program = path.join(root, 'apps/cli/dist/main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'larry-bad-input-'));
const at = (...parts: string[]): string => path.join(folder, ...parts);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(file: string, text: string): string {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), text);
  return at(file);
}

const environment = (extra: Record<string, string> = {}): NodeJS.ProcessEnv => {
  const { REDIS_URL: _, KUBECONFIG: __, LARRY_DEBUG: ___, ...rest } = process.env;
  return { ...rest, XDG_STATE_HOME: at('xdg'), HOME: at('home'), ...extra };
};

function larry(args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder, env: environment(env), encoding: 'utf8', timeout: 100_000 });
  return { status, stdout, stderr };
}

/** Standard error holds one sentence for people and nothing of our insides. */
function expectOneSentence({ stderr, stdout }: { stderr: string; stdout: string }, sentence: RegExp): void {
  const said = stderr.split('\n').filter((l) => l.startsWith('larry: ') && !/^larry: wrote /.test(l));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(sentence);
  expect(stderr + stdout).not.toMatch(/^\s+at .*[:(]\d+/m);
  expect(stderr).not.toMatch(/unexpected; LARRY_DEBUG/);
}

const good = put('good/a.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fine, namespace: one}\n');
const manifests = path.dirname(good);
const plan = readFileSync(path.join(root, 'plans/3-larry.yaml'), 'utf8');

function planWith(from: string, to: string): string {
  if (!plan.includes(from)) throw new Error(`the plan has no ${from}`);
  return plan.replace(from, to);
}

describe('a plan that cannot be used', () => {
  const cases: [string, string, RegExp][] = [
    ['a cycle', planWith('worker: consolidation-worker', 'worker: consolidation-worker\n        needs: [optimize-postgresql]'), /circle: consolidate-postgresql → optimize-postgresql → consolidate-postgresql/],
    ['a task that is not there', planWith('needs: [consolidate-postgresql]', 'needs: [nope]'), /larrys\[0\]\.tasks\[2\]\.needs\[0\]: there is no task "nope"/],
    ['a task without a playbook', planWith('id: review-prs', 'id: brew-coffee'), /larry-03 has no playbook "brew-coffee".*larry playbook list/],
    ['a node that is not there', planWith('workerNodes: [k3s-worker01]', 'workerNodes: [k3s-worker09]'), /larrys\[0\]\.workerNodes\[0\]: node "k3s-worker09" is not among/],
    ['budgets that do not add up', planWith('totalTokens: 478000', 'totalTokens: 5'), /totalTokens: says 5, but .* add up to 478000/],
    ['an id that stands twice', planWith('id: optimize-postgresql', 'id: setup-monitoring'), /task id "setup-monitoring" is used twice/],
    ['a field that nobody knows', planWith('totalTokens:', 'colour: red\ntotalTokens:'), /colour/],
    ['YAML that does not parse', 'version: 1\nlarrys: [1\nx: 2\n', /broken.*\.yaml:3: /],
  ];

  it.each(cases)('%s is refused by check and run alike, by its place', (name, text, sentence) => {
    const file = put(`plans/broken-${name.replaceAll(' ', '-')}.yaml`, text);
    for (const command of [['check'], ['run', '--state', at('state-plan')]]) {
      const ended = larry([...command, '--manifests', manifests, '--plan', file]);
      expect(ended.status).toBe(2);
      expectOneSentence(ended, sentence);
    }
    expect(existsSync(at('state-plan'))).toBe(false);
  });

  it('is missing, or a folder', () => {
    const missing = larry(['check', '--manifests', manifests, '--plan', at('none.yaml')]);
    expect(missing.status).toBe(2);
    expectOneSentence(missing, /there is no plan at .*none\.yaml/);
    const aFolder = larry(['check', '--manifests', manifests, '--plan', folder]);
    expect(aFolder.status).toBe(2);
    expectOneSentence(aFolder, /cannot be read/);
  });
});

describe('manifests that cannot be read', () => {
  it('names file and line of what does not parse, and goes on with the rest', () => {
    put('mixed/b.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: before, namespace: one}\n---\na: [1\nb: 2\n');
    put('mixed/c.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: after, namespace: two}\n');
    put('mixed/d.json', '{"apiVersion": "v1", ');
    const { status, stdout } = larry(['check', '--manifests', at('mixed'), '--json']);
    expect(status).toBe(0);
    const { files, tasks } = JSON.parse(stdout) as { files: { loaded: number; skipped: { file: string; line: number; reason: string }[] }; tasks: { task: string; figures: Record<string, number> }[] };
    expect(files.skipped).toEqual([
      expect.objectContaining({ file: 'b.yaml', line: 6, reason: expect.stringContaining('does not parse') }),
      expect.objectContaining({ file: 'd.json', reason: expect.stringContaining('does not parse') }),
    ]);
    expect(tasks.find((t) => t.task === 'catalog-deployments')?.figures['assets_discovered']).toBeGreaterThanOrEqual(2);
  });

  it('shows hostile names harmless, on the screen and in every file', () => {
    put('hostile/d.yaml', `apiVersion: apps/v1
kind: Deployment
metadata: {name: "evil\\e[31m</script><img src=x onerror=alert(1)>", namespace: "x|\`\\u202e](javascript:x)"}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers: [{name: c, image: "nginx\\e]0;owned\\a:latest", securityContext: {privileged: true}}]
`);
    const files = { html: at('h.html'), markdown: at('h.md'), sarif: at('h.sarif') };
    const { status, stdout } = larry(['check', '--manifests', at('hostile'), '--html', files.html, '--markdown', files.markdown, '--sarif', files.sarif]);
    expect(status).toBe(0);
    expect(stdout).toContain('CRITICAL');
    const texts = [stdout, ...Object.values(files).map((f) => readFileSync(f, 'utf8'))];
    for (const text of texts) expect(text).not.toMatch(/[\u001b\u0007\u202e]|\\u001b|\\u202e/);
    expect(texts[1]).not.toMatch(/<script|<img src=x/);
    expect(texts[2]?.replace(/^(`{3,})[^]*?^\1$/gm, '')).not.toMatch(/(?<!\\)<|(?<!\\)\]\(/);
    JSON.parse(texts[3] ?? '');
  });

  it.each([['manifests'], ['snapshot'], ['dump']])('says that the folder of --%s is not there', (option) => {
    for (const command of [['check'], ['run', '--state', at('state-nowhere')], ['sim', 'up']]) {
      const ended = larry([...command, `--${option}`, at('nowhere')]);
      expect(ended.status).toBe(2);
      expectOneSentence(ended, /nowhere/);
    }
  });
});

describe('words that do not fit', () => {
  it.each([
    [['check', '--frobnicate'], /unknown option '--frobnicate'/],
    [['check', '--manifests', 'a', '--dump', 'b'], /cannot be used with/],
    [['check', '--fail-on', 'everything'], /Allowed choices/],
    [['run', '--mode', 'yolo'], /Allowed choices/],
    [['run', '--replicas', 'many'], /whole number/],
    [['sim', 'up', '--speed', 'fast'], /number above 0/],
    [['frobnicate'], /unknown command/],
  ])('larry %j exits with 2', (args, sentence) => {
    const ended = larry(args);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toMatch(sentence);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    [['check', '--exceptions', 'none.yaml'], /exceptions file none\.yaml cannot be read/],
    [['check', '--html', 'no/such/folder/x.html'], /cannot write no\/such\/folder\/x\.html/],
    [['check', '--json', '--sarif'], /cannot share standard output/],
    [['run', '--mode', 'auto'], /a folder cannot be changed/],
    [['run', '--allow', 'foo,workload-env'], /--allow names "foo", which no playbook makes; the categories of change are .*workload-env, .*workload-security-context/],
    [['playbook', 'run', 'brew-coffee'], /there is no playbook "brew-coffee"/],
  ])('larry %j exits with 2 and says what to do', (args, sentence) => {
    const ended = larry([...args, '--manifests', manifests]);
    expect(ended.status).toBe(2);
    expectOneSentence(ended, sentence);
  });

  it('keeps nothing of the check from a person whose state folder cannot be written', () => {
    const closed = at('closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    // A file where a folder must be: also root cannot make it.
    put('closed-file', '');
    const { status, stdout, stderr } = larry(['check', '--manifests', manifests], { XDG_STATE_HOME: at('closed-file') });
    expect(status).toBe(0);
    expect(stdout).toContain('No findings in what could be read');
    expect(stderr).toMatch(/^larry: this check could not be kept for --since last: /);
  });
});

describe('what is out of reach', () => {
  it('is a kubeconfig that is not there, or is none', () => {
    const missing = larry(['check', '--kubeconfig', at('none')]);
    expect(missing.status).toBe(3);
    expectOneSentence(missing, /kubeconfig .*none: no such file/);
    const garbage = larry(['check', '--kubeconfig', put('garbage', 'a: [1')]);
    expect(garbage.status).toBe(3);
    expectOneSentence(garbage, /garbage/);
  });

  it('is a cluster where nobody listens, for check and for run', async () => {
    const kubeconfig = put('kubeconfig', kubeconfigOf(await closedPort()));
    const check = larry(['check', '--kubeconfig', kubeconfig]);
    expect(check.status).toBe(3);
    expectOneSentence(check, /refuses the connection/);
    const run = larry(['run', '--kubeconfig', kubeconfig, '--state', at('state-unreachable')]);
    expect(run.status).toBe(3);
    expectOneSentence(run, /refuses the connection/);
  });

  it('is a Redis that REDIS_URL names, or no Redis at all', async () => {
    const ended = larry(['run', '--manifests', manifests, '--state', at('state-redis')], { REDIS_URL: `redis://127.0.0.1:${await closedPort()}` });
    expect(ended.status).toBe(3);
    expectOneSentence(ended, /Redis at 127\.0\.0\.1:\d+ cannot be reached/);
    const nonsense = larry(['run', '--manifests', manifests, '--state', at('state-redis')], { REDIS_URL: 'nonsense' });
    expect(nonsense.status).toBe(2);
    expectOneSentence(nonsense, /must begin with redis:\/\//);
  });
});

describe('Ctrl-C', () => {
  let servers: TestRedis;
  beforeAll(async () => {
    servers = await testRedis();
  });
  afterAll(() => servers.stop());

  it('in the middle of the convergence leaves a report of what was done, no process, and no lease', async () => {
    const state = at('state-stopped');
    const prefix = 'ctrl-c:';
    const child = spawn(process.execPath, [program, 'run', '--manifests', manifests, '--state', state, '--lines'], { cwd: folder, env: environment({ REDIS_URL: servers.url.replace('redis://', 'redis://default:not-shown@'), LARRY_PREFIX: prefix }), stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const pids: number[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        const begun = said.includes('convergence_started');
        said += chunk.toString();
        if (begun || !said.includes('convergence_started')) return;
        pids.push(...(JSON.parse(readFileSync(path.join(state, 'stack.json'), 'utf8')) as { services: { pid: number }[] }).services.map((s) => s.pid));
        child.kill('SIGINT');
      });
    }
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    expect(said).toMatch(/larry: stopping\. Running tasks end as skipped\(aborted\)/);
    expect(said).toMatch(/Run \S+ aborted: \d of 16 tasks did work\. This is a partial report\./);
    expect(code).toBe(130);
    expect(said).not.toContain('not-shown');
    const summary = JSON.parse(readFileSync(path.join(state, 'reports', '3-LARRY-EXECUTION-SUMMARY.json'), 'utf8')) as { status: string; didWork: { done: number }; validations: unknown[] };
    expect(summary).toMatchObject({ status: 'aborted', validations: [] });
    expect(summary.didWork.done).toBeGreaterThan(0);
    const client = await servers.client({ prefix });
    expect(await client.commands.keys(`${prefix}task:lock:*`)).toEqual([]);
    expect(pids).toHaveLength(4);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe('a second run', () => {
  let servers: TestRedis;
  beforeAll(async () => {
    servers = await testRedis();
  });
  afterAll(() => servers.stop());

  it('under the same state folder is refused while the first goes on, and hurts it not', async () => {
    const state = at('state-two');
    const first = spawn(process.execPath, [program, 'run', '--manifests', manifests, '--state', state, '--lines', '--keep'], { cwd: folder, env: environment({ REDIS_URL: servers.url }), stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [first.stdout, first.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => first.once('exit', resolve));
    try {
      await until(() => existsSync(path.join(state, 'stack.json')) && said.includes('Run '), () => said);
      const second = larry(['run', '--manifests', manifests, '--state', state], { REDIS_URL: servers.url });
      expect(second.status).toBe(2);
      expectOneSentence(second, /a run is going on under .*state-two/);
      await until(() => said.includes('Everything stays up until Ctrl-C'), () => said);
      expect(said).toMatch(/Run \S+ completed/);
    } finally {
      first.kill('SIGINT');
      await ended;
    }
  });
});

describe('a run that is killed with kill -9', () => {
  it('is closed by the next one under its folder, which says what it had changed and keeps its report', async () => {
    const state = at('state-killed');
    const killed = spawn(process.execPath, [program, 'run', '--simulated', '--mode', 'auto', '--state', state, '--lines', '--lease-ttl', '3000'], { cwd: folder, env: environment(), stdio: 'ignore' });
    const log = path.join(state, 'audit.jsonl');
    await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('"change_intended"'), () => 'it changes nothing');
    killed.kill('SIGKILL');
    const next = spawn(process.execPath, [program, 'run', '--manifests', manifests, '--state', state, '--lines'], { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((resolve) => next.once('close', resolve));
    let said = '';
    for (const stream of [next.stdout, next.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    try {
      await until(() => next.exitCode !== null || /^Run run-/m.test(said), () => said);
    } finally {
      next.kill('SIGINT');
      await ended;
    }
    const [, run = ''] = /run (\S+) under \S+ was cut off/.exec(said) ?? [];
    expect(said).toMatch(new RegExp(`run ${run} is closed as aborted\\. The changes that it had begun, .*\\n {2}\\S+/\\S+: `));
    expect(said).toMatch(/^Run run-/m);
    expect(JSON.parse(readFileSync(path.join(state, 'reports', run, '3-LARRY-EXECUTION-SUMMARY.json'), 'utf8'))).toMatchObject({ run, status: 'aborted', source: { simulated: true } });
    expect(readFileSync(log, 'utf8')).toMatch(new RegExp(`"run_aborted"[^\\n]*${run}|${run}[^\\n]*"run_aborted"`));
  });
});

async function until(true_: () => boolean, say: () => string): Promise<void> {
  for (let i = 0; i < 900; i++) {
    if (true_()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it never came to that: ${say()}`);
}

function kubeconfigOf(port: number): string {
  return `apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "http://127.0.0.1:${port}"}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
users: [{name: a, user: {token: x}}]
current-context: a
`;
}

/** A port of this machine that was just closed: nobody listens. */
function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
