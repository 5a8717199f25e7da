import type { AppliedChange, RunSummary, TaskReport } from '@larry/contracts';
import { aReport, aResult, aSummary, aTaskReport } from '../../test/builders';
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

  const observation = { subject: 'workloads', value: '12 of 13', at: '2026-01-02T03:05:00.000Z' };
  const criterion = { id: 'healthy', text: 'all are healthy', verdict: 'met' as const, observation };
  const shown = (task: Partial<TaskReport>, summary: Partial<RunSummary> = {}): string => closing(aSummary({ larrys: [aReport({ tasks: [aTaskReport(task)] })], ...summary }), []).replace(/\s+/g, ' ');

  it('shows a failed task with its reason, once, and its criteria: its other changes stand', () => {
    const text = 'A change was rolled back. Changes: 11 verified, 1 rolled-back.';
    const result = aResult({ outcome: 'failed', summary: text, criteria: [{ ...criterion, verdict: 'not-met' }] });
    expect(shown({ status: 'failed', reason: text, result })).toContain(`fix-pgadmin-crashloop: failed: ${text} ❌ all are healthy: workloads = 12 of 13`);
    expect(shown({ status: 'failed', reason: 'its worker was lost', result })).toContain(`failed: its worker was lost; ${text}`);
    expect(shown({ status: 'failed', reason: 'its worker was lost', result: undefined })).toContain('fix-pgadmin-crashloop: failed: its worker was lost');
  });

  it('shows each change that was taken back or denied, with the reason', () => {
    const change = (name: string, outcome: 'rolled-back' | 'refused' | 'verified', reason?: string) => ({ id: name, summary: name, target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name }, outcome, digest: 'a'.repeat(64), diff: '', ...(reason ? { reason } : {}) });
    const text = shown({ result: aResult({ changes: [change('one', 'rolled-back', 'crashed again'), change('two', 'refused', 'denied by ben'), change('three', 'verified')] }) });
    expect(text).toContain('taken back: Deployment shop/one: crashed again not made: Deployment shop/two: denied by ben');
    expect(text).not.toContain('shop/three');
    expect(shown({ result: aResult({ changes: Array.from({ length: 7 }, (_, i) => change(`n${i}`, 'refused', 'no')) }) })).toContain('and 2 more: larry report');
  });

  it('names who approved each change, what is only proposed, and what stands of a task that failed', () => {
    const change = (name: string, outcome: AppliedChange['outcome'], approvedBy?: string): AppliedChange => ({ id: name, summary: `Mend ${name}`, target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name }, outcome, digest: 'a'.repeat(64), diff: '', ...(approvedBy ? { approvedBy } : {}) });
    const result = aResult({ outcome: 'failed', changes: [change('one', 'verified', 'ada'), change('two', 'rolled-back', 'ben'), change('three', 'provisional', 'ada'), change('four', 'proposed'), change('five', 'verified')] });
    const text = shown({ status: 'failed', result }, { mode: 'ask' });
    expect(text).toContain('taken back: Deployment shop/two, approved by ben proposed: Deployment shop/four: Mend four approved by ada: Deployment shop/one, Deployment shop/three ');
    expect(text).not.toContain('shop/five');
    expect(text).toContain('0 of 1 tasks did work, 1 failed (3 changes stand all the same)');
    expect(shown({ result }, { mode: 'observe' })).not.toContain('proposed: ');
  });

  it('shows who denied a task and what, and why another could not do its work', () => {
    expect(shown({ status: 'skipped', skipReason: 'denied', reason: 'denied by ann at 03:05: Set the e-mail', result: undefined })).toContain('fix-pgadmin-crashloop: skipped (denied): denied by ann at 03:05: Set the e-mail');
    expect(shown({ status: 'skipped', skipReason: 'foreign-lock', reason: 'bob holds the lock', result: undefined })).toContain('skipped (foreign-lock): bob holds the lock');
    expect(shown({ status: 'skipped', skipReason: 'aborted', reason: 'stopped: 1 change begun', result: undefined })).toContain('fix-pgadmin-crashloop: stopped: 1 change begun');
  });

  it.each(['not-built', 'nothing-to-do', 'dependency', 'no-target'] as const)('leaves a task that was skipped as %s to the counts', (skipReason) => {
    const task = { status: 'skipped' as const, skipReason, reason: 'so it is' };
    expect(shown({ ...task, result: undefined })).not.toContain('fix-pgadmin-crashloop');
    expect(shown({ ...task, result: undefined })).toContain('1 were skipped');
  });

  it('leaves no ✅ on a claim that turned within the run', () => {
    const now = { ...criterion, verdict: 'not-met' as const, observation: { ...observation, value: '9 of 13' } };
    const text = shown({ result: aResult({ criteria: [criterion] }) }, { validations: [{ task: 'fix-pgadmin-crashloop', larry: 'larry-01', at: 'now', criteria: [now], turned: ['healthy'] }] });
    expect(text).toContain('❌ all are healthy: turned when it was looked at again: not-met, workloads = 9 of 13');
    expect(text).toContain('(claimed: met, workloads = 12 of 13');
    expect(text).not.toContain('✅');
  });
});
