import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kubeTools, startSimulatedServer, type KubeTools, type StartedServer } from '../testing';

interface Command {
  run: string;
  exit?: number | 'any';
  /** Why a real API server without controllers answers differently; compared by exit code only. */
  differs?: string;
}

const { commands } = JSON.parse(readFileSync(path.join(__dirname, '../../served-commands.json'), 'utf8')) as { commands: Command[] };

/** What differs between any two clusters, or two runs on one. */
function normalised(out: string): string[] {
  return out
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4} UTC|Z)?/g, 'TIME')
    .replace(/(Sun|Mon|Tue|Wed|Thu|Fri|Sat), \d\d \w+ \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, 'TIME')
    .replace(/(Sun|Mon|Tue|Wed|Thu|Fri|Sat) \w+ +\d+ \d\d:\d\d:\d\d \d{4}/g, 'TIME')
    .replace(/resourceVersion: "\d+"|"resourceVersion": ?"\d+"/g, 'RV')
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, 'IP')
    .replace(/https:\/\/127\.0\.0\.1:\d+/g, 'SERVER')
    .replace(/\b\d+(ms|s|m|h)\b/g, 'AGE')
    .replace(/<unknown>|<invalid>/g, 'AGE')
    .replace(/nodePort: \d+|:3\d{4}\//g, 'NODEPORT')
    .split('\n')
    .map((line) => line.replace(/ +/g, ' ').trimEnd())
    .filter((line) => line !== '');
}

const real = process.env['KUBECONFIG_CONFORMANCE'] ?? ''; // skipped where it names no API server

/**
 * The published commands once more, against the simulation and against the API server that `KUBECONFIG_CONFORMANCE` names
 * (its namespace `shop`, which must not be there, is used and removed), outputs compared line by line. Nothing is left behind.
 */
(real ? describe : describe.skip)('the published commands on a real API server', () => {
  let tools: KubeTools | undefined;
  let sim: StartedServer;
  let home: string;
  let before: string[];
  const tally = { equal: 0, different: [] as string[], explained: 0 };

  beforeAll(async () => {
    home = mkdtempSync(path.join(os.tmpdir(), 'larry-conformance-'));
    tools = await kubeTools();
    sim = await startSimulatedServer({});
    if ((await kubectl('get namespace shop --ignore-not-found')) !== '') throw new Error('there is a namespace shop in that cluster: this suite uses and removes one of that name');
    before = await everything();
  }, 60_000);

  afterAll(async () => {
    rmSync(home, { recursive: true, force: true });
    console.log(`compared with a real API server: ${tally.equal} equal, ${tally.explained} explained, ${tally.different.length} different\n${tally.different.join('\n')}`);
    await sim.stop();
  });

  async function kubectl(words: string): Promise<string> {
    const { code, out } = await run({ run: `kubectl ${words}` }, real, 'real');
    if (code !== 0) throw new Error(`kubectl ${words}: ${out}`);
    return out;
  }

  /** Every object of every listable kind, by uid; what the cluster writes all the time aside. */
  async function everything(): Promise<string[]> {
    const kinds = (await kubectl('api-resources --verbs=list -o name')).split('\n').filter((kind) => kind !== '' && !/^(?:events|leases|componentstatuses)\b/.test(kind));
    const printed = await kubectl(`get ${kinds.join(',')} -A -o jsonpath={range.items[*]}{.kind}/{.metadata.name}/{.metadata.uid},{end}`);
    return printed.split(',').filter(Boolean).sort();
  }

  function run(command: Command, kubeconfig: string, folder: string): Promise<{ code: number | null; out: string }> {
    const [tool, ...args] = command.run.split(' ').filter(Boolean).map((word) => word.replace('{tmp}', path.join(home, folder)));
    const env = { PATH: '/usr/bin:/bin', HOME: home, KUBECONFIG: kubeconfig, HELM_NAMESPACE: 'shop', KUBE_EDITOR: 'sed -i s/revisionHistoryLimit:.*/revisionHistoryLimit:\\ 7/' };
    const namespace = tool === 'kubectl' && args[0] !== 'version' ? ['--namespace=shop'] : [];
    const dashes = args.indexOf('--');
    const all = dashes < 0 ? [...args, ...namespace] : [...args.slice(0, dashes), ...namespace, ...args.slice(dashes)];
    const child = spawn((tool === 'helm' ? tools?.helm : tools?.kubectl) as string, all, { cwd: path.join(__dirname, '__fixtures__'), env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    return new Promise((resolve, reject) => child.on('error', reject).on('close', (code) => resolve({ code, out })));
  }

  it.each(commands.map((c, i): [string, Command] => [`${i + 1}. ${c.run}`, c]))('answers %s alike', async (name, command) => {
    const [ours, theirs] = [await run(command, sim.kubeconfig, 'sim'), await run(command, real, 'real')];
    if (command.differs) return void (tally.explained += 1);
    const same = ours.code === theirs.code && JSON.stringify(normalised(ours.out)) === JSON.stringify(normalised(theirs.out));
    if (same) tally.equal += 1;
    else tally.different.push(`${name}\n  simulated (${ours.code}): ${normalised(ours.out).join('\n    ').slice(0, 1500)}\n  real (${theirs.code}): ${normalised(theirs.out).join('\n    ').slice(0, 1500)}`);
    if (command.exit !== 'any') expect({ command: command.run, code: ours.code }).toEqual({ command: command.run, code: theirs.code });
  }, 60_000);

  it('prints nothing else than the real one but where the list says why', () => {
    expect(tally.different).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    for (const what of ['clusterrole nodes', 'clusterrolebinding nodes', 'priorityclass pc1', 'namespace shop']) await kubectl(`delete ${what} --ignore-not-found --timeout=60s`);
    expect(await everything()).toEqual(before);
  }, 120_000);
});
