import type { Criterion } from '@larry/contracts';
import { aDeployment, anObject, memoryCluster } from '@larry/kube/testing';
import { namespace, scan, scanContext, today } from './__fixtures__/scan';
import { observeScan } from './observe';

const criterion = (criteria: Criterion[], id: string) => criteria.find((c) => c.id === id);

describe('coverage', () => {
  const objects = [
    namespace('database'),
    namespace('other'),
    aDeployment({ namespace: 'database' }),
    aDeployment({ namespace: 'other' }),
  ];

  it('is met with what was counted, and says a namespace that is not there', async () => {
    const diagnosis = await scan(memoryCluster(objects), { namespaces: ['n8n', 'database'] });
    expect(criterion(diagnosis.criteria, 'group-covered')).toMatchObject({
      verdict: 'met',
      observation: {
        value: `2 objects of 2 kinds in 1 namespace (database), listed at ${today}; n8n does not exist`,
        at: today,
      },
    });
    expect(diagnosis.figures).toMatchObject({ namespaces_scanned: 1, objects_scanned: 2 });
    expect(diagnosis.summary).toContain('not there: n8n');
  });

  it('takes every namespace that no other group names', async () => {
    const diagnosis = await scan(memoryCluster(objects), { namespaces: [], others: true, notNamespaces: ['database'] });
    expect(diagnosis.artifacts?.['scope']).toMatchObject({ namespaces: ['other'], missing: [] });
    expect(diagnosis.figures['objects_scanned']).toBe(2);
  });

  it('counts what belongs to no namespace once, in the group that takes the rest', async () => {
    const role = anObject('rbac.authorization.k8s.io/v1', 'ClusterRole', { rules: [] }, false);
    const first = await scan(memoryCluster([...objects, role]), { namespaces: ['database'] });
    const rest = await scan(memoryCluster([...objects, role]), { others: true, notNamespaces: ['database'] });
    expect([first, rest].map((d) => d.figures['objects_scanned'])).toEqual([2, 3]);
  });

  it('is unknown when a kind cannot be listed, and names it', async () => {
    const diagnosis = await scan(memoryCluster(objects, { unknown: { NetworkPolicy: 'forbidden' } }), {
      namespaces: ['database'],
    });
    expect(criterion(diagnosis.criteria, 'group-covered')).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('NetworkPolicy in database (forbidden)') as string,
    });
    expect(diagnosis.unknowns).toContainEqual({ subject: 'NetworkPolicy in database', reason: 'forbidden' });
  });

  it('is unknown when namespaces cannot be listed, and scans those that are named', async () => {
    const diagnosis = await scan(memoryCluster(objects, { unknown: { Namespace: 'forbidden' } }), {
      namespaces: ['database'],
    });
    expect(criterion(diagnosis.criteria, 'group-covered')).toMatchObject({ verdict: 'unknown' });
    expect(diagnosis.figures['objects_scanned']).toBe(1);
  });

  it('finds namespaces that only objects name, as in a tree of manifests', async () => {
    const diagnosis = await scan(
      memoryCluster([aDeployment({ namespace: 'shop' })], { source: { type: 'manifests' } }),
      { others: true },
    );
    expect(diagnosis.artifacts?.['scope']).toMatchObject({ namespaces: ['shop'] });
  });

  it('is skipped with no target when none of the namespaces is there', async () => {
    const diagnosis = await scan(memoryCluster(objects), { namespaces: ['n8n'] });
    expect(diagnosis.skip).toMatchObject({ reason: 'no-target' });
  });

  it('counts the images of templates too: manifests have no pods', async () => {
    const template = { initContainers: [{ name: 'i', image: 'init:1' }], containers: [{ name: 'a', image: 'app:1' }] };
    const workloads = ['one', 'two'].map((name) => aDeployment({ name, namespace: 'database', template }));
    const diagnosis = await scan(memoryCluster([namespace('database'), ...workloads]));
    expect(criterion(diagnosis.criteria, 'image-cves')?.reason).toContain('2 distinct images were seen');
  });

  it('never says that images are clean', async () => {
    const diagnosis = await scan(memoryCluster(objects));
    expect(criterion(diagnosis.criteria, 'image-cves')).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('no image scanner') as string,
    });
  });

  it('stops when its lease is lost', async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(
      observeScan({ ...scanContext(memoryCluster(objects), { others: true }), signal: abort.signal }),
    ).rejects.toThrow();
  });
});
