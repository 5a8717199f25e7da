import { nearestExisting, pointerParts, toPointer, valueAt } from './json-pointer';

describe('a JSON pointer', () => {
  it.each([
    ['', []],
    ['/', ['']],
    ['/metadata/annotations/a~1b', ['metadata', 'annotations', 'a/b']],
    ['/a~01', ['a~1']],
  ])('%j has the parts %j, and they make it again', (pointer, parts) => {
    expect(pointerParts(pointer)).toEqual(parts);
    expect(toPointer(parts)).toBe(pointer);
  });

  it('must start with a slash', () => {
    expect(() => pointerParts('spec')).toThrow('"spec" is no JSON pointer: it must start with "/"');
  });

  it('reads own fields and elements, and nothing that is inherited', () => {
    const document = { list: [{ a: 1 }], empty: null };
    expect(valueAt(document, '/list/0/a')).toBe(1);
    expect(valueAt(document, '/list/1')).toBeUndefined();
    expect(valueAt(document, '/empty/x')).toBeUndefined();
    expect(valueAt(document, '/constructor')).toBeUndefined();
    expect(valueAt(document, '/__proto__/toString')).toBeUndefined();
  });

  it('finds the nearest existing place', () => {
    expect(nearestExisting({ spec: { a: {} } }, '/spec/a/b/c')).toBe('/spec/a');
    expect(nearestExisting({ spec: {} }, '/status/x')).toBe('');
  });
});
