import { JobLauncher, parseJobTemplate, type LaunchedWorker, type WorkerLauncher } from '@larry/coordinator';
import { openLive } from '@larry/kube';
import { eventually } from '@larry/redis/testing';
import { startSimulatedCluster, type SimulatedCluster } from '@larry/simulation';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
// The suite is jest's and so no part of any build.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { anOrder, launcherConformance } from '../libs/coordinator/src/launcher.conformance';
import { jobNamespace, jobTemplateText } from './src/job-template';
import { PodRunner, runnerObjects } from './src/pod-runner';

const folder = mkdtempSync(path.join(tmpdir(), 'larry-jobs-'));
const program = path.join(folder, 'worker.js');
const started = path.join(folder, 'started');
const expected = { LARRY_RUN: 'run-1', LARRY_TASK: 'tells', LARRY_ID: 'larry-01', LARRY_WORKER: 'tells-worker', LARRY_PLANNED_NODE: 'k3s-worker01', LARRY_ATTEMPT: '1', LARRY_NODE: 'k3s-worker01', ADDED: 'yes', TEMPLATE: 'kept' };
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
let cluster: SimulatedCluster;
let runner: PodRunner;
const launchers: JobLauncher[] = [];

async function open(image: string, user?: string): Promise<JobLauncher> {
  const file = path.join(folder, `kubeconfig-${user ?? 'admin'}`);
  writeFileSync(file, user === undefined ? cluster.kubeconfig : cluster.server.kubeconfig(user), { mode: 0o600 });
  const container = { name: 'worker', image, env: [{ name: 'TEMPLATE', value: 'kept' }] };
  const template = parseJobTemplate(jobTemplateText({}, { containers: [container], terminationGracePeriodSeconds: 1 }), jobNamespace, 'job.yaml');
  const launcher = await JobLauncher.open({
    larry: 'larry-01',
    template,
    namespace: jobNamespace,
    nodeAffinity: 'preferred',
    env: { ADDED: 'yes' },
    cluster: await openLive({ kubeconfig: file, timeoutMs: 3000 }),
    log,
    limits: { patienceMs: image === 'larry-01:test' ? 20_000 : 1500, silenceMs: 10_000 },
  });
  launchers.push(launcher);
  return launcher;
}

/** The suite gives every order the same claim, and the same claim is the same worker: each launch gets its own. */
function eachOnce(launcher: JobLauncher, suffix: string): WorkerLauncher {
  let n = 0;
  return { startLimitMs: launcher.startLimitMs, outlives: true, launch: (order) => launcher.launch({ ...order, claim: `${order.claim}-${suffix}-${++n}` }) };
}

beforeAll(() => {
  mkdirSync(started);
  writeFileSync(
    program,
    `const fs = require('fs'), task = process.env.LARRY_TASK, expected = ${JSON.stringify(expected)};
    const say = () => fs.writeFileSync(${JSON.stringify(started)} + '/larry-01-' + process.env.LARRY_WORKER, '');
    if (task === 'killed') process.kill(process.pid, 'SIGKILL');
    else if (task === 'tells') process.exit(/^c1-/.test(process.env.LARRY_CLAIM) && Object.entries(expected).every(([k, v]) => process.env[k] === v) ? 0 : 1);
    else if (task === 'waits') { process.on('SIGTERM', () => process.exit(0)); setInterval(() => 0, 1000); say(); }
    else if (task === 'deaf') { process.on('SIGTERM', () => 0); setInterval(() => 0, 1000); say(); }
    else process.exit(Number(task.split('-')[1]));`,
  );
});
afterAll(async () => {
  await Promise.all(launchers.map((l) => l.close()));
  await runner.stop();
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
});

const running = (worker: LaunchedWorker): Promise<void> => eventually(() => expect(existsSync(path.join(started, worker.id))).toBe(true), 20_000);

launcherConformance('JobLauncher on the simulation', async () => {
  cluster = await startSimulatedCluster({ objects: runnerObjects(jobNamespace) });
  runner = new PodRunner(cluster, (pod) => (pod.spec.containers[0]?.image === 'larry-01:test' ? { program } : { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "larry-01:none"' } }));
  await runner.start();
  return {
    launcher: eachOnce(await open('larry-01:test'), 'a'),
    broken: eachOnce(await open('larry-01:none'), 'b'),
    running,
    gone: (worker) => !runner.runs(worker.id),
  };
});

describe('JobLauncher', () => {
  const creation = { method: 'POST', path: /\/jobs(\?|$)/ };
  const jobsOf = (task: string) => cluster.server.journal().filter((e) => e.resource === 'jobs' && e.verb === 'create' && e.name === `larry-01-${task}-worker`);
  const order = (task: string, claim: string) => ({ ...anOrder(task), claim });

  it('makes one Job where a creation hangs, and one where it is answered by nothing', async () => {
    const [launcher] = launchers as [JobLauncher];
    for (const [i, fault] of ([{ kind: 'hang' }, { kind: 'cut-after' }] as const).entries()) {
      cluster.server.faults.add({ ...creation, fault });
      const worker = await launcher.launch(order(`exit-${20 + i}`, `trouble-${i}`));
      expect(await worker.exited).toMatchObject({ code: 20 + i });
      expect(jobsOf(`exit-${20 + i}`)).toHaveLength(1);
    }
  });

  it('says at once why a Job is refused, and has launched nothing', async () => {
    const [launcher] = launchers as [JobLauncher];
    cluster.server.faults.add({ ...creation, fault: { kind: 'answer', code: 403 } });
    await expect(launcher.launch(order('exit-30', 'refused'))).rejects.toThrow(/^the API server refuses Job larry-01\/larry-01-exit-30-worker \(403\): /);
    expect(jobsOf('exit-30')).toEqual([]);
  });

  it('gives the same worker for the same order', async () => {
    const [launcher] = launchers as [JobLauncher];
    const both = await Promise.all([launcher.launch(order('exit-40', 'same')), launcher.launch(order('exit-40', 'same'))]);
    expect(both[0]).toBe(both[1]);
    await both[0].exited;
    expect(jobsOf('exit-40')).toHaveLength(1);
  });

  it('does not open for an account without rights, and says what it needs', async () => {
    await expect(open('larry-01:test', 'nobody')).rejects.toThrow(/^a dry run of the workers' Job in namespace larry-01 is refused: .*cannot create resource "jobs".*needs the Role of larry's charts there/);
  });
});
