import fc from 'fast-check';
import type { Kind } from './kinds';
import { BUILT_IN_KINDS } from './kinds';
import type { KubeObject } from './kube-object';
import { Store } from './store';

const pods = BUILT_IN_KINDS.find((k) => k.plural === 'pods') as Kind;
const pod = (namespace: string, name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name } });
const names = (objects: readonly KubeObject[]) => objects.map((o) => `${o.metadata.namespace}/${o.metadata.name}`);

describe('the store', () => {
  it('lists in key order and keeps namespaces apart that start alike', () => {
    const store = new Store();
    for (const [ns, name] of [['b', 'x'], ['a-b', 'x'], ['a', 'z'], ['a', 'b']] as const) store.put(pods, pod(ns, name));
    expect(names(store.list(pods))).toEqual(['a-b/x', 'a/b', 'a/z', 'b/x']);
    expect(names(store.list(pods, 'a'))).toEqual(['a/b', 'a/z']);
  });

  it('keeps a continued list as it was and forgets it when compacted', () => {
    const store = new Store();
    store.put(pods, pod('a', 'one'));
    const page = store.page(pods, 'a');
    if (!page) throw new Error('no page');
    store.keepPage(pods, 'a', page);
    store.put(pods, pod('a', 'two'));
    expect(names(store.page(pods, 'a', page.version)?.objects ?? [])).toEqual(['a/one']);
    store.compact();
    expect(store.page(pods, 'a', page.version)).toBeUndefined();
    expect(store.since(pods, page.version)).toBeUndefined();
  });

  it('replaying its events from any version gives its list, whatever was written in between', () => {
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), remove: fc.boolean() });
    fc.assert(fc.property(fc.array(step, { maxLength: 30 }), fc.nat(30), (steps, cut) => {
      const store = new Store();
      const seen = new Map<string, string>();
      let from = store.resourceVersion;
      steps.forEach(({ name, remove }, i) => {
        const live = store.get(pods, 'n', name);
        if (remove && live) store.remove(pods, live);
        else if (!remove) store.put(pods, pod('n', name));
        if (i === cut) {
          from = store.resourceVersion;
          seen.clear();
          for (const o of store.list(pods)) seen.set(o.metadata.name ?? '', o.metadata.resourceVersion ?? '');
        }
      });
      for (const event of store.since(pods, from) ?? []) {
        if (event.type === 'DELETED') seen.delete(event.object.metadata.name ?? '');
        else seen.set(event.object.metadata.name ?? '', event.object.metadata.resourceVersion ?? '');
      }
      expect([...seen].sort()).toEqual(store.list(pods).map((o) => [o.metadata.name, o.metadata.resourceVersion]));
    }));
  });

  it('goes on counting from the highest resourceVersion that loaded objects bring', () => {
    const store = new Store();
    store.restore(pods, { ...pod('a', 'old'), metadata: { namespace: 'a', name: 'old', resourceVersion: '700' } });
    expect(store.get(pods, 'a', 'old')?.metadata.resourceVersion).toBe('700');
    expect(store.put(pods, pod('a', 'new')).metadata.resourceVersion).toBe('701');
  });
});
