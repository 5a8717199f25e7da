import { planTasks, type Plan } from './plan';

/** What a run may take beyond its critical path, in minutes (`docs/protocol.md`, *Phases, convergence, runs*). */
export const graceMinutes = 15;

/** The longest chain of tasks that wait for each other, in minutes, the convergence included. */
export function criticalPathMinutes(plan: Plan): number {
  const tasks = new Map(planTasks(plan).map((t) => [t.id, t]));
  const known = new Map<string, number>();
  const endOf = (id: string): number => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const task = tasks.get(id);
    if (!task) return 0;
    const end = task.minutes + Math.max(0, ...[...task.needs, ...task.after].map(endOf));
    known.set(id, end);
    return end;
  };
  return Math.max(0, ...[...tasks.keys()].map(endOf)) + plan.metaCoordinator.minutes;
}
