import { startLarryService } from '@larry/coordinator/nest';
import { infrastructurePlaybooks } from '@larry/playbooks-infrastructure';
import { runService } from '@larry/service/nest';
import path from 'node:path';

runService(() =>
  startLarryService({
    id: 'larry-01',
    libraries: [infrastructurePlaybooks],
    workerProgram: path.join(__dirname, 'worker.js'),
    extraViews: async (_, { tasks }) => {
      const own = tasks.filter((t) => t.larry === 'larry-01');
      const count = (status: string): string => String(own.filter((t) => t.status === status).length);
      return { 'phase:larry-01:metrics': { tasks_completed: count('completed'), workers_active: count('in_progress') } };
    },
  }),
);
