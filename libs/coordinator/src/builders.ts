import { parsePlan, type Plan } from '@larry/contracts';

/** A plan for tests: one Larry and its tasks, each by its worker, in the order given. */
export function aPlanOf(larry: string, tasks: readonly ({ id: string } & Record<string, unknown>)[]): Plan {
  const parsed = parsePlan({
    version: 1,
    id: 'test',
    title: 'A plan for tests',
    totalTokens: tasks.length * 10 + 20,
    nodes: { masters: ['m1'], workers: ['w1', 'w2'] },
    larrys: [
      {
        id: larry,
        title: larry,
        node: 'm1',
        workerNodes: ['w1', 'w2'],
        minutes: 5,
        budget: { personal: 10, workers: tasks.length * 10, reserve: 0 },
        tasks: tasks.map((task) => ({ worker: `${task.id}-worker`, tokens: 10, minutes: 5, ...task })),
      },
    ],
    metaCoordinator: { minutes: 1, budget: { personal: 10, reserve: 0 } },
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.plan;
}
