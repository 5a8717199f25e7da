import type { KubeObject } from '@larry/contracts';
import { aNode, aWorkload, crashed, testNow } from '@larry/diagnosis/testing';
import { gitBranches } from '@larry/kube';
import { memoryCluster } from '@larry/kube/testing';
import { requestDiff, runPlaybook, type PlaybookContext, type PlaybookResult, type RunOptions } from '@larry/playbook';
import { memoryJournal, memoryTarget } from '@larry/playbook/testing';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Facts } from './facts';
import { refine } from './refine';
import { fixPgadminCrashloop } from '.';

const manifest = `# The database of the shop
apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  template:
    spec:
      containers:
        - name: app
          image: postgres:16
          resources:
            limits:
              memory: 32Mi # enough for now
`;

let clone: string;
const git = (...args: string[]): string => execFileSync('git', ['-C', clone, '-c', 'user.name=A Person', '-c', 'user.email=a.person@example.com', '-c', 'commit.gpgsign=false', ...args], { encoding: 'utf8' });

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'larry-clone-'));
  git('init', '-q', '-b', 'main');
  writeFileSync(join(clone, 'db.yaml'), manifest);
  git('add', '-A');
  git('commit', '-q', '-m', 'what is there');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** A Deployment that Flux owns, out of memory; or well, with more of it. */
function objects(well?: { memory: string; since: string }): KubeObject[] {
  const spec = { image: 'postgres:16', resources: { limits: { memory: well?.memory ?? '32Mi' } } };
  const workload = aWorkload('db', { containers: [well ? { spec, state: { running: { startedAt: well.since } } } : crashed(137, { reason: 'OOMKilled', spec })] });
  const labels = { 'kustomize.toolkit.fluxcd.io/name': 'shop', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };
  return [aNode(), ...workload.map((o) => (o.kind === 'Deployment' ? { ...o, metadata: { ...o.metadata, labels: { ...o.metadata.labels, ...labels } } } : o))];
}

function aContext(folder: string | undefined, seen = objects(), at = testNow): PlaybookContext {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  return {
    run: 'run-1', task: 'fix-pgadmin-crashloop', cluster: memoryCluster(seen, { source: { type: 'live', name: 'test', simulated: true } }), ...(folder ? { git: folder } : {}), options: { settleSeconds: 0 },
    signal: AbortSignal.timeout(20_000), results: new Map(), log, now: () => new Date(at), progress: () => undefined, wait: async () => undefined,
  }; // prettier-ignore
}

const result = (folder: string, options: Partial<RunOptions> = {}): Promise<PlaybookResult> => runPlaybook(fixPgadminCrashloop, aContext(folder), { mode: 'auto', allow: [...(fixPgadminCrashloop.categories ?? [])], ...options });

it('shows what Flux owns as a diff of the file that declares it, and changes neither the cluster nor the clone', async () => {
  const { findings, changes } = await result(clone);
  const found = findings.find(({ rule }) => rule === 'oom_killed');
  expect(found).toMatchObject({ owner: { kind: 'flux' }, remedy: { layer: 'manifest', file: 'db.yaml', line: 2 } });
  const { diff = '' } = found?.remedy as { diff?: string };
  expect(diff.split('\n').filter((line) => /^[+-]/.test(line))).toEqual(['--- a/db.yaml', '+++ b/db.yaml', '-              memory: 32Mi # enough for now', '+              memory: 64Mi # enough for now']);
  expect(changes).toMatchObject([{ outcome: 'proposed', reason: 'read-only: nothing is changed', git: { file: 'db.yaml' }, diff: expect.stringContaining(diff.trimEnd()) as string }]);
  expect(git('branch', '--list', 'larry/*')).toBe('');
  expect(git('status', '--short', '--branch')).toBe('## main\n');
});

it('says why no branch is made of a diff', async () => {
  const [found] = (await result(join(clone, 'gone'))).findings.filter(({ rule }) => rule === 'oom_killed');
  const unsure = { summary: '', findings: found ? [{ ...found, confidence: 0.5 }] : [], figures: {}, criteria: [], unknowns: [] };
  const { findings } = await refine(aContext(clone) as never, { cluster: { runtime: false } } as Facts, unsure);
  expect(findings[0]?.remedy).toMatchObject({ diff: expect.stringContaining('64Mi') as string, note: expect.stringMatching(/; no branch: Larry does not make it by himself: he is 50 % sure of the cause, and 90 % are needed$/) as string });
});

