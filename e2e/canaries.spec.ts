import { kafkaJars, startKafkaBroker, type KafkaBroker } from '@larry/events/testing';
import { readRunFromKafka, type KafkaSettings } from '@larry/events';
import { connectRedis } from '@larry/redis';
import { eventually } from '@larry/redis/testing';
import { hasKubeTools } from '@larry/simulation/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { canaries, canariesIn, control, nodeArguments, plantedObjects } from './src/canaries';
import { chartTools, kubectlOf, repository, type ChartTools, type Said } from './src/helm';
import { startSimulation, type SimulationProcess } from './src/simulation';

/**
 * Twelve secrets in a cluster, a whole run over it with every command that reads, and a search through all that it left: none
 * is found. In each place something that is no secret must be found, so that a search that sees nothing fails.
 */
let simulation: SimulationProcess;
let tools: ChartTools | undefined;
let broker: KafkaBroker | undefined;
let kafka: KafkaSettings;
let folder: string;
let state: string;
let crew: ChildProcess;
let printed = '';
let run = '';
const commandLines = new Set<string>();
let sampling: NodeJS.Timeout;

const itWithTools = hasKubeTools() ? it : it.skip; // skipped: no helm 4 and kubectl 1.35 for this machine
const jars = kafkaJars();
if (!jars) console.log('canaries.spec: Kafka is skipped, it needs a JDK, and Maven with its repository in reach');
const program = path.join(repository, 'apps/cli/dist/main.js');

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'larry-canaries-'));
  state = path.join(folder, 'state');
  [simulation, broker] = await Promise.all([startSimulation(), jars ? startKafkaBroker(jars) : undefined]);
  tools = await chartTools(simulation.kubeconfig);
  await plant(tools as ChartTools);
  sampling = setInterval(sampleCommandLines, 150);
  await wholeRun();
}, 240_000);
afterAll(async () => {
  clearInterval(sampling);
  crew?.kill('SIGINT');
  if (crew && crew.exitCode === null) await new Promise((resolve) => crew.once('exit', resolve));
  tools?.end();
  await simulation?.stop();
  await broker?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function plant(kube: ChartTools): Promise<void> {
  const node = 'k3s-worker01';
  const items = plantedObjects(node);
  await kubectlOf(kube, 'apply', '--validate=false', '-f', kube.file('canaries.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items })));
  await kubectlOf(kube, 'patch', 'node', node, '--patch-file', kube.file('node.json', JSON.stringify({ metadata: { annotations: { 'k3s.io/node-args': nodeArguments } } })));
  await eventually(async () => expect(await kubectlOf(kube, 'get', 'pods', '-n', 'canaries')).toMatch(/CrashLoopBackOff|Error/), 30_000);
}

/** The crew in mode auto, by the program, and left up. */
async function wholeRun(): Promise<void> {
  const kubeconfig = (tools as ChartTools).file('kubeconfig', simulation.kubeconfig);
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: kubeconfig, LOG_LEVEL: 'debug', ...(broker ? { KAFKA_BROKERS: broker.address } : {}) };
  kafka = { brokers: [broker?.address ?? ''], topicPrefix: '', ssl: false };
  crew = spawn(process.execPath, [program, 'run', '--kubeconfig', kubeconfig, '--mode', 'auto', '--keep', '--lines', '--state', state], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [crew.stdout, crew.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await eventually(() => expect(printed).toContain('Everything stays up'), 180_000);
  run = /Run (run-[\w-]+)/.exec(printed)?.[1] ?? '';
}

/** Every process of this machine: no secret may stand where every user can read it. */
function sampleCommandLines(): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
      if (line) commandLines.add(line);
    } catch {
      // It has ended.
    }
  }
}

const larry = (...args: string[]): Promise<Said> => (tools as ChartTools).larry(...args);

/** Every file below a folder, compressed ones unpacked; names count as well. */
function everythingIn(dir: string): string {
  return readdirSync(dir, { withFileTypes: true })
    .map((entry) => {
      const file = path.join(dir, entry.name);
      if (entry.isDirectory()) return `${entry.name}\n${everythingIn(file)}`;
      if (!statSync(file).isFile()) return entry.name;
      const bytes = readFileSync(file);
      return `${entry.name}\n${(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('latin1')}`;
    })
    .join('\n');
}

/** What a place holds: something of the run, and no canary. */
function expectClean(text: string, ...seen: string[]): void {
  for (const expected of seen) expect([expected, text.includes(expected)]).toEqual([expected, true]);
  expect(canariesIn(text)).toEqual([]);
}

const search = (place: string, test: () => Promise<void> | void): void => itWithTools(place, async () => void (await test()), 120_000);

search('the cluster itself holds all twelve: the search can find them', async () => {
  const kinds = 'secrets,configmaps,deployments,jobs,events,nodes';
  const objects = await kubectlOf(tools, 'get', kinds, '-A', '-o', 'yaml');
  const inCluster = [...new Set([...canariesIn(objects), ...canariesIn(JSON.stringify(plantedObjects('x'))), ...canariesIn(JSON.stringify(plantedHelmValues()))])];
  expect(inCluster.sort()).toEqual(Object.keys(canaries).sort());
});

search("Redis: every key's value, the stream, and the append-only file with all that ever stood there", async () => {
  const { redisUrl } = JSON.parse(readFileSync(path.join(state, 'stack.json'), 'utf8')) as { redisUrl: string };
  expectClean(await everythingInRedis(redisUrl), control, run, 'task_complete');
  expectClean(everythingIn(path.join(state, 'redis')), control, run);
});

search('reports: JSON, Markdown, HTML', () => {
  const reports = path.join(state, 'reports');
  expect(readdirSync(reports)).toEqual(expect.arrayContaining(['3-LARRY-EXECUTION-SUMMARY.html', '3-LARRY-EXECUTION-SUMMARY.json', '3-LARRY-EXECUTION-SUMMARY.md', 'larry-01-final.json']));
  for (const name of readdirSync(reports)) expectClean(readFileSync(path.join(reports, name), 'utf8'), run);
  expectClean(everythingIn(reports), control);
});

search('logs of every process, at level debug', () => {
  const logs = everythingIn(path.join(state, 'logs'));
  expectClean(logs, run, 'fix-pgadmin-crashloop');
});

search('the audit log, the memory, everything else that is kept', () => {
  expectClean(readFileSync(path.join(state, 'audit.jsonl'), 'utf8'), run);
  expectClean(everythingIn(state), run);
});

search('what the run prints', () => expectClean(printed, run, 'PgAdmin'));

search('command lines of all processes, looked at all along', () => {
  expectClean([...commandLines].join('\n'), 'larry-01/dist/worker.js', 'meta-coordinator/dist/main.js');
});

(jars ? itWithTools : it.skip)('Kafka: the run as it is read back from there', async () => {
  const { events } = await readRunFromKafka(kafka, run);
  expectClean(events.map(({ json }) => json).join('\n'), run, 'run_complete');
}, 60_000);

search('check: on the screen, as JSON, SARIF, Markdown, HTML', async () => {
  const html = path.join(folder, 'check.html');
  const said = await larry('check', '--json', '--html', html, '--sarif', path.join(folder, 'check.sarif'), '--markdown', path.join(folder, 'check.md'));
  expectClean(said.out + said.err, control);
  for (const name of ['check.html', 'check.sarif', 'check.md']) expectClean(readFileSync(path.join(folder, name), 'utf8'), control);
});

search('diagnose, as JSON', async () => {
  expectClean((await larry('diagnose', '--json')).out, control);
});

search('snapshot, and what check and diagnose say of it on the screen', async () => {
  const snapshot = path.join(folder, 'snapshot');
  await larry('snapshot', '--output', snapshot);
  expectClean(everythingIn(snapshot), control);
  const said = await Promise.all([larry('check', '--all', '--snapshot', snapshot), larry('diagnose', '--snapshot', snapshot)]);
  for (const { out, err } of said) expectClean(out + err, control);
});

search('status, events, report and the support bundle', async () => {
  for (const [command, seen] of [['status', 'larry-01'], ['events', 'task_complete'], ['report', control]] as const) {
    const said = await larry(command, ...(command === 'events' ? ['--no-follow'] : []), '--state', state);
    expectClean(said.out + said.err, seen);
  }
  const bundle = path.join(folder, 'bundle.tar.gz');
  await larry('support-bundle', '--state', state, '--output', bundle);
  expectClean(gunzipSync(readFileSync(bundle)).toString('latin1'), run, 'doctor.json');
});

/** As helm keeps them: compressed, so that no search of the cluster's text sees them. */
function plantedHelmValues(): unknown {
  const record = plantedObjects('x').find(({ metadata }) => metadata.name.startsWith('sh.helm.release'));
  const { release } = (record as unknown as { data: { release: string } }).data;
  return JSON.parse(gunzipSync(Buffer.from(Buffer.from(release, 'base64').toString(), 'base64')).toString());
}

async function everythingInRedis(url: string): Promise<string> {
  const redis = await connectRedis({ url, prefix: '' });
  try {
    const { commands } = redis;
    const read: Record<string, (key: string) => Promise<unknown>> = {
      string: (key) => commands.get(key),
      hash: (key) => commands.hgetall(key),
      set: (key) => commands.smembers(key),
      zset: (key) => commands.zrange(key, 0, -1, 'WITHSCORES'),
      list: (key) => commands.lrange(key, 0, -1),
      stream: (key) => commands.xrange(key, '-', '+'),
    };
    const parts = await Promise.all(
      (await commands.keys('*')).map(async (key) => {
        const type = await commands.type(key);
        const value = await read[type]?.(key);
        // As it was written: what stands in JSON in JSON in JSON is looked at without its backslashes too.
        const text = JSON.stringify(value) ?? '';
        return `${key}\n${text}\n${text.replace(/\\+/g, '')}`;
      }),
    );
    return parts.join('\n');
  } finally {
    await redis.close();
  }
}
