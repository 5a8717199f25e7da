import type { Finding } from '@larry/contracts';
import { UnknownKindError } from '@larry/kube';
import { memoryCluster } from '@larry/kube/testing';
import { checkToSarif } from '@larry/reports';
import { readPlan } from '../plan-file';
import { withoutEchoes } from './echoes';
import { runCheck } from './run-check';

const options = { signal: new AbortController().signal, progress: () => undefined };

it('a live cluster of which nothing may be listed is incomplete, and says so: no findings means nothing there', async () => {
  const cluster = memoryCluster([], { source: { type: 'live', name: 'prod' } });
  cluster.list = (kind) => {
    throw new UnknownKindError(kind.kind, 'forbidden');
  };
  const outcome = await runCheck(cluster, readPlan(undefined), options);
  // Helm's catalog says "unknown" instead: others go on without it.
  const others = outcome.report.tasks.filter(({ task }) => task !== 'catalog-helm-releases');
  expect(others.map(({ outcome: how, skipReason }) => `${how} ${skipReason}`)).toEqual(others.map(() => 'skipped not-permitted'));
  expect(outcome.report.tasks.flatMap((task) => task.criteria).filter((criterion) => criterion.verdict === 'met')).toEqual([]);
  expect(outcome).toMatchObject({ incomplete: true, nothingRead: expect.stringContaining('nothing was read from prod: this account may list no kind') });
});

it('an empty cluster that may be read is no such thing', async () => {
  const outcome = await runCheck(memoryCluster([], { source: { type: 'live', name: 'new' } }), readPlan(undefined), options);
  expect(outcome).toMatchObject({ incomplete: false });
  expect(outcome.nothingRead).toBeUndefined();
});

describe('why something does not run', () => {
  const at = '2026-03-01T10:00:00Z';
  const meta = (name: string, labels?: Record<string, string>) => ({ name, namespace: 'shop', creationTimestamp: '2026-03-01T08:00:00Z', ...(labels ? { labels } : {}) });
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'nginx:1.29', envFrom: [{ configMapRef: { name: 'settings' } }] }] } };
  const waiting = { name: 'web', ready: false, restartCount: 0, state: { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' } } };
  const objects = [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...meta('web'), uid: 'd' }, spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template }, status: { replicas: 1 } },
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { ...meta('web-1'), uid: 'r', ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'd', controller: true }] }, spec: { replicas: 1, template } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { ...meta('web-1-a', { app: 'web' }), uid: 'p', ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'r', controller: true }] }, spec: { ...template.spec, nodeName: 'n-1' }, status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }], containerStatuses: [waiting] } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('other'), data: {} },
  ];

  it('is said once, by its root cause, as in larry diagnose', async () => {
    const { report } = await runCheck(memoryCluster(objects, { source: { type: 'snapshot', name: 'snap', takenAt: at } }), readPlan(undefined), options);
    const told = report.findings.filter(({ object, title }) => object.name === 'web' && title.includes('settings'));
    expect(told.map(({ rule, broken }) => [rule, broken])).toEqual([['missing_config_map', true]]);
    const sarif = checkToSarif(report, '1') as { runs: { results: { ruleId: string }[] }[] };
    expect(Array.from(sarif.runs[0]?.results ?? []).map(({ ruleId }) => ruleId)).toContain('missing_config_map');
  });

  it('leaves a reference that leads elsewhere, and one of what runs', () => {
    const finding = (over: Partial<Finding>) => ({ id: JSON.stringify(over), task: 'catalog-deployments', rule: 'dangling-reference', object: { kind: 'Deployment', namespace: 'shop', name: 'web' }, title: 'Deployment shop/web needs ConfigMap shop/settings, which does not exist', ...over }) as Finding;
    const root = finding({ task: 'fix-pgadmin-crashloop', rule: 'missing_config_map', title: 'ConfigMap shop/settings does not exist', broken: true });
    const others = [finding({ title: 'Deployment shop/web needs Secret shop/settings, which does not exist' }), finding({ object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'api' } })];
    expect(withoutEchoes([root, finding({}), ...others])).toEqual([root, ...others]);
    expect(withoutEchoes([finding({})])).toHaveLength(1);
  });
});
