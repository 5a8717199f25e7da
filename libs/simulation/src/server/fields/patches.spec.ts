import { jsonPatch, mergePatch, PatchError, strategicMerge, type KubeObject } from './index';
import { aDeployment, DEPLOYMENT, frozen } from './sample-deployment';

const smp = (live: KubeObject, patch: unknown): KubeObject =>
  strategicMerge({ live: frozen(live), patch: frozen(patch), kind: DEPLOYMENT });
const pod = (spec: object): object => ({ spec: { template: { spec } } });
const live = aDeployment({
  labels: { app: 'api', tier: 'web' },
  replicas: 2,
  containers: { a: 'a:1', b: 'b:1', c: 'c:1' },
  env: { A: '1', C: '3' },
});
const names = (object: KubeObject): string[] =>
  (object['spec'] as { template: { spec: { containers: { name: string }[] } } }).template.spec.containers.map(
    ({ name }) => name,
  );

function refusal(act: () => unknown): PatchError {
  try {
    act();
  } catch (error) {
    if (error instanceof PatchError) return error;
  }
  throw new Error('not refused');
}

describe('a strategic merge patch', () => {
  it('merges maps and removes keys that are null', () => {
    const { labels } = smp(live, { metadata: { labels: { tier: null, x: 'y' } } }).metadata as { labels: object };
    expect(labels).toEqual({ app: 'api', x: 'y' });
  });

  it('merges lists by key and puts a new element first, as a real server does (recorded, step 032)', () => {
    const object = smp(
      live,
      pod({
        containers: [
          { name: 'a', env: [{ name: 'D', value: '4' }] },
          { $patch: 'delete', name: 'b' },
        ],
      }),
    );
    expect(names(object)).toEqual(['a', 'c']);
    expect(object['spec']).toMatchObject({
      template: { spec: { containers: [{ image: 'a:1', env: [{ name: 'D' }, { name: 'A' }, { name: 'C' }] }, {}] } },
    });
  });

  it('puts elements in the order that it sets, others where they stood', () => {
    const order = [{ name: 'c' }, { name: 'd' }, { name: 'a' }];
    const object = smp(live, pod({ '$setElementOrder/containers': order, containers: [{ name: 'd', image: 'd:1' }] }));
    expect(names(object)).toEqual(['b', 'c', 'd', 'a']);
  });

  it('replaces a list or a map that says so', () => {
    expect(names(smp(live, pod({ containers: [{ $patch: 'replace' }, { name: 'z', image: 'z:1' }] })))).toEqual(['z']);
    expect(smp(live, { metadata: { labels: { $patch: 'replace', only: 'this' } } }).metadata?.['labels']).toEqual({
      only: 'this',
    });
  });

  it('keeps only the keys that $retainKeys names', () => {
    const rolling = { ...live, spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
    expect(smp(rolling, { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } })['spec']).toEqual({
      strategy: { type: 'Recreate' },
    });
  });

  it('adds to and deletes from lists of values', () => {
    const held = { ...live, metadata: { name: 'api', finalizers: ['a', 'b'] } };
    expect(smp(held, { metadata: { finalizers: ['c'] } }).metadata?.['finalizers']).toEqual(
      expect.arrayContaining(['a', 'b', 'c']),
    );
    expect(smp(held, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }).metadata?.['finalizers']).toEqual([
      'b',
    ]);
  });

  it('replaces lists without a merge key', () => {
    const object = smp(live, pod({ containers: [{ name: 'a', command: ['x'] }] }));
    expect(smp(object, pod({ containers: [{ name: 'a', command: ['y', 'z'] }] }))['spec']).toMatchObject({
      template: { spec: { containers: [{ command: ['y', 'z'] }, {}, {}] } },
    });
  });

  it('leaves no directive and no null in what it adds', () => {
    const object = smp(
      live,
      pod({ securityContext: { runAsUser: 5, fsGroup: null, $patch: 'merge', $retainKeys: ['runAsUser'] } }),
    );
    expect(object['spec']).toMatchObject({ template: { spec: { securityContext: { runAsUser: 5 } } } });
    expect(JSON.stringify(object)).not.toMatch(/\$patch|\$retainKeys|null/);
  });

  it('replaces the lists of a built-in kind that the type table does not know', () => {
    const kind = { group: 'scheduling.k8s.io', version: 'v1', kind: 'Other' };
    expect(
      strategicMerge({
        live: { list: [{ name: 'a' }], map: { x: 1 } },
        patch: { list: [{ name: 'b' }], map: { y: 2 } },
        kind,
      }),
    ).toEqual({ list: [{ name: 'b' }], map: { x: 1, y: 2 } });
  });

  it('is refused for custom resources, for an element without its key, and for a bad directive', () => {
    expect(
      refusal(() => strategicMerge({ live, patch: {}, kind: { group: 'example.com', version: 'v1', kind: 'Widget' } }))
        .code,
    ).toBe(415);
    expect(refusal(() => smp(live, pod({ containers: [{ image: 'x' }] }))).code).toBe(422);
    expect(refusal(() => smp(live, { spec: { $patch: 'explode' } })).code).toBe(422);
    expect(
      refusal(() => smp(live, pod({ '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'b' }] })))
        .message,
    ).toBe('invalid patch format of setElementOrder list');
  });
});

describe('a JSON merge patch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 1 }, { a: null }, { b: 1 }],
    [{ a: [1] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [[1, 2], { a: 'b' }, { a: 'b' }],
    [{ a: 1 }, ['c'], ['c']],
  ])('turns %j with %j into %j', (before, patch, after) => {
    expect(mergePatch(frozen(before), frozen(patch))).toEqual(after);
  });

  it('never reaches the prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as object;
    expect(Object.keys(merged)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('a JSON patch', () => {
  it.each([
    ['adds a key', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['inserts into a list', { l: [1, 3] }, [{ op: 'add', path: '/l/1', value: 2 }], { l: [1, 2, 3] }],
    ['appends to a list', { l: [1] }, [{ op: 'add', path: '/l/-', value: 2 }], { l: [1, 2] }],
    ['removes from a list', { l: [1, 2] }, [{ op: 'remove', path: '/l/0' }], { l: [2] }],
    ['replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    ['moves', { a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/b' }], { a: {}, c: { b: 1 } }],
    ['copies', { a: [1] }, [{ op: 'copy', from: '/a/0', path: '/b' }], { a: [1], b: 1 }],
    [
      'unescapes ~0 and ~1',
      { 'a/b': 1, 'm~n': 2 },
      [
        { op: 'replace', path: '/a~1b', value: 3 },
        { op: 'remove', path: '/m~0n' },
      ],
      { 'a/b': 3 },
    ],
    [
      'passes a test that holds',
      { a: { x: 1, y: 2 } },
      [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }],
      { a: { x: 1, y: 2 } },
    ],
  ])('%s', (_, before, ops, after) => {
    expect(jsonPatch(frozen(before), frozen(ops))).toEqual(after);
  });

  it.each([
    ['a test that fails', [{ op: 'test', path: '/a', value: 2 }]],
    ['a key that is not there', [{ op: 'remove', path: '/nope' }]],
    ['a replace of nothing', [{ op: 'replace', path: '/nope', value: 1 }]],
    ['an index out of bounds', [{ op: 'add', path: '/l/7', value: 1 }]],
    ['a parent that is not there', [{ op: 'add', path: '/x/y', value: 1 }]],
    ['an unknown operation', [{ op: 'explode', path: '/a' }]],
  ])('with %s is refused as a real server refuses it', (_, ops) => {
    const error = refusal(() => jsonPatch({ a: 1, l: [1] }, ops));
    expect(error.status()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'the server rejected our request due to an error in our request',
      reason: 'Invalid',
      details: {},
      code: 422,
    });
    expect(error.detail).toContain('operation 0');
  });

  it('that is no list is a bad request', () => {
    expect(refusal(() => jsonPatch({}, { op: 'add' })).code).toBe(400);
  });
});