it('goes on without a repository that cannot be read, and says so', async () => {
  const { findings, unknowns, outcome } = await result(join(clone, 'gone'));
  expect(outcome).toBe('completed');
  expect(findings.find(({ rule }) => rule === 'oom_killed')?.remedy).toMatchObject({ layer: 'manifest' });
  expect(unknowns).toContainEqual({ subject: 'the Git repository of the manifests', reason: expect.stringContaining('there is no such folder') });
});

describe('a branch that a person approved', () => {
  /** Parked with the diff, approved, made. */
  async function made(): Promise<{ shown: string; result: PlaybookResult; branch: string }> {
    const granted = new Set<string>();
    const hands: RunOptions['hands'] = {
      writer: memoryTarget([]).writer, git: gitBranches(clone), journal: memoryJournal(), guard: () => undefined, audit: { append: () => Promise.resolve() },
      approval: (digest) => Promise.resolve(granted.has(digest) ? { granted: true, who: 'ada' } : undefined), rollbackInitiated: () => Promise.reject(new Error('nothing is taken back')),
    };
    const parked = await result(clone, { mode: 'ask', hands });
    granted.add(parked.asks?.digest ?? '');
    const done = await result(clone, { mode: 'ask', hands });
    return { shown: parked.asks ? requestDiff(parked.asks.request) : '', result: done, branch: done.changes[0]?.git?.branch ?? '' };
  }
  const claimIn = (criteria: PlaybookResult['criteria']) => criteria.find((c) => c.id.startsWith('repaired-oom-killed'));
  const later = async (given: PlaybookResult, folder: string | undefined, seen = objects()) => claimIn(await fixPgadminCrashloop.validate(aContext(folder, seen), given));

  it('waits to be merged: the change is provisional, and of the workload nothing is claimed', async () => {
    const { shown, result: done, branch } = await made();
    expect(shown).toContain('+              memory: 64Mi # enough for now');
    const commit = git('rev-parse', branch).trim();
    const waits = `commit ${commit.slice(0, 12)} waits to be merged: git -C ${clone} log -p -1 ${branch} to look, git -C ${clone} push origin ${branch} to publish; once the cluster has it, larry verify closes it`;
    expect(done).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'provisional', approvedBy: 'ada', reason: waits, git: { commit } }] });
    expect(claimIn(done.criteria)).toMatchObject({ verdict: 'provisional', reason: waits, observation: { value: expect.stringContaining('the cause is still there: oom_killed') as string } });
    expect(git('log', '-1', '--format=%B', branch)).toMatch(/^fix\(shop\): repair Deployment db \(oom_killed\)\n\n.+\n[^]*\nLarry-Change: run-1\/fix-pgadmin-crashloop\/oom-killed-shop-db-/);
    expect(git('diff', '--numstat', 'main', branch)).toBe('1\t1\tdb.yaml\n');
    expect(await later(done, clone)).toMatchObject({ verdict: 'provisional', reason: waits });
    expect(await later(done, undefined)).toMatchObject({ verdict: 'provisional', reason: expect.stringContaining('larry verify --git DIR') as string });
  });

  it('is followed: merged, arrived in the cluster, well for long enough', async () => {
    const { result: done, branch } = await made();
    git('merge', '-q', '--squash', branch);
    git('commit', '-q', '-m', 'squashed');
    git('branch', '-q', '-D', branch);
    expect(await later(done, clone)).toMatchObject({ verdict: 'provisional', reason: expect.stringMatching(/is merged \(db.yaml at commit [0-9a-f]{12}\), and the cluster does not have it yet$/) as string });
    const hourLater = { ...done, endedAt: '2026-01-01T11:00:00Z' };
    expect(await later(hourLater, clone, objects({ memory: '64Mi', since: '2026-01-01T11:57:00Z' }))).toMatchObject({ verdict: 'provisional', reason: expect.stringContaining('seen well for 3 of 10 minutes') as string });
    expect(await later(hourLater, clone, objects({ memory: '64Mi', since: '2026-01-01T11:40:00Z' }))).toMatchObject({ verdict: 'met' });
  });

  it('turns when it was deleted and nothing has its change', async () => {
    const { result: done, branch } = await made();
    git('branch', '-q', '-D', branch);
    expect(await later(done, clone)).toMatchObject({ verdict: 'not-met', observation: { value: expect.stringMatching(/^branch larry\/\S+ was deleted, and db.yaml does not have its change at commit [0-9a-f]{12}; the cause is still there/) as string } });
  });
});
