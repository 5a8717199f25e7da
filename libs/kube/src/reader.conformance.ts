import { aConfigMap, aDeployment, aNamespace, aPod, aService, anObject } from './builders';
import { BadSelectorError, UnknownKindError } from './errors';
import type { ClusterReader, KindRef } from './reader';
import { listAll } from './testing-folder';

/** What a source under this suite is made of. A source that knows fewer kinds names them in `lacks`. */
export interface ConformanceSource {
  reader: ClusterReader;
  lacks?: string[];
}

const kinds = {
  pod: { apiVersion: 'v1', kind: 'Pod' },
  service: { apiVersion: 'v1', kind: 'Service' },
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment' },
  configMap: { apiVersion: 'v1', kind: 'ConfigMap' },
  job: { apiVersion: 'batch/v1', kind: 'Job' },
} satisfies Record<string, KindRef>;

/** The objects that the suite expects to find, in any order; namespaces `one` and `two` hold them all. */
export const conformanceObjects = [
  aNamespace('one'),
  aNamespace('two'),
  aPod({ name: 'web-1', namespace: 'one', labels: { app: 'web', tier: 'front' }, spec: { nodeName: 'n1' } }),
  aPod({ name: 'web-2', namespace: 'one', labels: { app: 'web' }, spec: { nodeName: 'n2' }, status: { phase: 'Pending' } }),
  aPod({ name: 'web-1', namespace: 'two', labels: { app: 'db' }, spec: { nodeName: 'n1' } }),
  aService({ name: 'web', namespace: 'one' }),
  aDeployment({ name: 'web', namespace: 'one' }),
  aDeployment({ name: 'web', namespace: 'two' }),
  aConfigMap({ name: 'settings', namespace: 'one', data: { text: 'ünï\u0000 "quoted" \u2028 {{ braces }}' } }),
  anObject('zoo.example/v1', 'Goose', { name: 'g', namespace: 'one', spec: { n: 1 } }),
];

/** The log that the suite expects of container `app` of pod `one/web-1`. */
export const conformanceLog = ['first', 'second', 'third'];

/** What every source of {@link ClusterReader} keeps. `open` is called for each test. */
export function readerConformance(name: string, open: () => Promise<ConformanceSource>): void {
  describe(`${name} as a ClusterReader`, () => {
    let source: ConformanceSource;
    beforeEach(async () => {
      source = await open();
    });
    afterEach(() => source.reader.close());

    const names = async (kind: KindRef, options?: Parameters<ClusterReader['list']>[1]) =>
      (await listAll(source.reader, kind, options)).map((o) => `${o.metadata.namespace}/${o.metadata.name}`).sort();
    const lacks = (kind: KindRef) => source.lacks?.includes(kind.kind) ?? false;

    it('lists every object of a kind over all namespaces, with its kind', async () => {
      expect(await names(kinds.pod)).toEqual(['one/web-1', 'one/web-2', 'two/web-1']);
      for (const object of await listAll(source.reader, kinds.pod)) expect(object).toMatchObject(kinds.pod);
    });

    it('selects by namespace, labels and fields', async () => {
      expect(await names(kinds.pod, { namespace: 'two' })).toEqual(['two/web-1']);
      expect(await names(kinds.pod, { labelSelector: 'app in (web),!tier' })).toEqual(['one/web-2']);
      expect(await names(kinds.pod, { fieldSelector: 'spec.nodeName=n1' })).toEqual(['one/web-1', 'two/web-1']);
      expect(await names(kinds.pod, { namespace: 'one', fieldSelector: 'status.phase!=Running' })).toEqual(['one/web-2']);
      expect(await names(kinds.pod, { fieldSelector: 'metadata.name=web-1', labelSelector: 'app=db' })).toEqual(['two/web-1']);
    });

    it('refuses a selector that it cannot read, in one sentence', async () => {
      await expect(listAll(source.reader, kinds.pod, { labelSelector: 'a b' })).rejects.toThrow(BadSelectorError);
    });

    it('gets one object with its content, and undefined where there is none', async () => {
      const pod = await source.reader.get({ ...kinds.pod, namespace: 'one', name: 'web-2' });
      expect(pod).toMatchObject({ ...kinds.pod, metadata: { name: 'web-2', labels: { app: 'web' } }, status: { phase: 'Pending' } });
      expect(await source.reader.get({ ...kinds.pod, namespace: 'one', name: 'gone' })).toBeUndefined();
    });

    it('lists a kind without objects as empty', async () => {
      if (lacks(kinds.job)) await expect(names(kinds.job)).rejects.toThrow(UnknownKindError);
      else expect(await names(kinds.job)).toEqual([]);
    });

    it('keeps every character of a value', async () => {
      if (lacks(kinds.configMap)) return expect(names(kinds.configMap)).rejects.toThrow(UnknownKindError);
      const [object] = await listAll(source.reader, kinds.configMap, { namespace: 'one' });
      return expect(object?.['data']).toEqual({ text: 'ünï\u0000 "quoted" \u2028 {{ braces }}' });
    });

    it('says of each kind whether it can tell, and list agrees', async () => {
      const infos = await source.reader.kinds();
      expect(infos.length).toBeGreaterThan(5);
      for (const info of infos) {
        const listed = listAll(source.reader, info);
        if (info.availability.state === 'unknown') await expect(listed).rejects.toThrow(UnknownKindError);
        else await expect(listed).resolves.toBeInstanceOf(Array);
      }
      expect(new Set(infos.map((i) => `${i.apiVersion} ${i.kind}`)).size).toBe(infos.length);
    });

    it('serves custom resources with their plural and scope, or says that it cannot tell', async () => {
      const goose = { apiVersion: 'zoo.example/v1', kind: 'Goose' };
      if (lacks(goose)) return expect(names(goose)).rejects.toThrow(UnknownKindError);
      expect(await names(goose)).toEqual(['one/g']);
      return expect((await source.reader.kinds()).find((k) => k.kind === 'Goose')).toMatchObject({ namespaced: true, availability: { state: 'listed' } });
    });

    it('gives the last lines of a log, or says why there is none', async () => {
      const pod = { namespace: 'one', name: 'web-1' };
      if (lacks({ apiVersion: '', kind: 'logs' })) return expect(source.reader.logs(pod, 'app')).rejects.toThrow(/log/);
      expect(await source.reader.logs(pod, 'app')).toEqual(conformanceLog);
      expect(await source.reader.logs(pod, 'app', { tailLines: 2 })).toEqual(conformanceLog.slice(1));
      return expect(source.reader.logs(pod, 'none')).rejects.toThrow();
    });

    it('stops when its signal is aborted', async () => {
      await expect(listAll(source.reader, kinds.pod, { signal: AbortSignal.abort() })).rejects.toThrow();
    });
  });
}
