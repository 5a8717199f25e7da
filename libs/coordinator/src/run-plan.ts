import { convergeTask, criticalPathMinutes, graceMinutes, plannedNode, planTasks, type Plan } from '@larry/contracts';
import type { RunSpec } from '@larry/coordination';
import { digestOf, type Mode } from '@larry/playbook';

/** The id that the meta-coordinator claims its task under. */
export const metaCoordinatorId = 'meta-coordinator';

const minuteMs = 60_000;

/** The identity of a plan: two runs of the same document have the same hash. */
export const planHash = (plan: Plan): string => digestOf(plan);

/** Where a worker that is a process on this machine runs; the node it is planned for is only a plan. */
export const localNode = (planned: string): string => `local (planned ${planned})`;

/** Where a worker that is a Job is to run, until its start tells the node that it really runs on. */
export const jobNode = (planned: string): string => `planned ${planned}`;

/** What coordination needs to know of a plan: tasks, what they wait for, times, and where workers really run. */
export function runSpecOf(plan: Plan, run: string, mode: Mode, nodeOf: (planned: string) => string = localNode): RunSpec {
  return {
    run,
    mode,
    planHash: planHash(plan),
    deadlineMs: (criticalPathMinutes(plan) + graceMinutes) * minuteMs,
    tasks: planTasks(plan).map((task) => ({
      id: task.id,
      larry: task.larry,
      worker: task.worker,
      node: nodeOf(plannedNode(plan, task)),
      needs: task.needs,
      after: task.after,
      limitMs: task.minutes * minuteMs,
      attempts: task.attempts,
    })),
    converge: {
      id: convergeTask,
      larry: metaCoordinatorId,
      worker: 'converger',
      needs: [],
      after: [],
      limitMs: plan.metaCoordinator.minutes * minuteMs,
      attempts: 5,
    },
  };
}
