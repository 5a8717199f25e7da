import { planTasks, type OwnedTask, type Plan, type TaskResult } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { emptyResult, findPlaybook, runPlaybook, type Playbook, type PlaybookContext } from '@larry/playbook';
import { playbookLibraries } from './playbook-libraries';

/** What running tasks in this process reports while it goes on. */
export interface Progress {
  (task: string, percent: number, message: string): void;
}

/** A task of the plan with its playbook. */
export interface ReadableTask {
  task: OwnedTask;
  playbook: Playbook;
}

/** The tasks of a plan that have a playbook, in an order in which every task follows those it needs. */
export function readableTasks(plan: Plan): ReadableTask[] {
  const found = planTasks(plan).flatMap((task) => {
    const known = findPlaybook(playbookLibraries, task.id);
    return known && 'playbook' in known ? [{ task, playbook: known.playbook }] : [];
  });
  const ordered: ReadableTask[] = [];
  const visit = (entry: ReadableTask): void => {
    if (ordered.includes(entry)) return;
    found.filter((f) => entry.task.needs.includes(f.task.id)).forEach(visit);
    ordered.push(entry);
  };
  found.forEach(visit);
  return ordered;
}

/**
 * Runs one task over a source, reading only. What the playbook throws becomes a failed result with the sentence, so that
 * one task that cannot read does not hide what the others saw.
 */
export async function runReadOnly(
  entry: ReadableTask,
  cluster: ClusterReader,
  results: ReadonlyMap<string, TaskResult>,
  options: { signal: AbortSignal; progress: Progress; with?: Record<string, unknown> },
): Promise<TaskResult> {
  const { task, playbook } = entry;
  const startedAt = new Date().toISOString();
  const context: PlaybookContext = {
    run: 'check',
    task: task.id,
    cluster,
    options: { ...task.with, ...options.with },
    signal: options.signal,
    results,
    now: () => new Date(),
    progress: (percent, message) => options.progress(task.id, percent, message),
    wait: async () => undefined,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  };
  try {
    return await runPlaybook(playbook, context, { mode: 'observe', allow: [] });
  } catch (error) {
    if (mustStop(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { ...emptyResult(task.id, startedAt), outcome: 'failed', summary: reason, endedAt: new Date().toISOString(), unknowns: [{ subject: task.id, reason }] };
  }
}

/** The source itself is gone, or the user's input is wrong: no other task would fare better. */
function mustStop(error: unknown): boolean {
  return error instanceof Error && ['ClusterUnavailableError', 'PlaybookOptionsError', 'ExceptionsFileError', 'AbortError'].includes(error.name);
}

