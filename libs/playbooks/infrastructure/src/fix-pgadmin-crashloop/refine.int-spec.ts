import type { KubeObject } from '@larry/contracts';
import { aNode, aWorkload, crashed, testNow } from '@larry/diagnosis/testing';
import { memoryCluster } from '@larry/kube/testing';
import { runPlaybook, type PlaybookContext, type PlaybookResult } from '@larry/playbook';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** A Deployment that Flux owns, out of memory. */
function objects(): KubeObject[] {
  const workload = aWorkload('db', { containers: [crashed(137, { reason: 'OOMKilled', spec: { image: 'postgres:16', resources: { limits: { memory: '32Mi' } } } })] });
  const labels = { 'kustomize.toolkit.fluxcd.io/name': 'shop', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };
  return [aNode(), ...workload.map((o) => (o.kind === 'Deployment' ? { ...o, metadata: { ...o.metadata, labels: { ...o.metadata.labels, ...labels } } } : o))];
}

async function result(folder: string): Promise<PlaybookResult> {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const context: PlaybookContext = {
    run: 'run-1', task: 'fix-pgadmin-crashloop', cluster: memoryCluster(objects(), { source: { type: 'live', name: 'test', simulated: true } }), git: folder, options: { settleSeconds: 0 },
    signal: AbortSignal.timeout(20_000), results: new Map(), log, now: () => new Date(testNow), progress: () => undefined, wait: async () => undefined,
  }; // prettier-ignore
  return runPlaybook(fixPgadminCrashloop, context, { mode: 'auto', allow: [...(fixPgadminCrashloop.categories ?? [])] });
}

it('shows what Flux owns as a diff of the file that declares it, and changes neither the cluster nor the clone', async () => {
  const { findings, changes } = await result(clone);
  const found = findings.find(({ rule }) => rule === 'oom_killed');
  expect(found).toMatchObject({ owner: { kind: 'flux' }, remedy: { layer: 'manifest', file: 'db.yaml', line: 2 } });
  const { diff = '' } = found?.remedy as { diff?: string };
  expect(diff.split('\n').filter((line) => /^[+-]/.test(line))).toEqual(['--- a/db.yaml', '+++ b/db.yaml', '-              memory: 32Mi # enough for now', '+              memory: 64Mi # enough for now']);
  expect(changes).toEqual([]);
  expect(git('status', '--short', '--branch')).toBe('## main\n');
});

it('goes on without a repository that cannot be read, and says so', async () => {
  const { findings, unknowns, outcome } = await result(join(clone, 'gone'));
  expect(outcome).toBe('completed');
  expect(findings.find(({ rule }) => rule === 'oom_killed')?.remedy).toMatchObject({ layer: 'manifest' });
  expect(unknowns).toContainEqual({ subject: 'the Git repository of the manifests', reason: expect.stringContaining('there is no such folder') });
});
