import type { Plan, PlanTask } from '@larry/contracts';
import type { EffectOptions } from './playbooks';

/** A task of a test's plan. */
export function aTask(id: string, task: Partial<Omit<PlanTask, 'with'>> & { with?: EffectOptions } = {}): PlanTask {
  return { id, worker: `${id}-worker`, tokens: 0, minutes: 5, needs: [], after: [], attempts: 3, criteria: [], ...task, with: (task.with ?? {}) as Record<string, unknown> };
}

/** A plan whose Larrys have these tasks. */
export function aPlan(tasks: Readonly<Record<string, readonly PlanTask[]>>): Plan {
  return {
    version: 1,
    id: 'test',
    title: 'A plan of the system tests',
    totalTokens: 0,
    nodes: { masters: ['k3s-master01'], workers: ['k3s-worker01'] },
    larrys: Object.entries(tasks).map(([id, own]) => ({
      id,
      title: id,
      node: 'k3s-master01',
      workerNodes: ['k3s-worker01'],
      minutes: 10,
      budget: { personal: 0, agents: {}, workers: 0, reserve: 0 },
      tasks: [...own],
    })),
    metaCoordinator: { minutes: 5, budget: { personal: 0, reserve: 0 } },
    risks: [],
  };
}
