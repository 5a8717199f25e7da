import { createHash } from 'node:crypto';
import type { LarryEvent, TaskStep } from '@larry/contracts';

/** A span of a run's trace, without anything of a tracing library. Moments are milliseconds since 1970, by Redis' clock. */
export interface RunSpan {
  /** The first 32 hex digits of the run's SHA-256: `printf %s RUN | sha256sum` gives it. */
  readonly traceId: string;
  readonly spanId: string;
  /** None for the run itself. */
  readonly parentId?: string;
  readonly name: string;
  /** Whose span it is: `larry-01`. */
  readonly service: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What failed, for people; absent where nothing did. */
  readonly problem?: string;
}

/** Fields that some events have; each is checked by the table of events. */
type Fields = LarryEvent & {
  readonly task_id?: string;
  readonly attempt?: number;
  readonly reason?: string;
  readonly began_at?: string;
  readonly claimed_at?: string;
  readonly started_at?: string;
  readonly requested_at?: string;
  readonly who?: string;
  readonly digest?: string;
  readonly steps?: readonly TaskStep[];
  readonly data?: { readonly task_id?: string; readonly error?: string };
  readonly state?: { readonly status?: string };
};

/**
 * The spans that an event ends: run → phase → task → step. Of one event alone, with ids that follow from what they name:
 * whoever makes them again makes the same spans, so that nothing has to be remembered and repeats fall together.
 */
export function spansOf(event: LarryEvent): RunSpan[] {
  const said = event as Fields;
  if (said.run === '') return [];
  switch (said.event) {
    case 'run_complete':
      return [runSpan(said)];
    case 'phase_complete':
    case 'phase_failed':
      return [phaseSpan(said)];
    case 'task_complete':
    case 'task_failed':
    case 'task_skipped':
      return [taskSpan(said), ...claimSpan(said)];
    case 'task_steps':
      return (said.steps ?? []).map((step, place) => stepSpan(said, step, place));
    case 'worker_failure':
      return [...claimSpan(said), failureSpan(said)];
    case 'approval_requested':
      return claimSpan(said);
    case 'approval_granted':
    case 'approval_denied':
      return [approvalSpan(said)];
    default:
      return [];
  }
}

/** What a span stands for: its id, and its children's parent. */
const names = {
  run: () => 'run',
  phase: ({ from }: Fields) => `phase/${from}`,
  task: (said: Fields) => `task/${taskOf(said)}`,
  attempt: (said: Fields, what: string) => `task/${taskOf(said)}/${said.attempt ?? 0}/${what}`,
};

function runSpan(said: Fields): RunSpan {
  const status = said.state?.status ?? 'unknown';
  return span(said, { own: names.run(), name: 'run', from: said.started_at, attributes: { 'larry.outcome': status }, ...(status === 'failed' ? { problem: 'the run failed' } : {}) });
}

function phaseSpan(said: Fields): RunSpan {
  const failed = said.event === 'phase_failed';
  return span(said, {
    own: names.phase(said), parent: names.run(), name: `phase ${said.from}`, from: said.started_at,
    attributes: { 'larry.outcome': failed ? 'failed' : 'completed' }, ...(failed ? { problem: 'a task of this phase failed' } : {}),
  }); // prettier-ignore
}

const outcomes = { task_complete: 'completed', task_failed: 'failed', task_skipped: 'skipped' } as const;

function taskSpan(said: Fields): RunSpan {
  // The convergence is the meta-coordinator's own task, after every phase.
  const parent = said.from === 'meta-coordinator' ? names.run() : names.phase(said);
  const attributes = { ...aboutTask(said), 'larry.outcome': outcomes[said.event as keyof typeof outcomes], ...(said.reason ? { 'larry.reason': said.reason } : {}) };
  return span(said, { own: names.task(said), parent, name: `task ${taskOf(said)}`, from: said.began_at, attributes, ...(said.event === 'task_failed' ? { problem: said.reason ?? 'failed' } : {}) });
}

/** From the claim of an attempt to its worker's first act: the launch, with the pull of an image. */
function claimSpan(said: Fields): RunSpan[] {
  const { claimed_at: claimed, started_at: started } = said;
  if (!claimed || !started) return [];
  return [{ ...span(said, { own: names.attempt(said, 'claim'), parent: names.task(said), name: 'claim', from: claimed, attributes: aboutTask(said) }), toMs: Date.parse(started) }];
}

function failureSpan(said: Fields): RunSpan {
  return span(said, { own: names.attempt(said, 'failure'), parent: names.task(said), name: 'failed attempt', from: said.claimed_at, attributes: aboutTask(said), problem: said.data?.error ?? 'failed' });
}

/** Several changes of one attempt may be decided one by one: the digest tells them apart. */
function approvalSpan(said: Fields): RunSpan {
  const attributes = { ...aboutTask(said), 'larry.outcome': said.event === 'approval_granted' ? 'granted' : 'denied', ...(said.who ? { 'larry.who': said.who } : {}) };
  return span(said, { own: names.attempt(said, `approval/${said.digest ?? ''}`), parent: names.task(said), name: 'approval', from: said.requested_at, attributes });
}

function stepSpan(said: Fields, step: TaskStep, place: number): RunSpan {
  const attributes = { ...aboutTask(said), ...(step.target ? { 'larry.target': step.target } : {}), ...(step.outcome ? { 'larry.outcome': step.outcome } : {}) };
  const fromMs = Date.parse(said.timestamp) - step.began_ms_ago;
  const made = span(said, { own: names.attempt(said, `step/${place}`), parent: names.task(said), name: step.step, from: undefined, attributes, ...(step.problem ? { problem: step.problem } : {}) });
  return { ...made, fromMs, toMs: fromMs + step.took_ms };
}

interface Making {
  readonly own: string;
  readonly parent?: string;
  readonly name: string;
  /** When it began; where nothing began it, it lasts no time. */
  readonly from: string | undefined;
  readonly attributes: RunSpan['attributes'];
  readonly problem?: string;
}

/** A span up to the event. */
function span(said: Fields, { own, parent, name, from, attributes, problem }: Making): RunSpan {
  const toMs = Date.parse(said.timestamp);
  return {
    traceId: traceIdOf(said.run),
    spanId: spanIdOf(said.run, own),
    ...(parent === undefined ? {} : { parentId: spanIdOf(said.run, parent) }),
    name,
    service: said.from,
    fromMs: from === undefined ? toMs : Math.min(Date.parse(from), toMs),
    toMs,
    attributes: { 'larry.run': said.run, 'larry.id': said.from, ...attributes },
    ...(problem === undefined ? {} : { problem }),
  };
}

const aboutTask = (said: Fields) => ({ 'larry.task': taskOf(said), ...(said.attempt === undefined ? {} : { 'larry.attempt': said.attempt }) });
const taskOf = (said: Fields): string => said.task_id ?? said.data?.task_id ?? '';

/** The trace of a run. */
export function traceIdOf(run: string): string {
  return createHash('sha256').update(run).digest('hex').slice(0, 32);
}

function spanIdOf(run: string, own: string): string {
  return createHash('sha256').update(`${run}\n${own}`).digest('hex').slice(0, 16);
}
