import fc from 'fast-check';
import { JsonSplitter, LineSplitter, maxRecordBytes, YamlItemSplitter, type Splitter } from './records';

/** Feeds a text in pieces of the given sizes, over and over. */
function split(splitter: Splitter, text: string, sizes: number[]): { records: string[]; problem: string | undefined } {
  const bytes = Buffer.from(text);
  const records: string[] = [];
  const take = (found: Iterable<{ bytes: Buffer; start: number }>) => {
    for (const { bytes: record, start } of found) {
      expect(bytes.subarray(start, start + record.length).equals(record)).toBe(true);
      records.push(record.toString());
    }
  };
  for (let at = 0, i = 0; at < bytes.length && splitter.problem === undefined; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    take(splitter.push(Buffer.from(bytes.subarray(at, at + size))));
    at += size;
  }
  take(splitter.end());
  return { records, problem: splitter.problem };
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 6 });

describe('JsonSplitter', () => {
  it('gives the items of any list in whatever pieces it comes', () => {
    fc.assert(
      fc.property(objects, objects, sizes, fc.boolean(), (items, others, pieces, pretty) => {
        const text = JSON.stringify({ kind: 'XList', metadata: { items: others, x: '"items":[{' }, items, more: others }, null, pretty ? 4 : undefined);
        const { records, problem } = split(new JsonSplitter('items'), text, pieces);
        expect(problem).toBeUndefined();
        expect(records.map((record) => JSON.parse(record) as unknown)).toEqual(JSON.parse(JSON.stringify(items)));
      }),
    );
  });

  it('gives whole items and says where a list was cut off, wherever that is', () => {
    fc.assert(
      fc.property(objects, fc.double({ min: 0, max: 0.999, noNaN: true }), sizes, (items, part, pieces) => {
        const text = JSON.stringify({ items });
        const { records, problem } = split(new JsonSplitter('items'), text.slice(0, Math.floor(text.length * part)), pieces);
        expect(problem).toMatch(/cut off at byte|holds no list/);
        expect(records).toEqual(items.slice(0, records.length).map((item) => JSON.stringify(item)));
      }),
    );
  });

  it('gives values that stand one after the other', () => {
    expect(split(new JsonSplitter('values'), ' {"a":"}"}\n{"b":[{}]} ', [3])).toEqual({ records: ['{"a":"}"}', '{"b":[{}]}'], problem: undefined });
    expect(split(new JsonSplitter('values'), '{}}', [1]).problem).toBe('byte 2 closes what was never opened');
  });
});

describe('LineSplitter', () => {
  it('gives lines in whatever pieces they come, and says that the last was cut off', () => {
    expect(split(new LineSplitter(), 'one\n\ntwo\n', [2])).toEqual({ records: ['one', 'two'], problem: undefined });
    expect(split(new LineSplitter(), 'one\ntw', [5])).toEqual({ records: ['one'], problem: 'the last line has no end: the file was cut off' });
  });

  it('gives up on a line that no object is as long as', () => {
    const { records, problem } = split(new LineSplitter(), `${'x'.repeat(maxRecordBytes + 3 * 1024 * 1024)}\n`, [1024 * 1024]);
    expect(records).toHaveLength(0);
    expect(problem).toContain(`larger than ${maxRecordBytes} bytes`);
  });
});

describe('YamlItemSplitter', () => {
  it('gives the items of a list in whatever pieces it comes', () => {
    const text = 'apiVersion: v1\nitems:\n- a: 1\n  b:\n  - x\n\n- c: |\n    - y\nkind: XList\nmetadata: {}\n';
    for (const size of [1, 7, 100]) expect(split(new YamlItemSplitter(), text, [size])).toEqual({ records: ['- a: 1\n  b:\n  - x\n\n', '- c: |\n    - y\n'], problem: undefined });
    expect(split(new YamlItemSplitter(), text.slice(0, 48), [9])).toEqual({ records: ['- a: 1\n  b:\n  - x\n\n'], problem: 'cut off at byte 48' });
  });
});
