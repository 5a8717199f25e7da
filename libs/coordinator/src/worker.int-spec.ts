import { AuditLog, ensureApprovalKeys, readApprovalKey, signApproval, verifyAudit } from '@larry/audit';
import type { GitBranch, KubeObject, ObjectRef, TaskResult } from '@larry/contracts';
import { Coordination } from '@larry/coordination';
import { aCartBranch, aClone, aConfigMap, cartManifest } from '@larry/kube/testing';
import { approvalRequestSchema, definePlaybook, digestOfRequest, singleChanges, TerminalError, type Playbook } from '@larry/playbook';
import { memoryTarget } from '@larry/playbook/testing';
import { testRedis, type TestRedis } from '@larry/redis/testing';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { aPlanOf } from './builders';
import { phaseFigures } from './phase-figures';
import { writeRunDocument } from './run-document';
import { runSpecOf } from './run-plan';
import { runWorker, workerExitCodes, type WorkerParts } from './worker';
import { workerEnvironmentSchema } from './worker-environment';
import { ensureJournalKey } from './worker-journal';

const folder = mkdtempSync(path.join(tmpdir(), 'larry-worker-'));
const keys = ensureApprovalKeys(path.join(folder, 'keys'));
const journalKey = ensureJournalKey(path.join(folder, 'keys', 'journal.key'));
const strangerKeys = ensureApprovalKeys(path.join(folder, 'stranger'));
const settings: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'one', name: 'settings' };
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };

const reads = {
  title: 't',
  description: 'd',
  options: z.strictObject({ count: z.number().default(1) }),
  access: [],
  observe: async () => ({}),
  diagnose: () => ({ summary: 'seen', findings: [], figures: { assets_discovered: 7 }, criteria: [], unknowns: [] }),
  validate: async () => [],
} satisfies Omit<Playbook, 'id'>;

let branch: GitBranch | undefined;
let waitsUntilStopped: () => void = () => undefined;
const library = {
  built: [
    definePlaybook({ id: 'reads', ...reads }),
    definePlaybook({ id: 'terminal', ...reads, observe: () => Promise.reject(new TerminalError('the file is not there')) }),
    definePlaybook({ id: 'breaks', ...reads, observe: () => Promise.reject(new Error('connection reset')) }),
    definePlaybook({ id: 'skips', ...reads, diagnose: () => ({ ...reads.diagnose(), skip: { reason: 'no-target' as const, summary: 'nothing here' } }) }),
    definePlaybook({
      id: 'waits',
      ...reads,
      observe: (context) => new Promise((_resolve, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
        waitsUntilStopped();
      }),
    }),
    definePlaybook({
      id: 'changes',
      ...reads,
      plan: () => [{ step: 'set', summary: 'set it', verb: 'patch' as const, target: settings, patch: [{ op: 'replace', path: '/data/text', value: 'new' }], depends: ['/data/text'], category: 'workload-env', alwaysAsk: false }],
    }),
    definePlaybook({
      id: 'branches',
      ...reads,
      plan: () => (branch ? [{ step: 'commit', summary: 'commit it', verb: 'git-branch' as const, target: settings, git: branch, depends: ['/data/text'], category: 'git-branch', alwaysAsk: false }] : []),
    }),
    definePlaybook({
      id: 'changes-twice',
      ...reads,
      plan: () =>
        ['one', 'two'].map((name) => ({ step: name, summary: `add ${name}`, verb: 'patch' as const, target: settings, patch: [{ op: 'add', path: `/data/${name}`, value: 'new' }], depends: ['/data/text'], category: 'workload-env', alwaysAsk: false })),
    }),
    definePlaybook({
      id: 'changes-apart',
      ...reads,
      independentSteps: true,
      plan: () =>
        ['one', 'two', 'three', 'four'].map((name) => ({ step: name, summary: `add ${name}`, verb: 'patch' as const, target: settings, patch: [{ op: 'add', path: `/data/${name}`, value: 'new' }], depends: [`/data/${name}`], category: 'workload-env', alwaysAsk: false })),
    }),
  ],
  notBuilt: [{ id: 'later', why: 'comes with the next version' }],
};

