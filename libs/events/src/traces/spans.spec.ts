import { createHash } from 'node:crypto';
import { parseEvent, type LarryEvent } from '@larry/contracts';
import { spansOf, traceIdOf, type RunSpan } from './spans';

const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 23, 10, 0, 0) + seconds * 1000).toISOString();
const base = Date.parse(at(0));

/** An event as it comes out of the stream. */
function event(seconds: number, name: string, fields: Record<string, unknown> = {}): LarryEvent {
  const parsed = parseEvent({ id: `${name}/${seconds}`, from: 'larry-01', run: 'run-1', event: name, timestamp: at(seconds), ...fields });
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.event;
}
/** `name from–to`, in seconds. */
const drawn = (spans: readonly RunSpan[]): string[] => spans.map(({ name, fromMs, toMs }) => `${name} ${(fromMs - base) / 1000}–${(toMs - base) / 1000}`);

const task = { task_id: 'fix', attempt: 2 };
const run: LarryEvent[] = [
  event(1, 'phase_started'),
  event(1, 'task_claimed', { ...task, attempt: 1, began_at: at(1), claimed_at: at(1) }),
  event(9, 'worker_failure', { severity: 'warning', attempt: 1, began_at: at(1), claimed_at: at(1), started_at: at(2), data: { worker_id: 'w', task_id: 'fix', error: 'the lease lapsed', retry_count: 0 } }),
  event(15, 'task_steps', { ...task, steps: [{ step: 'observe', began_ms_ago: 2000, took_ms: 1500 }, { step: 'apply', began_ms_ago: 500, took_ms: 250, target: 'ConfigMap a/b', outcome: 'applied' }] }),
  event(16, 'task_complete', { ...task, began_at: at(1), claimed_at: at(10), started_at: at(12) }),
  event(16, 'progress_update', { progress: 100, message: '1/1 workers done' }),
  event(16, 'phase_complete', { started_at: at(1), summary: {} }),
  event(20, 'task_complete', { from: 'meta-coordinator', task_id: 'converge', attempt: 1, began_at: at(17), claimed_at: at(17), started_at: at(17) }),
  event(20, 'run_complete', { from: 'meta-coordinator', started_at: at(0), state: { status: 'completed' } }),
];

it('makes of a run one trace: run, phases, tasks, steps, each with its times', () => {
  const spans = run.flatMap(spansOf);
  expect(drawn(spans)).toEqual([
    'claim 1–2', 'failed attempt 1–9', 'observe 13–14.5', 'apply 14.5–14.75', 'task fix 1–16', 'claim 10–12', 'phase larry-01 1–16', 'task converge 17–20', 'claim 17–17', 'run 0–20',
  ]); // prettier-ignore
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  expect(byId.size).toBe(spans.length);
  const parents = spans.map(({ name, parentId }) => `${name} < ${parentId === undefined ? '' : byId.get(parentId)?.name}`);
  expect(parents).toEqual([
    'claim < task fix', 'failed attempt < task fix', 'observe < task fix', 'apply < task fix', 'task fix < phase larry-01', 'claim < task fix', 'phase larry-01 < run', 'task converge < run', 'claim < task converge', 'run < ',
  ]); // prettier-ignore
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([createHash('sha256').update('run-1').digest('hex').slice(0, 32)]));
});

it('makes the same spans of the same event again, and others for another run', () => {
  const twice = run.flatMap(spansOf);
  expect(run.flatMap(spansOf)).toEqual(twice);
  const other = spansOf({ ...(run.at(-1) as LarryEvent), run: 'run-2' });
  expect(other[0]?.spanId).not.toBe(twice.at(-1)?.spanId);
  expect(other[0]?.traceId).toBe(traceIdOf('run-2'));
});

it('says what failed, and only of what failed', () => {
  const problems = (name: string, fields: Record<string, unknown>) => spansOf(event(5, name, fields)).map((span) => span.problem);
  expect(problems('task_failed', { ...task, reason: 'no rights' })).toEqual(['no rights']);
  expect(problems('task_skipped', { ...task, reason: 'no-target' })).toEqual([undefined]);
  expect(problems('phase_failed', {})).toEqual(['a task of this phase failed']);
  expect(problems('run_complete', { state: { status: 'failed' } })).toEqual(['the run failed']);
  expect(problems('run_complete', { state: { status: 'aborted' } })).toEqual([undefined]);
  expect(problems('task_steps', { ...task, steps: [{ step: 'observe', began_ms_ago: 1, took_ms: 1, problem: 'refused' }] })).toEqual(['refused']);
});

it('lets what nothing began last no time, and waits for a person as long as it took', () => {
  expect(drawn(spansOf(event(5, 'task_skipped', { task_id: 'later', attempt: 0, reason: 'dependency' })))).toEqual(['task later 5–5']);
  expect(drawn(spansOf(event(65, 'approval_granted', { ...task, digest: 'd', who: 'ada', requested_at: at(5) })))).toEqual(['approval 5–65']);
  const ids = ['d', 'e'].map((digest) => spansOf(event(65, 'approval_granted', { ...task, digest, who: 'ada', requested_at: at(5) }))[0]?.spanId);
  expect(new Set(ids).size).toBe(2);
});
