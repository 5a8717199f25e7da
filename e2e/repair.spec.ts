import type { KubeObject, PlannedChange } from '@larry/contracts';
import { gitBranches, openLive, type LiveCluster } from '@larry/kube';
import { aCartBranch, aClone, cartManifest, type TestClone } from '@larry/kube/testing';
import { requestDiff, runPlaybook, type Playbook, type PlaybookContext, type PlaybookResult, type RunOptions } from '@larry/playbook';
import { memoryJournal } from '@larry/playbook/testing';
import { infrastructurePlaybooks } from '@larry/playbooks-infrastructure';
import { startSimulatedCluster, type SimulatedCluster } from '@larry/simulation';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { app, applied, faults, names, patched, pgadminEnv, service, type Fault } from './src/repair-faults';

/** Every fault in a namespace of its own, in one simulated cluster whose clock runs forty times as fast; the playbook and the engine as they are. */
const repair = infrastructurePlaybooks.built.find((p) => p.id === 'fix-pgadmin-crashloop') as Playbook;
const everything = [...(repair.categories ?? [])];
const patience = { settleSeconds: 0, readySeconds: 20, verifySeconds: 60, restartWindowMinutes: 10 };

let cluster: SimulatedCluster;
let live: LiveCluster;
let folder: string;
let runs = 0;
beforeAll(async () => {
  cluster = await startSimulatedCluster({ objects: [], speed: 40 });
  folder = mkdtempSync(path.join(tmpdir(), 'larry-repair-'));
  writeFileSync(path.join(folder, 'kubeconfig'), cluster.kubeconfig);
  live = await openLive({ kubeconfig: path.join(folder, 'kubeconfig') });
}, 60_000);
afterAll(async () => {
  await live.close();
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs of one task by one person's verdicts. */
function aTask(playbook: Playbook = repair, options: Record<string, unknown> = patience, git?: string) {
  runs += 1;
  const rollbacks: string[] = [];
  const verdicts = new Map<string, { granted: boolean; who: string }>();
  const quiet = () => undefined;
  const journal = memoryJournal();
  const context = (): PlaybookContext => ({
    run: `run-${runs}`, task: repair.id, cluster: live, options, signal: new AbortController().signal, results: new Map(), log: { debug: quiet, info: quiet, warn: quiet },
    now: () => new Date(), progress: quiet, wait: (ms) => sleep(ms), ...(git ? { git } : {}),
  });
  const hands: RunOptions['hands'] = {
    writer: live.writer(), journal, guard: quiet, ...(git ? { git: gitBranches(git) } : {}),
    audit: { append: () => Promise.resolve() },
    approval: (digest) => Promise.resolve(verdicts.get(digest)),
    rollbackInitiated: (reason) => Promise.resolve(void rollbacks.push(reason)),
  };
  return { rollbacks, verdicts, run: (mode: RunOptions['mode'] = 'auto'): Promise<PlaybookResult> => runPlaybook(playbook, context(), { mode, allow: everything, hands }) };
}

const find = (result: PlaybookResult, ns: string) => result.findings.find((f) => f.object.namespace === ns || f.id.includes(` ${ns}/`));
const changeIn = (result: PlaybookResult, ns: string) => result.changes.find((c) => c.target.namespace === ns);
const specOf = async (ns: string, kind = 'Deployment') => (await live.get({ apiVersion: kind === 'Service' ? 'v1' : 'apps/v1', kind, namespace: ns, name: 'app' }))?.['spec'] as Record<string, unknown>;

/** Injects faults and waits until the diagnosis names each; what is not named in time its own test says. */
async function injected(given: Record<string, Fault>): Promise<void> {
  for (const [ns, fault] of Object.entries(given)) await applied(cluster, ns, fault.objects(ns));
  const waiting = new Set(Object.keys(given));
  for (const [ns, fault] of Object.entries(given)) if (fault.then) await patched(cluster, ns, fault.then);
  for (const until = Date.now() + 30_000; waiting.size > 0 && Date.now() < until; ) {
    const found = (await aTask().run('observe')).findings;
    for (const ns of waiting) if (found.some((f) => f.rule === given[ns]?.cause && (f.object.namespace === ns))) waiting.delete(ns);
    if (waiting.size > 0) await sleep(500);
  }
}

/** Three remedies that are made wrong on purpose. */
const wrong: Record<string, Fault & { with: unknown }> = {
  'wrong-email': { ...(faults['pgadmin-email'] as Fault), with: 'a@b.invalid' },
  'wrong-image': { ...(faults['image'] as Fault), with: 'nginx:1.28-other-typo' },
  'wrong-selector': { ...(faults['selector'] as Fault), with: 'nobody' },
};
const asked: Record<string, Fault> = {
  asked: { cause: 'pgadmin_invalid_email', objects: () => [app({ image: 'dpage/pgadmin4:9.8', env: pgadminEnv({ PGADMIN_DEFAULT_EMAIL: 'me@home.local' }) })] },
  'in-git': { cause: 'pgadmin_invalid_email', objects: () => [{ ...app({ image: 'dpage/pgadmin4:9.8', env: pgadminEnv({ PGADMIN_DEFAULT_EMAIL: 'me@home.local' }) }), metadata: { name: 'app', labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' } } }] },
  denied: { cause: 'deployment_zero_replicas', objects: () => [app({}, {}, { replicas: 0 }), service({ type: 'NodePort' })] },
};

/** Two faults in one workload, the second hidden by the first. */
const readiness = (port: number) => ({ httpGet: { path: '/', port }, periodSeconds: 5, failureThreshold: 3 });
const hidden: Record<string, Fault & { second: string }> = {
  'hidden-data': { cause: 'pgadmin_invalid_email', second: 'pgadmin_data_not_writable', objects: (ns) => (faults['pgadmin-data'] as Fault).objects(ns).map((o) => (o.kind === 'Deployment' ? withEmail(o, 'a@b.local') : o)) },
  'hidden-probe': { ...(faults['image'] as Fault), second: 'readiness_probe_incorrect_port', then: { image: 'nginx:1.28-typo', readinessProbe: readiness(8081) } },
};

function withEmail(deployment: KubeObject, email: string): KubeObject {
  const copy = structuredClone(deployment) as unknown as { spec: { template: { spec: { containers: { env: unknown }[] } } } };
  for (const container of copy.spec.template.spec.containers) container.env = pgadminEnv({ PGADMIN_DEFAULT_EMAIL: email });
  return copy as unknown as KubeObject;
}

/** The task with what its plan becomes. */
function planned(change: (step: PlannedChange, ns: string) => PlannedChange[]): Playbook {
  const plan = repair.plan as NonNullable<Playbook['plan']>;
  return { ...repair, plan: (...given) => plan(...given).flatMap((step) => change(step, step.target.namespace ?? '')) };
}

describe('one run in auto over many faults', () => {
  const kindOf = (ns: string): string => (ns === 'wrong-selector' ? 'Service' : 'Deployment');
  const before: Record<string, unknown> = {};
  let task: ReturnType<typeof aTask>;
  let result: PlaybookResult;
  beforeAll(async () => {
    await injected({ ...faults, ...wrong, ...hidden, ...asked });
    for (const ns of Object.keys(wrong)) before[ns] = await specOf(ns, kindOf(ns));
    task = aTask(planned((step, ns) => (ns in asked ? [] : ns in wrong ? [{ ...step, patch: step.patch?.map((o) => ({ ...o, value: wrong[ns]?.with })) }] : [step])));
    result = await task.run();
  }, 360_000);

  it.each(names((f) => f.refusal === undefined))('%s is repaired, and verified over ten minutes of the cluster\'s time', (ns) => {
    expect(find(result, ns)?.rule).toBe(faults[ns]?.cause);
    expect(changeIn(result, ns)).toMatchObject({ outcome: 'verified' });
    expect(result.criteria.find((c) => c.id.startsWith('repaired-') && c.observation?.subject.includes(` ${ns}/`))).toMatchObject({ verdict: 'met' });
  });

  it.each(Object.keys(hidden))('%s is repaired in two rounds, and both changes are verified', (ns) => {
    expect(result.changes.filter((c) => c.target.namespace === ns).map((c) => [c.id.includes((hidden[ns]?.second ?? '').replaceAll('_', '-')), c.outcome])).toEqual([[false, 'verified'], [true, 'verified']]);
    expect(result.findings.filter((f) => f.object.namespace === ns).map((f) => f.rule)).toEqual([hidden[ns]?.cause, hidden[ns]?.second]);
  });

  it('pgadmin-servers: the pod that was made anew has imported them', () => {
    const [pod] = cluster.server.objects('pods', 'pgadmin-servers').filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const lines = cluster.server.logs.read('pgadmin-servers', pod?.metadata.name ?? '', 'app', false)?.map(({ line }) => line) ?? [];
    expect(lines).toContain('Added 1 Server Group(s) and 1 Server(s).');
    expect(result.changes.filter((c) => c.target.namespace === 'pgadmin-servers').map((c) => `${c.target.kind} ${c.outcome}`)).toEqual(['ConfigMap verified', 'Deployment verified']);
  });

  it.each(names((f) => f.refusal !== undefined))('%s is left to people, and the finding says why', (ns) => {
    const finding = find(result, ns);
    expect(finding?.rule).toBe(faults[ns]?.cause);
    expect(finding?.remedy).toMatchObject({ layer: 'none', reason: expect.stringMatching(faults[ns]?.refusal as RegExp) as string });
    expect(changeIn(result, ns)).toBeUndefined();
  });

  it.each([
    ['wrong-email', /crashed again|not ready within/],
    ['wrong-image', /cannot pull its image|not ready within/],
    ['wrong-selector', /the cause is still there: service_selector_mismatch/],
  ])('%s is taken back by itself, and everything stands as before', async (ns, reason) => {
    expect(changeIn(result, ns)).toMatchObject({ outcome: 'rolled-back', reason: expect.stringMatching(reason) as string });
    expect(task.rollbacks).toContainEqual(expect.stringMatching(reason));
    expect(await specOf(ns, kindOf(ns))).toEqual(before[ns]);
    expect(result.outcome).toBe('failed');
  });
});

describe('a person who is asked', () => {
  const only = (ns: string, git?: string) => aTask(planned((step, of) => (of === ns ? [step] : [])), { ...patience, verifySeconds: 1 }, git);
  const asksOf = ({ asks }: PlaybookResult) => asks as NonNullable<typeof asks>;

  it('sees the exact change; approved after the object changed it is asked for again; then it is made', async () => {
    const task = only('asked');
    const first = await task.run('ask');
    expect(first.outcome).toBe('awaiting_approval');
    expect(requestDiff(asksOf(first).request)).toContain('/spec/template/spec/containers/0/env/0/value\n- "me@home.local"\n+ "me@example.com"');
    await patched(cluster, 'asked', { image: 'dpage/pgadmin4:9.7' }, false);
    task.verdicts.set(asksOf(first).digest, { granted: true, who: 'ada' });
    const second = await task.run('ask');
    expect(second.outcome).toBe('awaiting_approval');
    expect(asksOf(second).digest).not.toBe(asksOf(first).digest);
    task.verdicts.set(asksOf(second).digest, { granted: true, who: 'ada' });
    expect((await task.run('ask')).changes).toMatchObject([{ outcome: 'provisional', approvedBy: 'ada', reason: expect.stringContaining('of 10 minutes of the cluster\'s time') as string }]);
  }, 120_000);

  it('denies, and it stays denied; scaling from none asks in auto too', async () => {
    const task = only('denied');
    const parked = await task.run('auto');
    expect(parked.outcome).toBe('awaiting_approval');
    task.verdicts.set(asksOf(parked).digest, { granted: false, who: 'ada' });
    for (const mode of ['auto', 'ask'] as const) expect((await task.run(mode)).changes).toMatchObject([{ outcome: 'refused', reason: 'denied by ada' }]);
    expect(await specOf('denied')).toMatchObject({ replicas: 0 });
  }, 120_000);

  it('of what Flux applies from a repository sees the file\'s change, and approves a branch: nothing else of the clone and nothing in the cluster is touched', async () => {
    const clone = aClone();
    try {
      clone.commit({ 'apps/app.yaml': inGit, 'apps/other.yaml': 'a: 1\n' });
      writeFileSync(path.join(clone.folder, 'apps/other.yaml'), 'a: 2 # not committed\n');
      const [before, untouched] = [await specOf('in-git'), clone.untouchable()];
      const branches = (): string => clone.git('for-each-ref', '--format=%(refname:short)', 'refs/heads/larry');
      const task = only('in-git', clone.folder);
      expect((await task.run('observe')).changes).toMatchObject([{ outcome: 'proposed', diff: expect.stringContaining('+              value: me@example.com # mine') as string }]);
      const parked = await task.run('ask');
      expect([parked.outcome, branches()]).toEqual(['awaiting_approval', '']);
      expect(requestDiff(asksOf(parked).request)).toContain('-              value: me@home.local # mine\n+              value: me@example.com # mine');
      task.verdicts.set(asksOf(parked).digest, { granted: true, who: 'ada' });
      const done = await task.run('ask');
      const branch = branches();
      expect(done.changes).toMatchObject([{ outcome: 'provisional', approvedBy: 'ada', git: { branch, commit: clone.git('rev-parse', branch) }, reason: expect.stringContaining(`git -C ${clone.folder} push origin ${branch} to publish`) as string }]);
      expect(done.criteria.find((c) => c.id.startsWith('repaired-'))).toMatchObject({ verdict: 'provisional', observation: { value: expect.stringContaining('the cause is still there') as string } });
      expect(clone.git('diff', '--unified=0', 'main', branch).split('\n').filter((line) => /^[+-]/.test(line))).toEqual(['--- a/apps/app.yaml', '+++ b/apps/app.yaml', '-              value: me@home.local # mine', '+              value: me@example.com # mine']);
      expect([clone.untouchable(), await specOf('in-git')]).toEqual([untouched, before]);
    } finally {
      clone.remove();
    }
  }, 120_000);
});

/** How the repository has it. */
const inGit = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  namespace: in-git
spec:
  template:
    spec:
      containers:
        - name: app
          image: dpage/pgadmin4:9.8
          env:
            - name: PGADMIN_DEFAULT_EMAIL
              value: me@home.local # mine
            - name: PGADMIN_DEFAULT_PASSWORD
              value: x
`;

describe('a worker that is killed while it makes a branch', () => {
  let clone: TestClone;
  beforeEach(() => {
    clone = aClone();
    clone.commit({ 'cart.yaml': cartManifest() });
  });
  afterEach(() => clone.remove());

  /** Another process, which ends itself with SIGKILL where it is told to. Prints what it came to, and then its journal. */
  function attempt(dieAt: 'guard' | 'outcome' | 'never') {
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'cart' };
    const change = { step: 'one', summary: 's', verb: 'git-branch', target, depends: [], category: 'git-branch', alwaysAsk: false, git: aCartBranch(clone, 'cart.yaml') };
    const program = `
      const { gitBranches } = require('@larry/kube'), { applyChange, changeDigest } = require('@larry/playbook'), { memoryJournal } = require('@larry/playbook/testing');
      let looks = 0;
      const die = (at) => at === '${dieAt}' && process.kill(process.pid, 'SIGKILL');
      const journal = memoryJournal(), outcome = journal.outcome;
      journal.outcome = (...given) => { die('outcome'); return outcome(...given); };
      const change = ${JSON.stringify(change)};
      const context = { run: 'r', task: 't', cluster: { get: async () => undefined }, git: gitBranches(${JSON.stringify(clone.folder)}), journal, guard: () => ++looks === 2 && die('guard'), signal: new AbortController().signal };
      applyChange(context, change, changeDigest(change, undefined)).then((became) => console.log(JSON.stringify(became)));`;
    const { signal, stdout } = spawnSync(process.execPath, ['-e', program], { cwd: path.resolve(__dirname, '..'), encoding: 'utf8', timeout: 60_000 });
    return { signal, became: stdout === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>) };
  }

  it.each([
    ['before the branch is there', 'guard', '', 'applied'],
    ['after it is there', 'outcome', 'there', 'adopted'],
  ] as const)('%s leaves it to the next, who makes it once', (_, dieAt, left, became) => {
    const before = clone.untouchable();
    const tips = (): string => clone.git('for-each-ref', '--format=%(objectname)', 'refs/heads/larry');
    expect(attempt(dieAt)).toEqual({ signal: 'SIGKILL', became: undefined });
    const tip = tips();
    expect(tip === '' ? '' : 'there').toBe(left);
    expect(attempt('never').became).toEqual({ outcome: became, commit: tips() });
    if (tip !== '') expect(tips()).toBe(tip);
    expect([clone.untouchable(), clone.git('log', '--oneline', '--all', '--not', 'main').split('\n').length]).toEqual([before, 1]);
  });
});
