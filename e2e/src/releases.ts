import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { approvalKeys, journalKey } from './approval-keys';
import { chartFolder, charts, kubectlOf, repository, type ChartTools } from './helm';

/** The token that the API of {@link installReleases} takes. */
export const token = 'a-token-for-this-test';

/** The four releases in a cluster, by the real helm, with the Secrets that they ask for; waits until they are rolled out. */
export async function installReleases(tools: ChartTools, redisUrl: string): Promise<OnCluster> {
  await Promise.all(charts.map((chart) => install(tools, chart, redisUrl)));
  const rollout = (chart: string) => kubectlOf(tools, 'rollout', 'status', `deployment/${chart === 'meta-coordinator' ? chart : `${chart}-coordinator`}`, '-n', chart, '--timeout=60s');
  await Promise.all(charts.map(rollout));
  const address = await kubectlOf(tools, 'get', 'pods', '-n', 'meta-coordinator', '-l', 'app.kubernetes.io/name=meta-coordinator', '-o', 'jsonpath={.items[0].status.podIP}');
  return new OnCluster(`http://${address}:8080`);
}

async function install(tools: ChartTools, chart: string, redisUrl: string): Promise<void> {
  if (chart === 'meta-coordinator') await kubectlOf(tools, 'create', 'namespace', chart);
  const secret = (name: string, ...from: string[]) => kubectlOf(tools, 'create', 'secret', 'generic', name, '-n', chart, ...from);
  const file = (key: string, name: string) => `--from-file=${key}=${name}`;
  await secret('larry-redis', `--from-literal=url=${redisUrl}`);
  await secret('larry-keys', file('approval.pub', approvalKeys.publicKey), file('journal.key', journalKey));
  if (chart === 'meta-coordinator') {
    await secret('larry-approval-key', file('approval.key', approvalKeys.privateKey));
    await secret('larry-tokens', `--from-literal=tokens.json=${JSON.stringify({ tester: createHash('sha256').update(token).digest('hex') })}`);
  }
  const { code, err } = await tools.helm('install', chart, chartFolder(chart), '-n', chart, '--set', `image.repository=registry.example/${chart}`);
  if (code !== 0) throw new Error(err);
}

/** The API of the meta-coordinator that runs in the cluster. */
export class OnCluster {
  private readonly headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

  constructor(readonly api: string) {}

  /** Begins a run of the quick start's plan that changes nothing; its id. */
  async begin(): Promise<string> {
    const plan: unknown = parse(readFileSync(path.join(repository, 'plans', '3-larry.yaml'), 'utf8'));
    const answer = await fetch(`${this.api}/runs`, { method: 'POST', headers: this.headers, body: JSON.stringify({ plan, mode: 'observe', allow: [] }) });
    const text = await answer.text();
    if (answer.status !== 201) throw new Error(`the run was not begun: ${answer.status} ${text}`);
    return (JSON.parse(text) as { run: string }).run;
  }

  async current(): Promise<{ status: string; tasks: { task: string; status: string; skipReason?: string }[] }> {
    const answer = await fetch(`${this.api}/runs/current`, { headers: this.headers });
    return (await answer.json()) as { status: string; tasks: { task: string; status: string }[] };
  }
}
