import { eventually } from '@larry/redis/testing';
import type { Commands } from './commands';
import { CannotShow, must } from './report';
import type { Target } from './target';

interface Pod {
  metadata: { name: string; namespace: string; uid: string; labels?: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: { phase: string };
}

/** What was done to a run, for the account of it afterwards. */
export interface Done {
  said: string;
  value?: string;
}

const withinMs = 120_000;
const faults = ['-n', 'kube-system', 'larry-simulation'];
const pullSeconds = (seconds: string | null): string => JSON.stringify({ data: { 'pull-seconds.larry-02': seconds } });

/** Worker pods at work or on their way, of one Larry. */
export async function workerPods(commands: Commands, larry: string): Promise<Pod[]> {
  const { items } = await commands.read<{ items: Pod[] }>('pods', '-n', larry, '-l', 'app=larry-worker');
  return items.filter(({ metadata, status }) => ['Running', 'Pending'].includes(status.phase) && !metadata.deletionTimestamp);
}

/** The image of larry-02 takes longer than a lease: its coordinator renews the claims until the workers start. */
export async function slowImage({ commands, simulation }: Target, seconds: number): Promise<Done> {
  if (!simulation) throw new CannotShow('a pull can be slowed in the simulation only');
  await commands.kubectl('patch', 'configmap', ...faults, '--type', 'merge', '-p', pullSeconds(String(seconds)));
  return { said: `each pull of the image larry-02 takes ${seconds} s` };
}

/** The coordinator of larry-01 ends without a word while its workers are at work: by SIGKILL in the simulation, elsewhere its pod is forced away. */
export async function killCoordinator({ commands, simulation }: Target): Promise<Done> {
  await atWork(commands, 'larry-01');
  const [name] = (await commands.kubectl('get', 'pods', '-n', 'larry-01', '-l', 'app=larry-coordinator', '-o', 'name')).split('\n');
  if (!simulation) {
    await commands.kubectl('delete', '-n', 'larry-01', name ?? '', '--grace-period=0', '--force');
    return { said: `${name} was forced away` };
  }
  const [pid] = simulation.processes('apps/larry-01/dist/main.js');
  must(pid !== undefined, 'no process of the coordinator is there');
  process.kill(pid as number, 'SIGKILL');
  return { said: `SIGKILL to process ${pid} of ${name}` };
}

/** The Job of a worker of larry-03 that is at work. */
export async function deleteJob({ commands }: Target): Promise<Done> {
  const pod = await atWork(commands, 'larry-03');
  const job = pod.metadata.labels?.['batch.kubernetes.io/job-name'] ?? '';
  await commands.kubectl('delete', 'job', '-n', 'larry-03', job, '--wait=false');
  return { said: `Job larry-03/${job} was deleted at work` };
}

/**
 * The node of a worker at work is drained of workers (others' pods stay), and takes pods again when one of those that had to
 * go is bound to another node. Its name.
 */
export async function drainNode({ commands }: Target, larry: string): Promise<Done> {
  const { items } = await commands.read<{ items: { spec: { unschedulable?: boolean } }[] }>('nodes');
  if (items.filter(({ spec }) => !spec.unschedulable).length < 2) throw new CannotShow('the cluster has one node, and what is drained has nowhere to go');
  const node = (await atWork(commands, larry, ({ spec }) => spec.nodeName !== undefined)).spec.nodeName ?? '';
  const evicted = (await workerPods(commands, larry)).filter(({ spec }) => spec.nodeName === node).map(taskOf);
  try {
    await commands.kubectl('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--pod-selector=app=larry-worker', '--timeout=120s');
    const again = await atWork(commands, larry, (pod) => evicted.includes(taskOf(pod)) && pod.spec.nodeName !== undefined && pod.spec.nodeName !== node);
    return { said: `${node} was drained while ${evicted.join(', ')} were at work there; ${taskOf(again)} went on ${again.spec.nodeName}`, value: node };
  } finally {
    await commands.kubectl('uncordon', node);
  }
}

const taskOf = ({ metadata }: Pod): string => metadata.labels?.['larry.dev/task'] ?? '';

function atWork(commands: Commands, larry: string, wanted: (pod: Pod) => boolean = () => true): Promise<Pod> {
  return eventually(async () => {
    const found = (await workerPods(commands, larry)).find(wanted);
    if (!found) throw new Error(`no worker of ${larry} is at work`);
    return found;
  }, withinMs);
}

/** The simulation's images come at once again. */
export async function mend({ commands, simulation }: Target): Promise<void> {
  if (simulation) await commands.kubectl('patch', 'configmap', ...faults, '--type', 'merge', '-p', pullSeconds(null));
}
