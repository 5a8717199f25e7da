import { phaseFigures } from '@larry/coordinator';
import type { LarryServiceOptions } from '@larry/coordinator/nest';
import { developmentPlaybooks } from '@larry/playbooks-development';
import path from 'node:path';

const figuresOf = phaseFigures('larry-03');
const whole = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(Math.trunc(value)));

/** What makes larry-03: its domain's playbooks, and the quick start's figures of its phase. */
export const larry: LarryServiceOptions = {
  id: 'larry-03',
  libraries: [developmentPlaybooks],
  workerProgram: path.join(__dirname, 'worker.js'),
  // A figure that no task has reported yet has no key: 0 would be a claim.
  extraViews: async (coordination, snapshot) => {
    const figures = await figuresOf(coordination, snapshot);
    return {
      'phase:larry-03:inventory:assets_discovered': whole(figures['assets_discovered']),
      'phase:larry-03:development:prs_created': whole(figures['prs_created']),
      'phase:larry-03:testing:coverage_increase': whole(figures['coverage_increase']),
    };
  },
};
