import type { TaskResult } from '@larry/contracts';
import { markFor } from '@larry/helm';
import { aRelease, releaseSecret } from '@larry/helm/testing';
import { memoryCluster } from '@larry/kube/testing';
import { aChange, aResult } from '../../test/builders';
import { crossChecks, type LiveFacts } from '@larry/reports';
import { observeForChecks } from './check-observations';

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' };
const helmOwner = { kind: 'helm', release: 'pg', namespace: 'database' };

interface World {
  scanned?: string[];
  namespaces?: string[];
  assets?: Record<string, unknown>[];
  counts?: { kind: string; apiVersion: string; objects: number; derived: number }[];
  omitted?: number;
  discovered?: number;
  releases?: { id: string; status: string; manifestObjects?: number }[];
  fromMarks?: boolean;
  doubt?: string;
  changes?: ReturnType<typeof aChange>[];
}

/** Results of a run that agrees with itself, with what differs; `undefined` leaves a task out. */
function world(parts: World = {}): Map<string, TaskResult> {
  const w = { scanned: ['database'], namespaces: ['database'], assets: [{ ...deployment, id: 'x', owner: helmOwner }], releases: [{ id: 'database/pg', status: 'deployed' }], changes: [], ...parts };
  const assets = w.assets ?? [];
  const counts = w.counts ?? [{ kind: 'Deployment', apiVersion: 'apps/v1', objects: assets.length, derived: 0 }];
  const inventory = { namespaces: w.namespaces, assets, counts, omitted: w.omitted ?? 0 };
  const discovered = w.discovered ?? counts.reduce((sum, kind) => sum + kind.objects, 0);
  const criteria: TaskResult['criteria'] = w.doubt ? [{ id: 'matches-helm-list', text: 't', verdict: 'unknown', reason: w.doubt }] : [];
  return new Map([
    ['repair', aResult('repair', { changes: w.changes })],
    ...(w.scanned ? ([['scan', aResult('scan', { artifacts: { scope: { namespaces: w.scanned } } })]] as const) : []),
    ...(w.namespaces ? ([['catalog', aResult('catalog', { figures: { assets_discovered: discovered }, artifacts: { inventory } })]] as const) : []),
    ...(w.releases ? ([['helm', aResult('helm', { criteria, artifacts: { releases: { releases: w.releases, records: [], fromMarks: w.fromMarks ?? false } } })]] as const) : []),
  ]);
}

function live(count: number | string = 1, mark: LiveFacts['marks'] extends ReadonlyMap<string, infer S> ? S : never = { value: { exists: true, change: aChange().id } }): LiveFacts {
  return {
    counts: new Map([['apps/v1 Deployment', typeof count === 'number' ? { value: count } : { problem: count }]]),
    marks: new Map([['apps Deployment database/pgadmin', mark]]),
  };
}

function verdictOf(id: string, results: Map<string, TaskResult>, facts: LiveFacts): string {
  const check = crossChecks(results, facts).checks.find((c) => c.id === id);
  return check ? `${check.verdict}: ${check.observation}` : 'left out';
}

describe('scanned namespaces against the inventory', () => {
  it.each<[string, World, RegExp]>([
    ['agree when they are the same', {}, /^agrees: 1 scanned by scan; 1 in the inventory$/],
    ['differ when one was not scanned', { namespaces: ['database', 'n8n'] }, /^differs: .*not scanned: n8n/],
    ['differ when one was not catalogued', { scanned: ['database', 'gone'] }, /^differs: .*not in the inventory: gone/],
    ['are unknown without a scan', { scanned: undefined }, /^unknown: no security scan/],
    ['are unknown without an inventory', { namespaces: undefined }, /^unknown: there is no inventory/],
  ])('%s', (_, parts, expected) => expect(verdictOf('scanned-namespaces', world(parts), live())).toMatch(expected));
});

describe('the asset count against a recount', () => {
  const mixed = [
    { kind: 'Deployment', apiVersion: 'apps/v1', objects: 1, derived: 0 },
    { kind: 'Pod', apiVersion: 'v1', objects: 9, derived: 9 },
  ];
  it.each<[string, World, LiveFacts, RegExp]>([
    ['agrees when every kind has as many', {}, live(1), /^agrees: 1 objects of 1 kinds/],
    ['differs when there is one more', {}, live(2), /^differs: .*apps\/v1 Deployment: 1 then, 2 now/],
    ['differs when the figure is not what is counted', { discovered: 5 }, live(1), /^differs: .*assets_discovered says 5, the inventory counts 1/],
    ['agrees when assets are counted and not listed', { omitted: 4 }, live(1), /^agrees/],
    ['is unknown when a kind cannot be read now', {}, live('forbidden'), /^unknown: .*apps\/v1 Deployment: forbidden/],
    ['leaves kinds of controllers out, and says so', { counts: mixed }, live(1), /^agrees: 1 objects of 1 kinds counted again; 1 kinds without objects, or with some that controllers make/],
    ['is unknown when no kind could be compared', { counts: mixed.slice(1) }, live(1), /^unknown/],
  ])('%s', (_, parts, facts, expected) => expect(verdictOf('asset-count', world(parts), facts)).toMatch(expected));
});

