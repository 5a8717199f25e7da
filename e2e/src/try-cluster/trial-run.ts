import type { RunStatusView, RunSummary } from '@larry/contracts';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { repository } from '../helm';
import type { Commands, Started } from './commands';
import { CannotShow, must } from './report';
import type { Trial } from './steps';
import type { Target } from './target';

/** A run of `larry run --api` under way. */
export interface TrialRun {
  api: string;
  larry: Commands;
  /** Its process. */
  going: Started;
}

/** Where the meta-coordinator answers: through `kubectl port-forward`, or at its pod. */
export async function reachApi({ commands }: Target, inNetwork: boolean): Promise<{ url: string; end(): void }> {
  if (inNetwork) {
    const address = await commands.kubectl('get', 'pods', '-n', 'meta-coordinator', '-l', 'app.kubernetes.io/name=meta-coordinator', '-o', 'jsonpath={.items[0].status.podIP}');
    return { url: `http://${address}:8080`, end: () => undefined };
  }
  const forward = commands.start('kubectl', ['port-forward', '-n', 'meta-coordinator', 'service/meta-coordinator', ':8080']);
  for (let i = 0; i < 300; i += 1) {
    const port = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(forward.out)?.[1];
    if (port) return { url: `http://127.0.0.1:${port}`, end: () => forward.stop() };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  forward.stop();
  throw new Error(`kubectl port-forward does not come up: ${forward.err.trim()}`);
}

interface PlanDocument {
  larrys: { tasks: { id: string; needs?: string[] }[] }[];
}

/** The quick start's plan; what waits for a task that this version does not build waits no more, so that each task gets its Job. */
export async function writePlan({ commands, folder }: Target): Promise<string> {
  const known = JSON.parse(await commands.larry('playbook', 'list', '--json')) as { id: string; built: boolean }[];
  const plan = parse(readFileSync(path.join(repository, 'plans', '3-larry.yaml'), 'utf8')) as PlanDocument;
  const notBuilt = new Set(known.filter(({ built }) => !built).map(({ id }) => id));
  for (const task of plan.larrys.flatMap(({ tasks }) => tasks)) {
    if (task.needs) task.needs = task.needs.filter((id) => !notBuilt.has(id));
  }
  const file = path.join(folder, 'plan.yaml');
  writeFileSync(file, stringify(plan));
  return file;
}

/** Begins it from the terminal, as an operator would. */
export async function beginRun(trial: Trial, token: string, api: string): Promise<TrialRun> {
  const { target, options } = trial;
  const plan = await writePlan(target);
  const larry = target.commands.as(token);
  const going = larry.start('larry', ['run', '--api', api, '--mode', options.mode, '--plan', plan, '--state', target.folder, '--json']);
  return { api, larry, going };
}

/** A task as the run's status has it at the end. */
type Task = RunStatusView['tasks'][number];

/** What a run came to. */
export interface RunAccount {
  run: string;
  tasks: Task[];
  summary: RunSummary;
}

/** Waits for its end: completed, or with what failed named. */
export async function runEnd({ api, larry, going }: TrialRun): Promise<{ said: string; value: RunAccount }> {
  const code = await going.over;
  must(code === 0 || code === 1, `larry run ended with exit code ${code}: ${going.err.trim().slice(-1000)}`);
  const summary = JSON.parse(going.out) as RunSummary;
  // Its exit code says whether the run failed.
  const status = larry.start('larry', ['status', '--api', api, '--json']);
  await status.over;
  const { tasks } = JSON.parse(status.out) as RunStatusView;
  const unnamed = tasks.filter(({ status, reason, skipReason }) => (status === 'failed' && !reason) || (status === 'skipped' && !skipReason));
  must(unnamed.length === 0, `tasks ended without a reason: ${unnamed.map(({ task }) => task).join(', ')}`);
  must(tasks.every(({ status }) => ['completed', 'skipped', 'failed'].includes(status)), 'the run has ended, and a task has not');
  const count = (wanted: string): number => tasks.filter(({ status }) => status === wanted).length;
  const failed = tasks.filter(({ status }) => status === 'failed').map(({ task, reason }) => `${task} (${reason})`);
  const again = tasks.filter(({ attempt }) => attempt > 1).map(({ task, attempt }) => `${task} ${attempt}`);
  const said = `${summary.run} ${summary.status}, exit code ${code}: ${count('completed')} completed, ${count('skipped')} skipped, ${failed.length} failed${failed.length ? `: ${failed.join(', ')}` : ''}; attempts beyond the first: ${again.join(', ') || 'none'}`;
  return { said, value: { run: summary.run, tasks, summary } };
}

interface JobPod {
  metadata: { labels: Record<string, string> };
  spec: { nodeName?: string };
}

/** One Job a task, each on its planned node unless that was drained or is not of this cluster. */
export async function jobsOnNodes({ commands }: Target, { run, tasks }: RunAccount, drained: string | undefined): Promise<{ said: string }> {
  const launched = tasks.filter(({ attempt, skipReason }) => attempt > 0 && skipReason !== 'dependency');
  const { items: nodes } = await commands.read<{ items: { metadata: { name: string } }[] }>('nodes');
  const { items: pods } = await commands.read<{ items: JobPod[] }>('pods', '-A', '-l', `app=larry-worker,larry.dev/run=${run}`);
  const there = new Set(nodes.map(({ metadata }) => metadata.name));
  let [placed, elsewhere] = [0, 0];
  for (const { task, plannedNode } of launched) {
    const last = pods.filter(({ metadata }) => metadata.labels['larry.dev/task'] === task).map(({ spec }) => spec.nodeName);
    // A drain takes ended pods away as well.
    must(last.length > 0 || plannedNode === drained, `${task} has no pod`);
    if (last.includes(plannedNode)) placed += 1;
    else if (plannedNode === drained || !there.has(plannedNode)) elsewhere += 1;
    else throw new Error(`the worker of ${task} ran on ${last.join(', ')}, planned was ${plannedNode}`);
  }
  return { said: `${launched.length} of ${tasks.length} tasks (of the plan without the needs on tasks that are not built) had a Job; ${placed} ran on the node of the plan; of ${elsewhere} that one was drained meanwhile, or is not here` };
}

/** Each task ended once in Redis' stream; no Job was made twice, and no change, at the API server. */
export async function nothingTwice({ simulation }: Target, { api, larry }: TrialRun, { run, tasks }: RunAccount): Promise<{ said: string }> {
  const lines = (await larry.larry('events', '--api', api, '--no-follow', '--json')).split('\n').filter(Boolean);
  const events = lines.map((line) => JSON.parse(line) as { event: string; run?: string; task_id?: string }).filter((event) => event.run === run);
  const ends = new Set(['task_complete', 'task_failed', 'task_skipped']);
  const ended = (task: string): number => events.filter(({ event, task_id }) => ends.has(event) && task_id === task).length;
  const wrong = tasks.filter(({ task }) => ended(task) !== 1).map(({ task }) => `${task} ${ended(task)} times`);
  must(wrong.length === 0, `in Redis' stream did not end once: ${wrong.join(', ')}`);
  const inRedis = `${tasks.length} tasks ended once each in Redis' stream`;
  if (!simulation) throw new CannotShow(`${inRedis}; the audit log of this API server is not at hand`);
  const writes = (await simulation.journal()).filter(({ user }) => /^system:serviceaccount:larry-0\d:/.test(user));
  const jobs = writes.filter(({ resource, verb }) => resource === 'jobs' && verb === 'create').map(({ namespace, name }) => `${namespace}/${name}`);
  const changes = writes.filter(({ change, changed }) => changed && change?.startsWith(`${run}/`)).map(({ change }) => change ?? '');
  for (const [what, names] of [['Jobs', jobs], ['changes', changes]] as const) {
    const twice = names.filter((name, i) => names.indexOf(name) !== i);
    must(twice.length === 0, `${what} were made twice: ${twice.join(', ')}`);
  }
  return { said: `${inRedis}; at the API server ${jobs.length} Jobs were made, each once, and ${changes.length} changes of the run, each once` };
}
