import { phaseFigures } from '@larry/coordinator';
import { startLarryService } from '@larry/coordinator/nest';
import { securityPlaybooks } from '@larry/playbooks-security';
import { runService } from '@larry/service/nest';
import path from 'node:path';

const figuresOf = phaseFigures('larry-02');

runService(() =>
  startLarryService({
    id: 'larry-02',
    libraries: [securityPlaybooks],
    workerProgram: path.join(__dirname, 'worker.js'),
    extraViews: async (coordination, snapshot) => {
      const figures = await figuresOf(coordination, snapshot);
      const severities = ['critical', 'high', 'medium', 'low'].map((s) => [s, String(figures[s] ?? 0)]);
      return { 'phase:larry-02:findings': Object.fromEntries(severities) as Record<string, string> };
    },
  }),
);
