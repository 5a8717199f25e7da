import type { RunSummary } from '@larry/contracts';
import { aReport, aSummary } from '../../test/builders';
import { closing, nothingWasRead } from './closing';

/** A run whose tasks were skipped for one reason. */
function skippedFor(skipReason: 'not-permitted' | 'not-built'): RunSummary {
  const report = aReport();
  const tasks = report.tasks.map(({ result: _, ...task }) => ({ ...task, status: 'skipped' as const, skipReason }));
  return aSummary({ didWork: { done: 0, of: tasks.length }, larrys: [{ ...report, didWork: 0, tasks }] });
}

describe('the closing of a run', () => {
  it('says that nothing could be read, and what to type next', () => {
    expect(nothingWasRead(skippedFor('not-permitted'))).toBe(true);
    expect(closing(skippedFor('not-permitted'), []).replace(/\s+/g, ' ')).toContain('Nothing of this cluster could be read: the account may not. larry doctor --rights says');
  });

  it('says so of no run that had nothing to do, or did some work', () => {
    expect(nothingWasRead(skippedFor('not-built'))).toBe(false);
    expect(nothingWasRead({ ...skippedFor('not-permitted'), didWork: { done: 1, of: 2 } })).toBe(false);
  });
});
