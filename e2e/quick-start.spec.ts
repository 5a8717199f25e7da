import { AuditLog } from '@larry/audit';
import { eventually, startServer, type ServerProcess } from '@larry/redis/testing';
import { hasKubeTools, kubeTools } from '@larry/simulation/testing';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chartTools, kubectlOf, repository, type ChartTools } from './src/helm';
import { installReleases, token, type OnCluster } from './src/releases';
import { startSimulation, type SimulationProcess } from './src/simulation';
import { commandLines, expectAnswer, Followed, printedLines, programOnPath, readersRedis, ReadersShell, type PrintedLine } from './src/typed-lines';

/**
 * The lines of the quick start and of "Day two" in docs/operations.md, typed as they are printed: by the real kubectl, helm and
 * redis-cli, in a shell, against the simulated cluster with the four releases in it, before, during and after a run.
 */
const quickStart = printedLines(path.join(repository, 'e2e/quick-start/lines.yaml'));
const dayTwo = printedLines(path.join(repository, 'e2e/operations/lines.yaml'));
const printed = [...quickStart, ...dayTwo];
const redisCli = programOnPath('redis-cli');
const itWithTools = hasKubeTools() && process.platform === 'linux' ? it : it.skip; // skipped: no helm 4 and kubectl 1.35 for this machine, or no Linux
const seed = path.join(repository, '../shared/seed/3-larry-quick-start.md');

let tools: ChartTools | undefined;
let simulation: SimulationProcess;
let redis: ServerProcess;
let cluster: OnCluster;
let shell: ReadersShell;
let folder: string;
const following = new Map<string, Followed>();

beforeAll(async () => {
  const kube = process.platform === 'linux' ? await kubeTools() : undefined;
  if (!kube) return;
  folder = mkdtempSync(path.join(tmpdir(), 'larry-reader-'));
  [redis, simulation] = await Promise.all([startServer(), startSimulation()]);
  tools = await chartTools(simulation.kubeconfig);
  if (!tools) return;
  const redisUrl = `redis://127.0.0.1:${redis.port}`;
  const env = { HOME: folder, KUBECONFIG: tools.file('readers-kubeconfig', simulation.kubeconfig), REDIS_URL: redisUrl, LARRY_TOKEN: token };
  shell = new ReadersShell(folder, { kubectl: kube.kubectl, helm: kube.helm, ...(redisCli ? { 'redis-cli': redisCli } : {}) }, env);
  symlinkSync(path.join(repository, 'helm'), path.join(folder, 'helm'));
  await new AuditLog(path.join(folder, 'larry-01-audit.jsonl')).append({ actor: 'test', action: 'change_applied' });
  cluster = await installReleases(tools, redisUrl);
}, 180_000);
afterAll(async () => {
  await shell?.end();
  tools?.end();
  await simulation?.stop();
  await redis?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** What the reader types: the address at hand, and a value for each placeholder. */
async function typed({ line, with: values = {} }: PrintedLine): Promise<string> {
  const named = Object.entries(values).reduce((text, [placeholder, value]) => text.replaceAll(placeholder, value), line);
  const pod = named.includes('{pod}') ? (await shell.type("kubectl get pods -n larry-01 -l app=larry-coordinator -o jsonpath='{.items[0].metadata.name}'")).out : '';
  return readersRedis(named.replaceAll('{pod}', pod).replaceAll('http://127.0.0.1:8080', cluster.api), redis.port);
}

/** The reader's kubeconfig, with the namespace of its context where the line wants one. */
async function contextOf({ context }: PrintedLine): Promise<NodeJS.ProcessEnv> {
  if (!context) return {};
  const env = { KUBECONFIG: (tools as ChartTools).file(`kubeconfig-${context}`, simulation.kubeconfig) };
  await shell.type(`kubectl config set-context --current --namespace ${context}`, env);
  return env;
}

/** Why a line cannot be typed here; undefined where it can. */
const cannotType = ({ line, skip }: PrintedLine): string | undefined => skip ?? (line.startsWith('redis-cli') && !redisCli ? 'there is no redis-cli on PATH' : undefined);

function linesOf(when: string, title: string, test: (line: PrintedLine) => Promise<void>, timeoutMs = 60_000): void {
  for (const line of printed.filter((l) => l.when === when)) {
    const cannot = cannotType(line);
    if (cannot) it.skip(`${line.line} (${cannot})`, () => undefined);
    else itWithTools(`${title}: ${line.line}`, () => test(line), timeoutMs);
  }
}

async function answers(line: PrintedLine): Promise<void> {
  const said = await shell.type(await typed(line), await contextOf(line));
  // larry talks about what it does on standard error; helm tells of the library chart's link.
  const err = line.line.startsWith('larry ') ? '' : said.err.split('\n').filter((text) => !text.includes('found symbolic link')).join('\n');
  expect({ code: said.code, err, out: said.code === 0 ? '' : said.out + said.err }).toEqual({ code: 0, err: '', out: '' });
  expectAnswer(line, said.out);
}

(existsSync(seed) ? it : it.skip)('the table has every kubectl and redis-cli line of the quick start, and no other (skipped where ../shared is not there)', () => {
  expect(quickStart.map(({ line }) => line).sort()).toEqual(commandLines(readFileSync(seed, 'utf8'), ['kubectl', 'redis-cli']).sort());
});

it('the table has every command of "Day two", and no other', () => {
  const [, page = ''] = readFileSync(path.join(repository, 'docs/operations.md'), 'utf8').split('\n## Day two\n');
  const commands = page.split('\n').filter((line) => /^ {4}(?!export )/.test(line)).map((line) => line.trim());
  expect(commands.sort()).toEqual(dayTwo.map(({ line }) => line).sort());
});

linesOf('before', 'before a run', async (line) => {
  if (!line.follows) return eventually(() => answers(line), 20_000);
  const followed = shell.follow(await typed(line));
  following.set(line.line, followed);
  await eventually(() => expectAnswer({ ...line, answers: line.answers.slice(0, 1) }, followed.out), 20_000);
});

itWithTools('a run begins, one of whose workers cannot start at first: somebody else has a Job of its name', async () => {
  await kubectlOf(tools, 'create', 'job', 'larry-02-audit-worker', '-n', 'larry-02', '--image=registry.example/somebody/else');
  await cluster.begin();
});

linesOf('running', 'during a run', (line) => eventually(() => answers(line), 40_000));

itWithTools('the run completes, although a lock was deleted and a worker could not start', async () => {
  await eventually(async () => expect((await cluster.current()).status).toBe('completed'), 100_000);
}, 120_000);

for (const line of printed.filter(({ follows }) => follows)) {
  (cannotType(line) ? it.skip : itWithTools)(`what it has printed at the end of the run: ${line.line}`, async () => {
    const followed = following.get(line.line);
    await followed?.stop();
    expect(followed?.err).toBe('');
    expectAnswer(line, followed?.out ?? '');
  });
}

linesOf('ended', 'after a run', answers);
linesOf('cleanup', 'cleaning up', answers);
