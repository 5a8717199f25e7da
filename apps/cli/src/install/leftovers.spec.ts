import type { KubeObject } from '@larry/contracts';
import { memoryCluster } from '@larry/kube/testing';
import type { HelmTool } from './helm-tool';
import { leftovers, type Leftovers } from './leftovers';
import { ourLabels } from './secrets';

const part = { 'app.kubernetes.io/part-of': 'larry' };
const object = (kind: string, name: string, namespace: string | undefined, labels: Record<string, string>, more: Record<string, unknown> = {}): KubeObject => ({ apiVersion: 'v1', kind, metadata: { name, uid: `uid-${name}`, ...(namespace ? { namespace } : {}), labels }, ...more });
const claim = object('PersistentVolumeClaim', 'larry-01-state', 'larry-01', { ...part, 'app.kubernetes.io/name': 'larry-01' }, { spec: { volumeName: 'disk-7' } });
const volume = (policy: string): KubeObject => object('PersistentVolume', 'disk-7', undefined, {}, { spec: { persistentVolumeReclaimPolicy: policy } });
const ours = object('Namespace', 'larry-01', undefined, ourLabels);

const charts = [{ name: 'larry-01', namespace: 'larry-01', chart: 'larry-01-0.1.0' }, { name: 'theirs', namespace: 'shop', chart: 'larry-02-9.9.9' }];
const look = (objects: KubeObject[], unknown: Record<string, string> = {}): Promise<Leftovers> => leftovers(memoryCluster(objects, { unknown }), { run: () => Promise.resolve(JSON.stringify(charts)) } as unknown as HelmTool);

it('knows which data outlive their claim', async () => {
  expect([...(await look([claim, volume('Retain')])).retained]).toEqual([['uid-larry-01-state', 'disk-7']]);
  expect((await look([claim, volume('Delete')])).retained.size).toBe(0);
});

it('removes a namespace only when all that is in it is ours', async () => {
  expect(await look([ours, claim])).toMatchObject({ namespaces: [ours], occupied: [] });
  const theirs = object('PersistentVolumeClaim', 'customer-data', 'larry-01', part);
  expect(await look([ours, claim, theirs])).toMatchObject({ claims: [claim], namespaces: [], occupied: [{ because: 'PersistentVolumeClaim customer-data in it is not ours' }] });
  expect(await look([ours], { Secret: 'forbidden' })).toMatchObject({ namespaces: [], occupied: [{ because: 'not everything in it could be looked at' }], unknown: ['Secret: forbidden'] });
});

it('leaves a release that is not where larry install puts it', async () => {
  expect(await look([])).toMatchObject({ releases: [charts[0]], elsewhere: [charts[1]] });
});
