import { ApiClient } from './cluster';
import { kinds } from './cluster/kinds';
import type { Condition, Node, Pod } from './cluster/types';
import { isServed, programsUnderTest, type ProgramsUnderTest } from './programs-under-test';
import { eventually, hasKubeTools } from './testing';

/** The cluster's time runs this much faster: a node is given up after 40 s of it. */
const speed = 20;
let under: ProgramsUnderTest;
let api: ApiClient;

beforeAll(async () => {
  const opened = await programsUnderTest({ speed });
  if (!opened) return;
  under = opened;
  api = new ApiClient({ url: under.cluster.url, token: under.cluster.adminToken, userAgent: 'spec' });
}, 60_000);
afterAll(async () => {
  api?.close();
  await under?.close();
});

const on = (name: string, fn: () => Promise<void>) => (hasKubeTools() && process.platform === 'linux' ? it : it.skip)(name, fn, 40_000);

const pods = (name: string) => (under.cluster.server.objects('pods', 'default') as unknown as Pod[]).filter((each) => each.metadata.labels?.['app'] === name);
const node = (name: string) => (under.cluster.server.objects('nodes') as unknown as Node[]).find((each) => each.metadata.name === name);
const ready = (object: { status?: { conditions?: Condition[] } } | undefined) => object?.status?.conditions?.find((each) => each.type === 'Ready')?.status;
const log = (pod: Pod | undefined) => under.cluster.server.logs.read('default', pod?.metadata.name ?? '', 'main', false)?.map((each) => each.line) ?? [];

/** A Deployment of one pod that leaves a silent node after five seconds; resolves with that pod. */
async function deployed(name: string): Promise<Pod> {
  const labels = { app: name };
  const tolerations = ['not-ready', 'unreachable'].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }));
  const container = { name: 'main', image: 'larry-01', args: ['apps/larry-01/dist/main.js'], env: [{ name: 'MODE', value: 'serve' }, { name: 'LARRY_LISTEN', value: '0.0.0.0' }] };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { tolerations, containers: [container] } } };
  await api.create(kinds.deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec }, 'default');
  await eventually(() => expect(log(pods(name)[0])).toContain('mode serve'));
  return pods(name)[0] as Pod;
}

const say = (nodeName: string, down: string | null) => api.patch(kinds.nodes, { metadata: { name: nodeName } }, { metadata: { annotations: { 'simulation.larry.dev/down': down } } });

on('a dead node is given up, its pods go elsewhere, and it comes back', async () => {
  const first = await deployed('dead');
  const name = first.spec.nodeName ?? '';
  await say(name, 'dead');
  await eventually(async () => expect(await isServed(`${first.status?.podIP}:8080`)).toBe(false));
  await eventually(() => expect([ready(node(name)), node(name)?.spec?.taints?.map((taint) => taint.key)]).toEqual(['Unknown', ['node.kubernetes.io/unreachable', 'node.kubernetes.io/unreachable']]));
  // Nobody is there to say how the old one ended: it stays, and the new one runs.
  await eventually(() => expect(pods('dead').map((each) => [each.spec.nodeName === name, each.metadata.deletionTimestamp !== undefined, ready(each)]).sort()).toEqual([[false, false, 'True'], [true, true, 'False']]));
  expect(pods('dead').flatMap((each) => each.status?.conditions ?? [])).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'DisruptionTarget', reason: 'DeletionByTaintManager' })]));
  await say(name, null);
  await eventually(() => expect([ready(node(name)), node(name)?.spec?.taints, pods('dead').length]).toEqual(['True', undefined, 1]));
});

on('on a node that nobody hears, the program of a pod that was given up runs on', async () => {
  const first = await deployed('unheard');
  const name = first.spec.nodeName ?? '';
  await say(name, 'unreachable');
  await eventually(() => expect(pods('unheard')).toHaveLength(2));
  expect(await (await fetch(`http://${first.status?.podIP}:8080/`)).text()).toBe(`hello from ${first.metadata.name}`);
  await say(name, null);
  await eventually(async () => expect(await isServed(`${first.status?.podIP}:8080`)).toBe(false));
  await eventually(() => expect(pods('unheard')).toHaveLength(1));
});

on('pods of a node that is deleted are ended by the control plane', async () => {
  const first = await deployed('gone');
  await api.delete(kinds.nodes, { metadata: { name: first.spec.nodeName ?? '' } });
  await eventually(() => expect(pods('gone').map((each) => each.spec.nodeName === first.spec.nodeName)).toEqual([false]));
  await eventually(async () => expect(await isServed(`${first.status?.podIP}:8080`)).toBe(false));
});
