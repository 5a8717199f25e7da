import { aConfigMap, aDeployment, aPod } from './builders';
import { UnknownKindError } from './errors';
import { memoryCluster } from './memory-cluster';
import type { ClusterReader, KindRef, ListOptions } from './reader';
import { SharedLists } from './shared-lists';
import { listAll } from './testing-folder';

const pod: KindRef = { apiVersion: 'v1', kind: 'Pod' };
const deployment: KindRef = { apiVersion: 'apps/v1', kind: 'Deployment' };
const configMap: KindRef = { apiVersion: 'v1', kind: 'ConfigMap' };

/** 200 pods, one deployment and one config map, and a count of what was read from the source. */
function counted(unknown: Record<string, string> = {}) {
  const objects = [...Array.from({ length: 200 }, (_, i) => aPod({ name: `p${i}` })), aDeployment(), aConfigMap()];
  const cluster = memoryCluster(objects, { unknown });
  const read: string[] = [];
  const list: ClusterReader['list'] = async function* (kind, options) {
    read.push(`${kind.kind}${options?.namespace ? ` in ${options.namespace}` : ''}`);
    yield* cluster.list(kind, options);
  };
  return { lists: new SharedLists({ ...cluster, list }), read };
}

const reading = (lists: SharedLists, kinds: KindRef[], options?: ListOptions) =>
  lists.use(async (reader) => {
    const counts: number[] = [];
    for (const kind of kinds) counts.push((await listAll(reader, kind, options)).length);
    return counts;
  });

describe('shared lists', () => {
  it('read each kind once for all who want it, in whatever order each asks', async () => {
    const { lists, read } = counted();
    const all = [reading(lists, [pod, deployment]), reading(lists, [deployment, pod]), reading(lists, [configMap, deployment, pod])];
    expect(await Promise.all(all)).toEqual([[200, 1], [1, 200], [1, 1, 200]]); // prettier-ignore
    expect(read.filter((kind) => kind === 'Pod')).toHaveLength(1);
  });

  it('give everybody every object in the order of the source, however slow another is', async () => {
    const { lists } = counted();
    const names = (pause: number) =>
      lists.use(async (reader) => {
        const seen: string[] = [];
        for await (const { metadata } of reader.list(pod)) {
          seen.push(metadata.name);
          for (let i = 0; i < pause; i++) await Promise.resolve();
        }
        return seen;
      });
    const [fast, slow] = await Promise.all([names(0), names(20)]);
    expect(slow).toEqual(fast);
    expect(fast).toEqual(Array.from({ length: 200 }, (_, i) => `p${i}`));
  });

  it('go on for the others when one stops early, fails, or lists inside its list', async () => {
    const { lists } = counted();
    const early = lists.use(async (reader) => {
      for await (const object of reader.list(pod)) return object.metadata.name;
      return 'none';
    });
    const failing = lists.use(async (reader) => {
      for await (const object of reader.list(pod)) throw new Error(`at ${object.metadata.name}`);
    });
    const nested = lists.use(async (reader) => {
      let seen = 0;
      for await (const object of reader.list(pod)) if (object) seen += (await listAll(reader, deployment)).length;
      return seen;
    });
    await expect(failing).rejects.toThrow('at p0');
    expect(await Promise.all([early, nested, reading(lists, [pod])])).toEqual(['p0', 200, [200]]);
  });

  it('give the reason why a kind is unknown to each who asked', async () => {
    const { lists } = counted({ Pod: 'not in dump' });
    const results = await Promise.allSettled([reading(lists, [deployment, pod]), reading(lists, [pod])]);
    expect(results.map((r) => (r.status === 'rejected' ? r.reason : undefined))).toEqual([expect.any(UnknownKindError), expect.any(UnknownKindError)]);
  });

  it('leave a list of one namespace to the source', async () => {
    const { lists, read } = counted();
    expect(await Promise.all([reading(lists, [pod], { namespace: 'default' }), reading(lists, [pod])])).toEqual([[200], [200]]);
    expect(read.sort()).toEqual(['Pod', 'Pod in default']);
  });

  it('end with the signal for who waits', async () => {
    const { lists } = counted();
    const stop = new AbortController();
    stop.abort();
    await expect(reading(lists, [pod], { signal: stop.signal })).rejects.toThrow(/abort/i);
  });
});