describe('Helm releases against the owners in the inventory', () => {
  it.each<[string, World, RegExp]>([
    ['agree', {}, /^agrees: 1 releases in Helm's records; 1 releases and 0 HelmCharts/],
    ['differ when a release owns nothing', { releases: [{ id: 'database/pg', status: 'deployed' }, { id: 'n8n/n8n', status: 'deployed' }] }, /^differs: .*without an object in the inventory: n8n\/n8n/],
    ['differ when an owner has no record', { releases: [] }, /^differs: .*no record of: database\/pg/],
    ['expect nothing of a release that is not deployed or has no objects', { releases: [{ id: 'database/pg', status: 'deployed' }, { id: 'a/b', status: 'failed' }, { id: 'a/c', status: 'deployed', manifestObjects: 0 }] }, /^agrees/],
    ["take a HelmChart of k3s for its release's owner", { assets: [{ ...deployment, owner: { kind: 'k3s-helmchart', chart: 'traefik', namespace: 'kube-system' } }], releases: [{ id: 'kube-system/traefik', status: 'deployed' }] }, /^agrees/],
    ['are unknown when both rest on the same marks', { fromMarks: true }, /^unknown: .*proves nothing/],
    ['are unknown when the catalog doubts itself', { doubt: 'no Secrets may be read' }, /^unknown: .*no Secrets may be read/],
    ['are unknown when the owner may be among the omitted', { omitted: 1, releases: [{ id: 'database/pg', status: 'deployed' }, { id: 'n8n/n8n', status: 'deployed' }] }, /^unknown: .*n8n\/n8n/],
    ['are unknown without a catalog', { releases: undefined }, /^unknown: there is no catalog/],
  ])('%s', (_, parts, expected) => expect(verdictOf('helm-releases', world(parts), live())).toMatch(expected));
});

describe('standing changes', () => {
  const changes = [aChange()];
  const elsewhere = [aChange({ target: { ...deployment, namespace: 'n8n' } })];
  it.each<[string, string, World, LiveFacts, RegExp]>([
    ['agree with the inventory', 'changes-in-inventory', { changes }, live(), /^agrees: 1 changes on 1 objects/],
    ['differ from an inventory without the object', 'changes-in-inventory', { changes: elsewhere }, live(), /^differs: .*Deployment n8n\/pgadmin/],
    ['agree with the mark on the object', 'changes-on-objects', { changes }, live(), /^agrees/],
    ['differ when the object is gone', 'changes-on-objects', { changes }, live(1, { value: { exists: false } }), /^differs: .*is not there any more/],
    ['differ when the mark is gone', 'changes-on-objects', { changes }, live(1, { value: { exists: true } }), /^differs: .*carries no mark/],
    ["differ when the mark is another run's", 'changes-on-objects', { changes }, live(1, { value: { exists: true, change: 'run-0/repair/x' } }), /^differs: .*carries run-0\/repair\/x/],
    ['take the mark of any of several changes', 'changes-on-objects', { changes: [aChange({ id: 'run-1/repair/a' }), aChange()] }, live(), /^agrees: 1 objects/],
    ['are unknown when the object cannot be read', 'changes-on-objects', { changes }, live(1, { problem: 'forbidden' }), /^unknown: .*forbidden/],
    ['agree with the scans', 'changes-scanned', { changes }, live(), /^agrees/],
    ['differ from scans that looked elsewhere', 'changes-scanned', { changes: elsewhere }, live(), /^differs: .*Deployment n8n\/pgadmin/],
    ['that were rolled back are none', 'changes-on-objects', { changes: [aChange({ outcome: 'rolled-back' })] }, live(), /^left out$/],
  ])('%s', (_, id, parts, facts, expected) => expect(verdictOf(id, world(parts), facts)).toMatch(expected));

  const git = { branch: 'larry/web', file: 'apps/web.yaml', before: 'a'.repeat(40), after: 'b'.repeat(40), wanted: [{ op: 'replace', path: '/spec/replicas', value: 1 }] };
  const onBranch = aChange({ id: 'run-1/repair/on-branch', target: { ...deployment, name: 'web' }, outcome: 'provisional', git });

  it('on a branch in Git are asked for no mark, and named for the lessons', () => {
    const { checks, leftOut } = crossChecks(world({ changes: [aChange(), onBranch] }), live());
    expect(checks.find((c) => c.id === 'changes-on-objects')).toMatchObject({ verdict: 'agrees', observation: '1 objects looked at' });
    expect(leftOut).toEqual([expect.stringContaining('larry verify --git looks for run-1/repair/on-branch'), expect.stringContaining('No pull requests')]);
    const alone = crossChecks(world({ changes: [onBranch] }), live());
    expect(alone.checks.every((c) => c.verdict === 'agrees')).toBe(true);
    expect(alone.leftOut[0]).toContain('No object was changed');
  });

  it('on a branch that was taken back are not named', () => {
    expect(crossChecks(world({ changes: [{ ...onBranch, outcome: 'rolled-back' }] }), live()).leftOut.join()).not.toContain('on-branch');
  });

  it('are left out with a line for the lessons where there are none, and so are pull requests', () => {
    const { checks, leftOut } = crossChecks(world(), live());
    expect(checks.map((c) => c.id)).toEqual(['scanned-namespaces', 'asset-count', 'helm-releases']);
    expect(leftOut).toEqual([expect.stringContaining('No object was changed'), expect.stringContaining('No pull requests')]);
  });
});

describe('what the checks look at themselves', () => {
  const annotated = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'pgadmin', namespace: 'database', annotations: { 'larry.dev/change': aChange().id } } };

  it('is counted and read anew', async () => {
    const results = world({ changes: [aChange()] });
    const facts = await observeForChecks(memoryCluster([annotated]), results, new AbortController().signal);
    expect(crossChecks(results, facts).checks.map((c) => `${c.id} ${c.verdict}`)).toEqual([
      'scanned-namespaces agrees',
      'asset-count agrees',
      'helm-releases agrees',
      'changes-in-inventory agrees',
      'changes-on-objects agrees',
      'changes-scanned agrees',
    ]);
  });

  it('is unknown where it cannot be read', async () => {
    const results = world({ changes: [aChange()] });
    const facts = await observeForChecks(memoryCluster([annotated], { unknown: { Deployment: 'forbidden' } }), results, new AbortController().signal);
    expect([...facts.counts.values(), ...facts.marks.values()]).toEqual([{ problem: expect.stringContaining('forbidden') }, { problem: expect.stringContaining('forbidden') }]);
  });

  it("finds the mark of a change of a Helm release's values in the release's record, and knows where that cannot be read", async () => {
    const results = world({ changes: [aChange({ helm: { release: 'shop', namespace: 'web' } })] });
    const bare = { ...annotated, metadata: { name: 'pgadmin', namespace: 'database' } };
    const guard = { name: 'templates/larry-change-guard.txt', data: Buffer.from(`{{- /* larry.dev/change ${markFor(aChange().id)} */ -}}`).toString('base64') };
    const release = aRelease();
    const marked = releaseSecret({ ...release, chart: { ...release.chart, templates: [...release.chart.templates, guard] } });
    const verdict = async (cluster: ReturnType<typeof memoryCluster>) => verdictOf('changes-on-objects', results, await observeForChecks(cluster, results, new AbortController().signal));
    expect(await verdict(memoryCluster([bare, marked]))).toMatch(/^agrees/);
    expect(await verdict(memoryCluster([bare, releaseSecret(release)]))).toMatch(/^differs: .*carries no mark/);
    expect(await verdict(memoryCluster([bare, marked], { unknown: { Secret: 'forbidden' } }))).toMatch(/^unknown: .*forbidden/);
  });

  it('takes the mark of the last of several changes of one release for all of them, whatever they mend', async () => {
    const helm = { release: 'shop', namespace: 'web' };
    const results = world({ changes: [aChange({ id: 'run-1/repair/first', target: { ...deployment, name: 'other' }, helm }), aChange({ helm })] });
    const bare = ['other', 'pgadmin'].map((name) => ({ ...annotated, metadata: { name, namespace: 'database' } }));
    const release = aRelease();
    const guard = (id: string) => ({ name: 'templates/larry-change-guard.txt', data: Buffer.from(`{{- /* larry.dev/change ${markFor(id)} */ -}}`).toString('base64') });
    const marked = (id: string) => releaseSecret({ ...release, chart: { ...release.chart, templates: [...release.chart.templates, guard(id)] } });
    const verdict = async (id: string) => verdictOf('changes-on-objects', results, await observeForChecks(memoryCluster([...bare, marked(id)]), results, new AbortController().signal));
    expect(await verdict(aChange().id)).toBe('agrees: 2 objects looked at');
    expect(await verdict('run-0/repair/foreign')).toMatch(/^differs/);
  });

  it('stops when the lease is lost', async () => {
    await expect(observeForChecks(memoryCluster([annotated]), world(), AbortSignal.abort(new Error('lease lost')))).rejects.toThrow('lease lost');
  });
});
