import { eventNames } from '@larry/contracts';
import { anEvent } from '../../test/builders';
import { eventLine, isAlert } from './event-line';

describe('an event on one line', () => {
  it.each([
    [{}, '03:04:05 larry-01 task_complete     fix-pgadmin-crashloop'],
    [{ attempt: 2, reason: 'timed-out' }, '03:04:05 larry-01 task_complete     fix-pgadmin-crashloop attempt 2 (timed-out)'],
    [{ event: 'progress_update', task_id: undefined, progress: 50, message: '2/4 workers done' }, '03:04:05 larry-01 progress_update   50 % 2/4 workers done'],
    [{ event: 'task_steps', attempt: 1, steps: [{ step: 'observe', began_ms_ago: 9, took_ms: 8.6 }, { step: 'apply', took_ms: 30, target: 'ConfigMap one/settings' }] }, '03:04:05 larry-01 task_steps        fix-pgadmin-crashloop observe 9 ms, apply ConfigMap one/settings 30 ms'],
    [{ event: 'task_conflict', owner: 'larry-02' }, '03:04:05 larry-01 task_conflict     fix-pgadmin-crashloop held by larry-02'],
    [{ event: 'approval_granted', digest: 'a'.repeat(64), who: 'ada' }, '03:04:05 larry-01 approval_granted  fix-pgadmin-crashloop aaaaaaaaaaaa by ada'],
    [{ event: 'phase_complete', task_id: undefined, summary: { completed: 2, failed: 0, total: 4 } }, '03:04:05 larry-01 phase_complete    2 completed, 4 total'],
    [{ event: 'run_complete', task_id: undefined, state: { status: 'failed' } }, '03:04:05 larry-01 run_complete      failed'],
    [{ event: 'validation_result', task_id: undefined, data: { task_id: 't', turned: [], verdicts: { met: 2, unknown: 1 } } }, '03:04:05 larry-01 validation_result t as it was claimed, 2 met, 1 unknown'],
    [{ event: 'validation_result', task_id: undefined, data: { task_id: 't', turned: ['ready'] } }, '03:04:05 larry-01 validation_result t turned: ready'],
    [{ event: 'critical_cve', task_id: undefined, severity: 'critical', data: { cve_id: 'CVE-2024-1', cvss: 9.8, namespace: 'n', affected_service: 's' } }, '03:04:05 larry-01 critical_cve      critical: CVE-2024-1 CVSS 9.8 in n/s'],
    [{ event: 'worker_failure', task_id: undefined, severity: 'warning', data: { worker_id: 'w', task_id: 't', error: 'boom', retry_count: 1 } }, '03:04:05 larry-01 worker_failure    warning: t worker_id w error boom retry_count 1'],
  ])('%j', (event, line) => expect(eventLine(anEvent(event))).toBe(line));

  it('says what to type for a change that waits, with where its run is', () => {
    const line = eventLine(anEvent({ event: 'approval_requested', run: 'run-1', digest: 'ab'.repeat(32) }), { state: '/tmp/elsewhere' });
    expect(line).toMatch(/ fix-pgadmin-crashloop of run-1 waits for you: (npx )?larry approve abababababab --state \/tmp\/elsewhere$/);
  });

  it('is one safe line whatever an event of anybody holds', () => {
    const hostile = '\u001b[2J\u001b]0;owned\u0007\u202e\nnext line';
    for (const event of eventNames) {
      const line = eventLine(anEvent({ event, from: hostile, task_id: hostile, message: hostile, reason: hostile, who: hostile, timestamp: hostile, summary: { [hostile]: 3 }, state: { status: hostile }, data: { cve_id: hostile, [hostile]: hostile } }));
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    }
  });

  it('survives fields of every wrong type', () => {
    for (const wrong of [null, 7, true, [], {}, [[]]]) {
      expect(() => eventLine(anEvent({ from: wrong, timestamp: wrong, attempt: wrong, summary: wrong, state: wrong, data: wrong, digest: wrong, turned: wrong }))).not.toThrow();
    }
  });

  it('tells alerts from coordination by the table of events', () => {
    expect(isAlert(anEvent({ event: 'critical_cve' }))).toBe(true);
    expect(isAlert(anEvent())).toBe(false);
    expect(isAlert(anEvent({ event: 'something else' }))).toBe(false);
  });
});
