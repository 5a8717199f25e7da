import { maxEventBytes, type LarryEvent } from '@larry/contracts';
import fc from 'fast-check';
import { compareCursors, parseCursor } from './cursor';
import { DropLog, readMessage, SeenIds } from './guard';

const anEvent = (more: Record<string, unknown> = {}) => ({ id: 't/1/task_complete', from: 'larry-01', event: 'task_complete', timestamp: '2026-11-22T00:00:00.000Z', run: 'r1', task_id: 't', ...more });

describe('readMessage', () => {
  it('keeps an event as it is, with fields that the table does not name', () => {
    expect(readMessage(JSON.stringify(anEvent({ duration: 3 })))).toEqual({ event: anEvent({ duration: 3 }) });
  });

  it.each([
    ['no JSON', 'hello', 'not JSON'],
    ['JSON that is cut off', '{"id":', 'not JSON'],
    ['JSON that is no object', '[1]', 'Invalid input'],
    ['an event that is not in the table', JSON.stringify(anEvent({ event: 'grant_everything' })), 'field "event"'],
    ['an event without its own field', JSON.stringify(anEvent({ task_id: undefined })), 'task_complete: field "task_id"'],
    ['a prototype as an event', JSON.stringify(anEvent({ event: '__proto__' })), 'field "event"'],
    ['an event one byte too large', JSON.stringify(anEvent({ x: 'é'.repeat(maxEventBytes / 2) })), 'too large'],
    ['10 MB', 'x'.repeat(10 * 1024 * 1024), 'too large: 10485760 bytes'],
  ])('says what is wrong with %s', (_what, text, problem) => {
    expect(readMessage(text)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it('survives nesting, whatever its depth', () => {
    const text = JSON.stringify(anEvent({ deep: 0 })).replace('"deep":0', `"deep":${'['.repeat(30_000)}${']'.repeat(30_000)}`);
    expect(Object.keys(readMessage(text))).toHaveLength(1);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => Object.keys(readMessage(text, { run: 'r', now: '' })).length === 1));
  });

  it('takes the line of the quick start, typed by hand, for a progress update', () => {
    const read = readMessage('{"from":"larry-02","progress":50,"message":"2/4 workers done"}', { run: 'r7', now: '2026-11-22T00:00:00.000Z' });
    expect(read).toMatchObject({ event: { event: 'progress_update', from: 'larry-02', progress: 50, message: '2/4 workers done', run: 'r7' } });
  });
});

describe('DropLog', () => {
  it('says the first at once and then once a second how many there were, without a control character', () => {
    const lines: { fields: Record<string, unknown>; message: string }[] = [];
    let now = 0;
    const drops = new DropLog({ warn: (fields, message) => lines.push({ fields, message }) }, () => now);
    for (let i = 0; i < 1000; i++) drops.drop('larry:alerts', 'it is not JSON', '\x1b[2Jevil');
    now = 1000;
    drops.drop('larry:alerts', 'it is not JSON', 'x');
    expect(lines.map((l) => l.fields['dropped'])).toEqual([1, 1000]);
    expect(lines[0]).toEqual({ message: 'event dropped', fields: { where: 'larry:alerts', problem: 'it is not JSON', text: 'evil', dropped: 1 } });
  });
});

describe('SeenIds', () => {
  it('knows the last ids of each run and forgets the oldest', () => {
    const seen = new SeenIds(3);
    const of = (id: string, run = 'r') => seen.repeats({ id, run } as LarryEvent);
    expect([of('a'), of('a'), of('a', 'other'), of('b'), of('c'), of('b')]).toEqual([false, true, false, false, false, true]);
    for (const id of ['d', 'e', 'f', 'g', 'h', 'i']) of(id);
    expect(of('a')).toBe(false);
  });
});

describe('cursors', () => {
  it('are read from outside only where they are some', () => {
    expect(['1-2', '5', '18446744073709551615-0'].map(parseCursor)).toEqual(['1-2', '5-0', '18446744073709551615-0']);
    for (const bad of [undefined, '', '-', '1-', 'abc', '1-2-3', '18446744073709551616-0', '1 ', '$']) expect(parseCursor(bad)).toBeUndefined();
  });
  it('are compared as numbers', () => {
    expect(['9-1', '10-0', '10-0', '10-11', '10-9'].sort(compareCursors)).toEqual(['9-1', '10-0', '10-0', '10-9', '10-11']);
  });
});
