import fc from 'fast-check';
import { applyPatch, conditionalPatch, inversePatch, type PatchOperation } from './json-patch';

const live = (fields: Record<string, unknown>) => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', uid: 'u', resourceVersion: '7' }, ...fields });

describe('applying a patch', () => {
  it.each<[string, unknown, PatchOperation[], unknown]>([
    ['adds a field', { a: {} }, [{ op: 'add', path: '/a/b', value: 1 }], { a: { b: 1 } }],
    ['replaces a field that an add names', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
    ['inserts into a list', { l: [1, 3] }, [{ op: 'add', path: '/l/1', value: 2 }], { l: [1, 2, 3] }],
    ['appends to a list', { l: [1] }, [{ op: 'add', path: '/l/-', value: 2 }, { op: 'add', path: '/l/-', value: 3 }], { l: [1, 2, 3] }],
    ['removes an element', { l: [1, 2, 3] }, [{ op: 'remove', path: '/l/1' }], { l: [1, 3] }],
    ['goes on after a test that holds', { a: { b: [1] } }, [{ op: 'test', path: '/a', value: { b: [1] } }, { op: 'replace', path: '/a/b/0', value: 2 }], { a: { b: [2] } }],
  ])('%s', (_, document, operations, after) => {
    expect(applyPatch(document, operations)).toEqual(after);
  });

  it.each<[PatchOperation, string]>([
    [{ op: 'test', path: '/a', value: 2 }, 'test /a: another value stands there'],
    [{ op: 'replace', path: '/b', value: 2 }, 'replace /b: there is no such field'],
    [{ op: 'remove', path: '/l/1' }, 'remove /l/1: there is no such element'],
    [{ op: 'add', path: '/l/x', value: 2 }, 'add /l/x: there is no such element'],
    [{ op: 'add', path: '/b/c', value: 2 }, 'add /b/c: there is no such place'],
    [{ op: 'add', path: '/__proto__/polluted', value: 1 }, 'there is no such place'],
  ])('refuses %j and changes nothing', (operation, message) => {
    const document = { a: 1, l: [0] };
    expect(() => applyPatch(document, [{ op: 'replace', path: '/a', value: 9 }, { op: 'replace', path: '/a', value: 1 }, operation])).toThrow(message);
    expect(document).toEqual({ a: 1, l: [0] });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('the inverse of a patch', () => {
  it('restores what was there, whatever the operations and their order', () => {
    const path = fc.constantFrom('/spec/a', '/spec/b', '/spec/l/0', '/spec/l/1', '/spec/l/-', '/spec/o', '/spec/o/x');
    const operation = fc.record({ op: fc.constantFrom('add', 'replace', 'remove'), path, value: fc.oneof(fc.integer(), fc.constant({ x: 1 }), fc.constant([1])) });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), (operations) => {
        const before = live({ spec: { a: 1, l: ['p', 'q'], o: { x: 0 } } });
        let after: typeof before;
        try {
          after = applyPatch(before, operations as PatchOperation[]);
        } catch {
          fc.pre(false);
          return;
        }
        expect(applyPatch(after, inversePatch(before, operations as PatchOperation[]).inverse)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it('says where it touches and what stands there afterwards', () => {
    const { touched } = inversePatch(live({ spec: { l: [1] } }), [{ op: 'add', path: '/spec/l/-', value: 2 }, { op: 'add', path: '/spec/n', value: 3 }, { op: 'remove', path: '/spec/n' }]);
    expect(touched).toEqual([{ path: '/spec/l/1', value: 2 }, { path: '/spec/n' }]);
  });
});

describe('a conditional patch', () => {
  it('tests the uid, the version just read and every field it depends on, then changes and marks', () => {
    const object = live({ spec: { replicas: 1 } });
    expect(conditionalPatch(object, [{ op: 'replace', path: '/spec/replicas', value: 2 }], ['/spec/replicas', '/spec/paused'], 'r/t/s')).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'u' },
      { op: 'test', path: '/spec/replicas', value: 1 },
      { op: 'test', path: '/spec', value: { replicas: 1 } },
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'replace', path: '/spec/replicas', value: 2 },
      { op: 'add', path: '/metadata/annotations', value: { 'larry.dev/change': 'r/t/s' } },
    ]);
  });

  it('keeps other annotations', () => {
    const object = live({});
    Object.assign(object.metadata, { annotations: { a: 'b' } });
    expect(applyPatch(object, conditionalPatch(object, [], [], 'r/t/s')).metadata).toMatchObject({ annotations: { a: 'b', 'larry.dev/change': 'r/t/s' } });
  });
});
