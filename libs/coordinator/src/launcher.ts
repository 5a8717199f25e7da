/** One attempt at a task: what a worker gets in its environment. No fence: the worker's own `start` gives it one. */
export interface WorkOrder {
  run: string;
  task: string;
  /** The claim that the launching coordinator holds. */
  claim: string;
  larry: string;
  /** The worker's name: `cleanup-worker`. */
  worker: string;
  /** The node it is planned for: `k3s-worker01`. */
  plannedNode: string;
  /** Attempt number, from 1. */
  attempt: number;
  /** The plan's time limit of the task, in ms: a Job is ended by Kubernetes after it, whatever becomes of its coordinator. */
  limitMs?: number;
}

/** How a launched worker ended. */
export interface WorkerExit {
  /** 0 done or parked, 1 try again, 2 not mine or do not try again; undefined when it was killed or never ran. */
  code?: number;
  /** For people: `killed by SIGKILL`, `image could not be pulled`. */
  reason: string;
  /** Of one without a code: trying again as it is does not help (no image, no memory), so that it uses an attempt. */
  error?: boolean;
  /** Nobody saw it end (its node is silent, its pod is gone): only its lease tells whether it lives. */
  unsure?: boolean;
}

/** A worker that was launched. */
export interface LaunchedWorker {
  /** Names it for people: a process id, a Job's name. */
  id: string;
  /** Where it really runs: `local (planned k3s-worker01)`, or the node's name once it is known. */
  readonly node: string;
  /** Resolves once, when it has ended or can never run. Never rejects. */
  exited: Promise<WorkerExit>;
  /** Asks it to stop (SIGTERM), and makes it after `graceMs` (a Job: after its template's grace). Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
}

/** Starts workers: as processes on one machine, or as Kubernetes Jobs. Both pass `launcher.conformance.ts`. */
export interface WorkerLauncher {
  /** How long a launch may take until the worker's own `start`, in milliseconds: a process 30 s, a Job 10 min. */
  readonly startLimitMs: number;
  /** Whether workers live on when their coordinator ends, so that others take them over. */
  readonly outlives?: boolean;
  /** Launches one worker; the same order again gives the same worker where workers outlive their coordinator. Rejects when nothing was launched. */
  launch(order: WorkOrder): Promise<LaunchedWorker>;
  /**
   * Gives the workers that are there and were not launched here: a coordinator before this one did, or another replica.
   * First those of now, before it returns; then each new one. Each is given once, also one that has ended.
   */
  adopt?(found: (order: WorkOrder, worker: LaunchedWorker) => void): void;
  /** Hears and does nothing more; workers that outlive their coordinator live on. */
  close?(): Promise<void>;
}

/** Environment variables of a work order. */
export function orderToEnvironment(order: WorkOrder): Record<string, string> {
  return {
    LARRY_RUN: order.run,
    LARRY_TASK: order.task,
    LARRY_CLAIM: order.claim,
    LARRY_ID: order.larry,
    LARRY_WORKER: order.worker,
    LARRY_PLANNED_NODE: order.plannedNode,
    LARRY_ATTEMPT: String(order.attempt),
  };
}
