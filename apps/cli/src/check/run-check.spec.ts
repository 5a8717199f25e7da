import { UnknownKindError } from '@larry/kube';
import { memoryCluster } from '@larry/kube/testing';
import { readPlan } from '../plan-file';
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