describe('runWorker', () => {
  let servers: TestRedis;
  beforeAll(async () => {
    servers = await testRedis();
  });
  afterAll(async () => {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A run of one task, and workers for it. */
  async function aRun(task: string, options: { mode?: 'observe' | 'ask' | 'auto'; with?: Record<string, unknown>; allow?: string[]; git?: string } = {}) {
    const redis = await servers.client();
    const coordination = new Coordination(redis);
    const run = `run-${randomUUID().slice(0, 8)}`;
    const plan = aPlanOf('larry-01', [{ id: task, attempts: 2, ...(options.with ? { with: options.with } : {}) }]);
    const mode = options.mode ?? 'observe';
    await writeRunDocument(coordination, { run, mode, plan, allow: options.allow ?? [] }, readApprovalKey(keys.privateKey, 'private'));
    await coordination.createRun(runSpecOf(plan, run, mode));
    const audit = path.join(folder, `${run}.jsonl`);
    const object = aConfigMap({ name: 'settings', namespace: 'one', data: { text: 'old' } });
    const target = memoryTarget([{ ...object, metadata: { ...object.metadata, uid: 'u1' } }]);
    const work = async (parts: Partial<WorkerParts> = {}, publicKey: string = keys.publicKey) => {
      const claim = randomUUID();
      const claimed = await coordination.claim({ run, task, larry: 'larry-01', claim }, 30_000);
      if (claimed.outcome !== 'claimed') throw new Error(JSON.stringify(claimed));
      const environment = workerEnvironmentSchema.parse({
        REDIS_URL: servers.url,
        LARRY_RUN: run,
        LARRY_TASK: task,
        LARRY_CLAIM: claim,
        LARRY_ID: 'larry-01',
        LARRY_WORKER: `${task}-worker`,
        LARRY_PLANNED_NODE: 'w1',
        LARRY_ATTEMPT: String(claimed.attempt),
        LARRY_AUDIT_LOG: audit,
        LARRY_JOURNAL_KEY: journalKey,
        ...(options.git ? { LARRY_GIT_REPOSITORY: options.git } : {}),
        ...(publicKey ? { LARRY_APPROVAL_PUBLIC_KEY: publicKey } : {}),
      });
      return runWorker({ environment, coordination, libraries: [library], openCluster: async () => ({ ...target.cluster, writer: () => target.writer }), log, stop: new AbortController().signal, ...parts });
    };
    const record = async () => (await coordination.task(task)) as NonNullable<Awaited<ReturnType<Coordination['task']>>>;
    return { run, task, coordination, work, record, target, audit };
  }

  it('settles what its playbook came to', async () => {
    const { work, record, coordination } = await aRun('reads');
    expect(await work()).toBe(workerExitCodes.done);
    expect(await record()).toMatchObject({ status: 'completed', result: { task: 'reads', outcome: 'completed', summary: 'seen', figures: { assets_discovered: 7 } } });
    const snapshot = (await coordination.snapshot()) as NonNullable<Awaited<ReturnType<Coordination['snapshot']>>>;
    expect(await phaseFigures('larry-01')(coordination, snapshot)).toEqual({ assets_discovered: 7 });
    expect(await phaseFigures('larry-02')(coordination, snapshot)).toEqual({});
  });

  it('makes a branch in the clone that its environment names; Redis holds no line of the file but those that were shown', async () => {
    const clone = aClone();
    try {
      clone.commit({ 'cart.yaml': `# it was hunter2-hunter2\n${cartManifest()}` });
      branch = aCartBranch(clone, 'cart.yaml', `# it was hunter2-hunter2\n${cartManifest()}`);
      const { work, record, coordination, target } = await aRun('branches', { mode: 'auto', allow: ['git-branch'], git: clone.folder });
      expect(await work()).toBe(workerExitCodes.done);
      expect(await record()).toMatchObject({ result: { changes: [{ outcome: 'verified', git: { branch: branch.branch, commit: clone.git('rev-parse', branch.branch) } }] } });
      expect(target.accepted).toEqual([]);
      const { commands } = coordination.redis;
      await commands.config('SET', 'rdbcompression', 'no');
      const dumps = await Promise.all((await commands.keys('*')).map((key) => commands.dumpBuffer(key)));
      expect([dumps.some((d) => d?.includes(branch?.branch ?? '')), dumps.some((d) => d?.includes('hunter2'))]).toEqual([true, false]);
      const without = await aRun('branches', { mode: 'auto', allow: ['git-branch'] });
      await without.work();
      expect(await without.record()).toMatchObject({ result: { changes: [{ outcome: 'refused', reason: expect.stringContaining('--git (or LARRY_GIT_REPOSITORY) names a working clone') as string }] } });
    } finally {
      clone.remove();
    }
  });

  it('tells the steps of an attempt, also of one that failed', async () => {
    const steps = async ({ coordination: { redis, keys } }: Awaited<ReturnType<typeof aRun>>) =>
      (await redis.commands.xrange(keys.events, '-', '+')).map(([, fields]) => JSON.parse(fields[3] ?? '') as { id: string; steps?: object[] }).filter((event) => event.steps);
    const terminal = await aRun('terminal');
    await terminal.work();
    expect(await steps(terminal)).toMatchObject([{ id: 'terminal/1/task_steps', from: 'larry-01', attempt: 1, steps: [{ step: 'observe', problem: 'the file is not there' }] }]);
    const changes = await aRun('changes', { mode: 'auto', allow: ['workload-env'] });
    await changes.work();
    const [told] = await steps(changes);
    expect(told?.steps).toMatchObject([{ step: 'observe' }, { step: 'diagnose' }, { step: 'plan' }, { step: 'apply', target: 'ConfigMap one/settings', outcome: 'applied' }]);
    expect(await steps(await aRun('later'))).toEqual([]);
  });

  it('skips a task that is not built, and says why', async () => {
    const { work, record } = await aRun('later');
    expect(await work()).toBe(workerExitCodes.done);
    expect(await record()).toMatchObject({ status: 'skipped', skipReason: 'not-built', result: { outcome: 'skipped', skipReason: 'not-built', summary: 'comes with the next version' } });
  });

  it('skips for the reason that its playbook gives', async () => {
    const { work, record } = await aRun('skips');
    await work();
    expect(await record()).toMatchObject({ status: 'skipped', skipReason: 'no-target' });
  });

  it.each([
    ['nobody', {}, 'larry-01 has no playbook "nobody"'],
    ['terminal', {}, 'the file is not there'],
    ['reads', { with: { count: 'many' } }, 'count'],
    ['reads', { with: { colour: 'red' } }, 'colour'],
  ])('fails %s (%j) at once, with a sentence that says what to mend', async (task, options, sentence) => {
    const { work, record } = await aRun(task, options);
    expect(await work()).toBe(workerExitCodes.done);
    expect(await record()).toMatchObject({ status: 'failed', attempt: 1, reason: expect.stringContaining(sentence) });
  });

  it('uses an attempt for any other error, and waits before the next', async () => {
    const { work, record } = await aRun('breaks');
    expect(await work()).toBe(workerExitCodes.done);
    expect(await record()).toMatchObject({ status: 'ready', claimable: false, reason: 'connection reset' });
  });

  it('uses an attempt when the cluster cannot be opened', async () => {
    const { work, record } = await aRun('reads');
    await work({ openCluster: () => Promise.reject(new Error('no route to host')) });
    expect(await record()).toMatchObject({ status: 'ready', reason: 'no route to host' });
  });

  it('gives the task back when it is told to stop', async () => {
    const { work, record } = await aRun('waits');
    const stop = new AbortController();
    const waiting = new Promise<void>((resolve) => (waitsUntilStopped = resolve));
    const ended = work({ stop: stop.signal });
    await waiting;
    stop.abort();
    expect(await ended).toBe(workerExitCodes.done);
    expect(await record()).toMatchObject({ status: 'ready', claimable: true, reason: expect.stringContaining('stopping') });
  });

  it('is not the one when its claim has been started before, and touches nothing', async () => {
    const { run, coordination, work, record } = await aRun('reads');
    const openCluster = jest.fn();
    const leases = coordination.leases;
    const another = jest.spyOn(leases, 'using').mockImplementationOnce(async (claimed, options, todo) => {
      await coordination.start({ ...claimed, holder: 'another' }, 30_000);
      return leases.using(claimed, options, todo);
    });
    expect(await work({ openCluster })).toBe(workerExitCodes.notMine);
    another.mockRestore();
    expect(openCluster).not.toHaveBeenCalled();
    expect(await record()).toMatchObject({ status: 'in_progress' });
    expect(run).toBeTruthy();
  });

  describe('asks before it changes', () => {
    const digestOfParked = (record: { parked?: { digest: string } }): string => record.parked?.digest ?? '';

    it('changes nothing and makes no request in mode observe', async () => {
      const { work, record, target } = await aRun('changes');
      await work();
      expect(await record()).toMatchObject({ status: 'completed', result: { changes: [{ outcome: expect.stringMatching(/proposed|dry-run-only|unverified/) }] } });
      expect(target.accepted).toEqual([]);
    });

    it('is parked with the change, and applies it once it is allowed by the right key', async () => {
      const { run, task, coordination, work, record, target, audit } = await aRun('changes', { mode: 'ask' });
      await work();
      expect((await record()).status).toBe('awaiting_approval');
      const { digest: asked, request } = (await record()).parked as { digest: string; request: unknown };
      expect(request).toMatchObject({ changes: [{ change: { summary: 'set it' }, uid: 'u1', observed: [['/data/text', 'old']] }] });
      expect(digestOfRequest(approvalRequestSchema.parse(request))).toBe(asked);
      expect(target.accepted).toEqual([]);
      const digest = digestOfParked(await record());
      const approval = { run, task, digest, granted: true, who: 'ada', at: new Date().toISOString() };
      const proof = JSON.stringify(signApproval(approval, readApprovalKey(keys.privateKey, 'private')));
      await coordination.decide({ run, task, digest, decision: 'granted', who: 'ada', proof });
      await work();
      expect(await record()).toMatchObject({ status: 'completed', result: { changes: [{ approvedBy: 'ada' }] } });
      expect(target.accepted).toEqual([{ verb: 'patch', name: 'settings', change: `${run}/${task}/set` }]);
      expect(target.get(settings)?.['data']).toEqual({ text: 'new' });
      const verdict = await verifyAudit(audit);
      expect(verdict.state).toBe('intact');
      expect(verdict.records).toBeGreaterThan(0);
    });

    it('does not change what a person denied', async () => {
      const { run, task, coordination, work, record, target } = await aRun('changes', { mode: 'ask' });
      await work();
      const digest = digestOfParked(await record());
      const proof = JSON.stringify(signApproval({ run, task, digest, granted: false, who: 'ada', at: new Date().toISOString() }, readApprovalKey(keys.privateKey, 'private')));
      await coordination.decide({ run, task, digest, decision: 'granted', who: 'ada', proof });
      await work();
      expect((await record()).status).not.toBe('awaiting_approval');
      expect(target.accepted).toEqual([]);
    });

    it('does not change what a person denied after granting it, when the old grant was put back into Redis', async () => {
      const { run, task, coordination, work, record, target, audit } = await aRun('changes', { mode: 'ask' });
      await work();
      const digest = digestOfParked(await record());
      const log = new AuditLog(audit);
      const say = async (granted: boolean, who: string) => {
        const proof = signed({ run, task, digest, granted, who, at: new Date().toISOString() });
        await log.append({ actor: `user:${who}`, action: granted ? 'approval_granted' : 'approval_denied', run, task, digest, details: { signature: proof } });
        return proof;
      };
      const grant = await say(true, 'ada');
      await say(false, 'ben');
      await coordination.decide({ run, task, digest, decision: 'granted', who: 'ada', proof: grant });
      await work();
      expect((await record()).result).toMatchObject({ changes: [{ outcome: 'refused', reason: 'denied by ben' }] });
      expect(target.accepted).toEqual([]);
    });

    it.each([
      ['applies every step of a plan', true, { text: 'old', one: 'new', two: 'new' }],
      ['applies no step of a plan', false, { text: 'old' }],
    ])('%s by one word of a person', async (_what, granted, data) => {
      const { run, task, coordination, work, record, target } = await aRun('changes-twice', { mode: 'ask' });
      await work();
      const { digest, request } = (await record()).parked as { digest: string; request: { changes: unknown[] } };
      expect([request.changes.length, target.accepted]).toEqual([2, []]);
      const proof = signed({ run, task, digest, granted, who: 'ada', at: new Date().toISOString() });
      // What Redis says of the decision does not count: only the signed one does.
      await coordination.decide({ run, task, digest, decision: 'granted', who: 'ada', proof });
      await work();
      expect((await record()).status).toBe('completed');
      expect(target.get(settings)?.['data']).toEqual(data);
    });

    it('makes of changes that do not build on each other those that were granted, and asks again for what has changed or was not signed', async () => {
      const { run, task, coordination, work, record, target } = await aRun('changes-apart', { mode: 'ask' });
      const parked = async () => {
        const { digest, request } = (await record()).parked as { digest: string; request: unknown };
        return { digest, singles: singleChanges(approvalRequestSchema.parse(request)) };
      };
      const decide = async (step: string, granted: boolean, sign = signed) => {
        const { digest, singles } = await parked();
        const single = singles.find((c) => c.requested.change.step === step)?.digest ?? '';
        const proof = sign({ run, task, digest: single, granted, who: 'ada', at: new Date().toISOString() });
        await coordination.decideChanges({ run, task, digest, decision: granted ? 'granted' : 'denied', who: 'ada', changes: [{ digest: single, proof }] });
      };
      await work();
      expect((await parked()).singles).toHaveLength(4);
      await decide('one', true);
      await decide('two', false);
      await decide('three', true);
      expect((await record()).status).toBe('awaiting_approval');
      await decide('four', true, (a) => JSON.stringify(a));
      const live = target.get(settings) as KubeObject & { data: Record<string, string> };
      target.edit({ ...live, data: { ...live.data, three: 'edited' } } as never);
      await work();
      expect((target.get(settings) as { data?: unknown }).data).toEqual({ text: 'old', three: 'edited', one: 'new' });
      const again = await parked();
      expect(again.singles.map((c) => c.requested.change.step)).toEqual(['three', 'four']);
      await decide('three', true);
      await decide('four', false);
      await work();
      const { status, result } = await record();
      expect(status).toBe('completed');
      expect((result as TaskResult).changes.map((c) => [c.summary, c.outcome, c.approvedBy ?? c.reason])).toEqual([
        ['add one', 'verified', 'ada'], ['add two', 'refused', 'denied by ada'], ['add three', 'verified', 'ada'], ['add four', 'refused', 'denied by ada'],
      ]);
      expect(target.accepted.filter((w) => w.change)).toHaveLength(2);
    });

    it.each([
      ['unsigned', (a: Approved) => JSON.stringify(a)],
      ['not JSON', () => 'granted'],
      ["signed with a stranger's key", (a: Approved) => JSON.stringify(signApproval(a, readApprovalKey(strangerKeys.privateKey, 'private')))],
      ['for another digest', (a: Approved) => signed({ ...a, digest: 'f'.repeat(64) })],
      ['for another run', (a: Approved) => signed({ ...a, run: 'run-other' })],
      ['for another task', (a: Approved) => signed({ ...a, task: 'other' })],
      ['changed after it was signed', (a: Approved) => JSON.stringify({ ...(JSON.parse(signed({ ...a, granted: false })) as object), approval: a })],
    ])('ignores an approval that is %s, and stays parked', async (_what, forge) => {
      const { run, task, coordination, work, record, target } = await aRun('changes', { mode: 'ask' });
      await work();
      const digest = digestOfParked(await record());
      const proof = forge({ run, task, digest, granted: true, who: 'mallory', at: new Date().toISOString() });
      await coordination.decide({ run, task, digest, decision: 'granted', who: 'mallory', proof });
      await work();
      expect((await record()).status).toBe('awaiting_approval');
      expect(target.accepted).toEqual([]);
    });

    it('believes no approval where it knows no key', async () => {
      const { run, task, coordination, work, record, target } = await aRun('changes', { mode: 'ask' });
      await work();
      const digest = digestOfParked(await record());
      await coordination.decide({ run, task, digest, decision: 'granted', who: 'ada', proof: signed({ run, task, digest, granted: true, who: 'ada', at: new Date().toISOString() }) });
      await work({}, '');
      expect(await record()).toMatchObject({ status: 'failed', reason: expect.stringContaining('is not signed') as string });
      expect(target.accepted).toEqual([]);
    });
  });

  describe('takes no word of Redis for what may be changed', () => {
    /** Rewrites the run's document in Redis, as somebody who can write there would. */
    async function rewrite(coordination: Coordination, run: string, change: Record<string, unknown>, signature?: string): Promise<void> {
      const { redis } = coordination;
      const key = redis.key(`{larry}:blob:plan:${run}`);
      const stored = JSON.parse((await redis.commands.get(key)) as string) as { document: Record<string, unknown>; signature?: string };
      await redis.commands.set(key, JSON.stringify({ document: { ...stored.document, ...change }, signature: signature ?? stored.signature }));
    }

    it.each([
      ['a mode that was turned to auto', { mode: 'auto', allow: ['workload-env'] }],
      ['categories that were added', { mode: 'auto' }],
    ])('fails for %s, and touches nothing', async (_what, change) => {
      const { run, coordination, work, record, target } = await aRun('changes', { mode: 'observe' });
      await rewrite(coordination, run, change);
      await work();
      expect(await record()).toMatchObject({ status: 'failed', reason: expect.stringContaining('nothing is changed on the word of Redis alone') as string });
      expect(target.accepted).toEqual([]);
    });

    it('fails for the signed document of another run', async () => {
      const other = await aRun('changes', { mode: 'auto' });
      const { run, coordination, work, record, target } = await aRun('changes', { mode: 'observe' });
      const stolen = (await other.coordination.redis.commands.get(other.coordination.redis.key(`{larry}:blob:plan:${other.run}`))) as string;
      await coordination.redis.commands.set(coordination.redis.key(`{larry}:blob:plan:${run}`), stolen);
      await work();
      expect((await record()).status).toBe('failed');
      expect(target.accepted).toEqual([]);
    });

    it('reads in mode observe, signed or not', async () => {
      const { run, coordination, work, record } = await aRun('reads', { mode: 'observe' });
      await rewrite(coordination, run, {}, 'AAAA');
      await work();
      expect((await record()).status).toBe('completed');
    });
  });
});

type Approved = Parameters<typeof signApproval>[0];
const signed = (approval: Approved): string => JSON.stringify(signApproval(approval, readApprovalKey(keys.privateKey, 'private')));
