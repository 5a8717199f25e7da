import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { KubeTools, StartedServer } from '../testing';
import { hasKubeTools, kubeTools, startSimulatedServer } from '../testing';

interface Command {
  run: string;
  prints: string;
  exit?: number | 'any';
}

const { commands } = JSON.parse(readFileSync(path.join(__dirname, '../../served-commands.json'), 'utf8')) as { commands: Command[] };

/** The words of a command; JSON after -p has no blanks, so that no quoting is needed. */
const words = (line: string, tmp: string) => line.split(' ').filter(Boolean).map((word) => word.replace('{tmp}', tmp));

const itWithTools = hasKubeTools() ? it : it.skip; // skipped: no kubectl 1.35 and helm 4 on PATH or in the dev dependency for this machine

describe('the published list of kubectl and helm commands', () => {
  let tools: KubeTools | undefined;
  let sim: StartedServer;

  beforeAll(async () => {
    tools = await kubeTools();
    sim = await startSimulatedServer({
      objects: [{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } }],
    });
    sim.server.logs.append('shop', 'solo', 'solo', 0, [
      { time: '2026-01-01T00:00:00Z', line: 'hello from solo' }, { time: '2026-01-01T00:00:01Z', line: 'second line' },
    ]);
  }, 60_000);

  afterAll(() => sim.stop());

  it('finds the tools on linux/x64, where the dev dependency holds them', () => {
    if (process.platform === 'linux' && process.arch === 'x64') expect(tools).toBeDefined();
  });

  async function run(command: Command): Promise<{ code: number | null; out: string }> {
    const [tool, ...args] = words(command.run, path.join(sim.home, 'dump'));
    const file = tool === 'helm' ? tools?.helm : tools?.kubectl;
    const env = { PATH: '/usr/bin:/bin', HOME: sim.home, KUBECONFIG: sim.kubeconfig, HELM_NAMESPACE: 'shop', KUBE_EDITOR: 'sed -i s/revisionHistoryLimit:.*/revisionHistoryLimit:\\ 7/' };
    const namespace = tool === 'kubectl' && args[0] !== 'version' ? ['--namespace=shop'] : [];
    const dashes = args.indexOf('--');
    const all = dashes < 0 ? [...args, ...namespace] : [...args.slice(0, dashes), ...namespace, ...args.slice(dashes)];
    const child = spawn(file as string, all, { cwd: path.join(__dirname, '__fixtures__'), env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    return { code, out };
  }

  itWithTools.each(commands.map((c, i): [string, Command] => [`${i + 1}. ${c.run}`, c]))('serves %s', async (_name, command) => {
    const { code, out } = await run(command);
    expect(out).toMatch(new RegExp(command.prints));
    if (command.exit !== 'any') expect({ command: command.run, code, out: code === (command.exit ?? 0) ? '' : out }).toEqual({ command: command.run, code: command.exit ?? 0, out: '' });
  }, 60_000);
});
