import { compileSpec } from './run-spec';
import { aRunSpec, aRunTask } from './testing';

describe('a run to begin', () => {
  it.each([
    ['a task twice', [aRunTask({ id: 'a' }), aRunTask({ id: 'a' })], /"a" stands twice/],
    ['an unknown task', [aRunTask({ id: 'a', needs: ['x'] })], /task a waits for "x"/],
    ['a task that waits for converge', [aRunTask({ id: 'a', after: ['converge'] })], /waits for "converge"/],
    ['a circle', [aRunTask({ id: 'a', needs: ['b'] }), aRunTask({ id: 'b', after: ['a'] }), aRunTask({ id: 'c' })], /circle: a, b\./],
    ['an id that would break a key', [aRunTask({ id: 'a:b' })], /task id "a:b" must be/],
    ['a limit of half a millisecond', [aRunTask({ id: 'a', limitMs: 0.5 })], /limitMs of task a is 0.5/],
    ['no attempts', [aRunTask({ id: 'a', attempts: 0 })], /attempts of task a is 0/],
  ])('is refused with %s, naming the field', (_, tasks, message) => {
    expect(() => compileSpec(aRunSpec(tasks))).toThrow(message);
  });

  it('knows which tasks each one lets go on', () => {
    const spec = JSON.parse(compileSpec(aRunSpec([aRunTask({ id: 'a' }), aRunTask({ id: 'b', needs: ['a'], after: ['a'] })]))) as { tasks: { id: string; next: string[] }[] };
    expect(spec.tasks.map(({ id, next }) => [id, next])).toEqual([['a', ['b']], ['b', []], ['converge', []]]);
  });
});
