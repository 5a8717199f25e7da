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
}

/** How a launched worker ended. */
export interface WorkerExit {
  /** 0 done or parked, 1 try again, 2 not mine or do not try again; undefined when it was killed or never ran. */
  code?: number;
  /** For people: `killed by SIGKILL`, `image could not be pulled`. */
  reason: string;
}

/** A worker that was launched. */
export interface LaunchedWorker {
  /** Names it for people: a process id, a Job's name. */
  id: string;
  /** Where it really runs: `local (planned k3s-worker01)`, or the node's name. */
  node: string;
  /** Resolves once, when it has ended or can never run. Never rejects. */
  exited: Promise<WorkerExit>;
  /** Asks it to stop (SIGTERM), and makes it after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Starts workers: as processes on one machine, or as Kubernetes Jobs. Both pass `launcher.conformance.ts`. */
export interface WorkerLauncher {
  /** How long a launch may take until the worker's own `start`, in milliseconds: a process 30 s, a Job 10 min. */
  readonly startLimitMs: number;
  /** Launches one worker. Rejects when nothing was launched. */
  launch(order: WorkOrder): Promise<LaunchedWorker>;
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
