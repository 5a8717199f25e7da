import type { LarryServiceOptions } from '@larry/coordinator/nest';
import { infrastructurePlaybooks } from '@larry/playbooks-infrastructure';
import path from 'node:path';

/** What makes larry-01: its domain's playbooks, and the quick start's figures of its phase. */
export const larry: LarryServiceOptions = {
  id: 'larry-01',
  libraries: [infrastructurePlaybooks],
  workerProgram: path.join(__dirname, 'worker.js'),
  extraViews: async (_, { tasks }) => {
    const own = tasks.filter((t) => t.larry === 'larry-01');
    const count = (status: string): string => String(own.filter((t) => t.status === status).length);
    return { 'phase:larry-01:metrics': { tasks_completed: count('completed'), workers_active: count('in_progress') } };
  },
};
