/**
 * Every Redis key of coordination. *Truth* shares the hash tag `{larry}`, so that one script may touch all of it, on a
 * Cluster as well. *Views* are the quick start's names: written for people, read by nobody of ours, but for `lock`.
 */
export interface CoordinationKeys {
  /** Hash: id, mode, planHash, status, deadline, and each phase's counters (`open:<larry>`, `failed:<larry>`, …). */
  readonly run: string;
  /** Hash: `<task>` → status word (`skipped:<reason>`), `<task>/attempt`, `<task>/conflict`. One read shows a run. */
  readonly status: string;
  /** Sorted set: task → when its lease ends or its next attempt may begin, milliseconds. */
  readonly due: string;
  /** Sorted set: task → when it must have ended, milliseconds; from ready on. */
  readonly deadlines: string;
  /** Hash: task → JSON of what the plan says about it. Written once a run. */
  readonly graph: string;
  readonly events: string;
  /** Set: every key that this prefix's runs have written; what `reset` removes. */
  readonly recorded: string;
  /** Never there: what is written to it only where it is tells whether the server takes writes. */
  readonly probe: string;
  /** Hash: run, claim, larry, holder, fence, span, errors, returns, result or blob, reason, approval. */
  task(task: string): string;
  blob(run: string, task: string, holder: string): string;
  /** Hash: change id → intent, `<change id>#outcome` → outcome. */
  journal(run: string, task: string): string;
  readonly view: {
    lock(task: string): string;
    taskStatus(task: string): string;
    taskResult(task: string): string;
    phase(larry: string, name: 'status' | 'progress' | 'started_at' | 'completed_at'): string;
    worker(larry: string, worker: string, name: 'master' | 'node' | 'status' | 'metrics'): string;
    metric(larry: string, name: string): string;
  };
}

/** The keys under a prefix. */
export function coordinationKeys(prefix: string): CoordinationKeys {
  const truth = (name: string): string => `${prefix}{larry}:${name}`;
  return {
    run: truth('run'),
    status: truth('status'),
    due: truth('due'),
    deadlines: truth('deadlines'),
    graph: truth('graph'),
    events: truth('events'),
    recorded: truth('keys'),
    probe: truth('probe'),
    task: (task) => truth(`task:${task}`),
    blob: (run, task, holder) => truth(`blob:${run}:${task}:${holder}`),
    journal: (run, task) => truth(`journal:${run}:${task}`),
    view: {
      lock: (task) => `${prefix}task:lock:${task}`,
      taskStatus: (task) => `${prefix}task:status:${task}`,
      taskResult: (task) => `${prefix}task:result:${task}`,
      phase: (larry, name) => `${prefix}phase:${larry}:${name}`,
      worker: (larry, worker, name) => `${prefix}worker:${larry}-${worker}:${name}`,
      metric: (larry, name) => `${prefix}metrics:${larry}:${name}`,
    },
  };
}
