import { JobLauncher, ownerFromTokenFile, parseJobTemplate } from '@larry/coordinator';
import { openLive } from '@larry/kube';
import { eventually } from '@larry/redis/testing';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { chartFolder, charts } from '../helm';
import { inventoryOf, type Inventory } from './inventory';
import { CannotShow, must, type Report } from './report';
import type { Target } from './target';

/** What the caller of the trial decided. */
export interface TrialOptions {
  images: string;
  redisUrl?: string;
  redisImage?: string;
  mode: 'observe' | 'auto';
  /** Whether the addresses of pods are reached from here. */
  inNetwork: boolean;
  /** Of the runs' leases, milliseconds. */
  leaseTtlMs: number;
  /** How long the image of larry-02 takes in the simulation, seconds. */
  pullSeconds: number;
}

/** A trial under way. */
export interface Trial {
  target: Target;
  report: Report;
  options: TrialOptions;
  before: Inventory;
  /** What takes long and what runs here depends on these. */
  can: { runPods: boolean; collectGarbage: boolean };
}

export const deploymentOf = (chart: string): string => (chart === 'meta-coordinator' ? chart : `${chart}-coordinator`);
const rolloutWithin = '--timeout=300s';

/** Whether pods run here and owners are looked after: a bare API server does neither. */
export async function abilitiesOf({ commands }: Target): Promise<Trial['can']> {
  const nodes = await commands.read<{ items: { spec: { unschedulable?: boolean }; status: { conditions?: { type: string; status: string }[] } }[] }>('nodes');
  const runPods = nodes.items.some(({ spec, status }) => !spec.unschedulable && status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'));
  const answers = await commands.kubectl('get', 'lease', '-n', 'kube-system', 'kube-controller-manager', '--ignore-not-found', '-o', 'name');
  return { runPods, collectGarbage: runPods || answers.trim() !== '' };
}

/** `larry install`, until its four Deployments are rolled out. The token that it showed. */
export async function install({ target, options, can }: Trial): Promise<{ said: string; value: string }> {
  const { commands, folder } = target;
  const values = path.join(folder, 'values.yaml');
  writeFileSync(values, stringify({ leaseTtlMs: options.leaseTtlMs }));
  // Never as an argument: the address may hold a password, and everybody reads the list of processes.
  const address = path.join(folder, 'redis-url');
  if (options.redisUrl) writeFileSync(address, options.redisUrl, { mode: 0o600 });
  const redis = options.redisUrl ? ['--redis-url-file', address] : ['--redis-image', options.redisImage ?? ''];
  const writes = options.mode === 'auto' ? ['--write-namespaces', 'database', '--modes', 'observe,auto'] : [];
  const out = await commands.larry('install', '--images', options.images, ...redis, ...writes, '--values', values, '--user', 'trial', '--yes');
  const token = /LARRY_TOKEN=([0-9a-f]+)/.exec(out)?.[1];
  must(token !== undefined, 'larry install showed no token: Secrets of an earlier installation are there');
  const releases = JSON.parse(await commands.helm('list', '-A', '-o', 'json')) as { name: string; status: string }[];
  const deployed = releases.filter(({ name, status }) => (charts as readonly string[]).includes(name) && status === 'deployed');
  must(deployed.length === charts.length, `helm lists ${deployed.length} of ${charts.length} releases as deployed`);
  if (can.runPods) await Promise.all(charts.map((chart) => commands.kubectl('rollout', 'status', '-n', chart, `deployment/${deploymentOf(chart)}`, rolloutWithin)));
  return { said: `four releases deployed${can.runPods ? ', four Deployments rolled out' : '; nothing runs pods here'}`, value: token as string };
}

/** `kubectl scale`, `helm upgrade`, `helm rollback` of one release: its replicas stay what the operator said. */
export async function upgradeAndBack({ commands }: Target, chart: string): Promise<{ said: string }> {
  const deployment = `deployment/${deploymentOf(chart)}`;
  const field = async (jsonpath: string): Promise<string> => commands.kubectl('get', '-n', chart, deployment, '-o', `jsonpath=${jsonpath}`);
  const level = "{.spec.template.spec.containers[0].env[?(@.name=='LOG_LEVEL')].value}";
  const first = (JSON.parse(await commands.helm('history', chart, '-n', chart, '-o', 'json')) as { revision: number }[]).at(-1)?.revision ?? 1;
  const normal = await field(level);
  await commands.kubectl('scale', '-n', chart, deployment, '--replicas', '2');
  await commands.helm('upgrade', chart, chartFolder(chart), '-n', chart, '--reset-then-reuse-values', '--set', 'logLevel=debug');
  must((await field(level)) === 'debug' && (await field('{.spec.replicas}')) === '2', 'helm upgrade did not change the log level, or changed the replicas');
  await commands.helm('rollback', chart, String(first), '-n', chart);
  must((await field(level)) === normal && (await field('{.spec.replicas}')) === '2', 'helm rollback did not bring the log level back, or changed the replicas');
  return { said: `${chart}: scaled to 2, upgraded, rolled back to revision ${first}; replicas stayed 2` };
}

/**
 * Where no pod runs, what a coordinator would do first: it makes a Job, with its chart's template, its own account's token and
 * rights. The Job is real, and so is what becomes of it.
 */
async function launchAsCoordinator({ commands, folder }: Target, larry: string): Promise<void> {
  const file = path.join(folder, `${larry}.token`);
  const token = (await commands.kubectl('create', 'token', `${larry}-coordinator`, '-n', larry)).trim();
  writeFileSync(file, token, { mode: 0o600 });
  const config = parse(await commands.kubectl('config', 'view', '--raw', '--flatten', '--minify')) as { users: { user: unknown }[] };
  config.users.forEach((user) => (user.user = { token }));
  const own = path.join(folder, `${larry}.kubeconfig`);
  writeFileSync(own, stringify(config), { mode: 0o600 });
  const { data } = await commands.read<{ data: Record<string, string> }>('configmap', '-n', larry, `${larry}-job`);
  const launcher = await JobLauncher.open({
    larry,
    template: parseJobTemplate(data['job.yaml'] ?? '', larry, `ConfigMap ${larry}-job`),
    namespace: larry,
    nodeAffinity: 'preferred',
    env: {},
    owner: ownerFromTokenFile(file, larry),
    cluster: await openLive({ kubeconfig: own }),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  });
  await launcher.launch({ run: 'trial', task: 'trial', claim: 'trial', larry, worker: 'trial-worker', plannedNode: 'trial', attempt: 1 });
  await launcher.close();
}

/** A plain `helm uninstall` of one Larry: its Jobs and their pods go too. */
export async function uninstallPlainly({ target, can }: Trial, chart: string): Promise<{ said: string }> {
  const { commands } = target;
  const ours = async (kind: string): Promise<string[]> => (await commands.kubectl('get', kind, '-n', chart, '-l', `app=larry-worker,larry-instance=${chart}`, '-o', 'name')).split('\n').filter(Boolean);
  if (!can.runPods) await launchAsCoordinator(target, chart);
  const jobs = (await ours('jobs')).length;
  must(jobs > 0, `${chart} has no Job that could go`);
  await commands.helm('uninstall', chart, '-n', chart, '--wait', '--timeout', '3m');
  if (!can.collectGarbage) throw new CannotShow(`helm removed the release; nothing here collects what its account owned (Jobs: ${jobs})`);
  await eventually(async () => must((await ours('jobs')).length + (await ours('pods')).length === 0, `Jobs or pods of ${chart} stay after helm uninstall`), 60_000);
  return { said: `${chart}: ${jobs === 1 ? 'its Job' : `its ${jobs} Jobs`} and their pods went with the release` };
}

/** `larry uninstall`, and what it leaves: nothing. */
export async function uninstallAll({ target }: Trial): Promise<{ said: string }> {
  const out = await target.commands.larry('uninstall', '--yes');
  const again = await target.commands.larry('uninstall', '--dry-run');
  must(/Nothing of Larry's is in/.test(again), `a second larry uninstall still finds: ${again}`);
  return { said: out.trim().split('\n').at(-1) ?? '' };
}

/** A fresh look at everything. */
export function look({ cluster }: Target): Promise<Inventory> {
  return inventoryOf(cluster);
}
