import type { KubeObject } from '@larry/contracts';
import { aDeployment, aPod, memoryCluster } from '@larry/kube/testing';
import { namespace, resultOf, scan, scanContext } from './__fixtures__/scan';
import { validateScan } from './validate';

const privileged = { containers: [{ name: 'app', image: 'a:1', securityContext: { privileged: true } }] };
const criterion = (criteria: { id: string }[], id: string) => criteria.find((c) => c.id === id);

describe('looking again', () => {
  const web = aDeployment({ namespace: 'database', template: privileged });
  const before = [namespace('database'), web];
  const again = async (objects: KubeObject[], unknown: Record<string, string> = {}) => {
    const claimed = resultOf(await scan(memoryCluster(before)));
    return criterion(
      await validateScan(scanContext(memoryCluster(objects, { unknown }), { others: true }), claimed),
      'group-covered',
    );
  };

  it('confirms what is still so', async () => {
    expect(await again(before)).toMatchObject({ verdict: 'met' });
  });

  it.each<[string, KubeObject[], string]>([
    ['a new namespace', [...before, namespace('new')], '1 namespace not in the result (new)'],
    ['a namespace gone', [], '1 namespace gone (database)'],
    ['another count', [...before, aPod({ namespace: 'database' })], 'Pod: 0 then, 1 now'],
    [
      'a finding gone',
      [namespace('database'), aDeployment({ namespace: 'database' })],
      'pss-baseline/privileged Deployment database/thing',
    ],
    [
      'other evidence for the same finding',
      [
        namespace('database'),
        aDeployment({ namespace: 'database', template: { ...privileged, initContainers: privileged.containers } }),
      ],
      'with other evidence',
    ],
  ])('turns the verdict for %s', async (_, objects, said) => {
    const turned = await again(objects);
    expect(turned).toMatchObject({
      verdict: 'not-met',
      observation: { value: expect.stringContaining(said) as string },
    });
  });

  it('is not turned by replicas that a controller made meanwhile', async () => {
    const replicas = aPod({ namespace: 'database', controller: web });
    expect(await again([...before, replicas])).toMatchObject({ verdict: 'met' });
  });

  it('is unknown when it cannot look', async () => {
    expect(await again(before, { Pod: 'forbidden' })).toMatchObject({ verdict: 'unknown' });
  });
});
