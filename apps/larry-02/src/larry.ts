import { phaseFigures } from '@larry/coordinator';
import type { LarryServiceOptions } from '@larry/coordinator/nest';
import { securityPlaybooks } from '@larry/playbooks-security';
import path from 'node:path';

const figuresOf = phaseFigures('larry-02');

/** What makes larry-02: its domain's playbooks, and the quick start's figures of its phase. */
export const larry: LarryServiceOptions = {
  id: 'larry-02',
  libraries: [securityPlaybooks],
  workerProgram: path.join(__dirname, 'worker.js'),
  extraViews: async (coordination, snapshot) => {
    const figures = await figuresOf(coordination, snapshot);
    // Before a scan has reported there is no key: 0 would be a claim.
    const known = ['critical', 'high', 'medium', 'low'].filter((s) => figures[s] !== undefined);
    if (known.length === 0) return {};
    return { 'phase:larry-02:findings': Object.fromEntries(known.map((s) => [s, String(figures[s])])) };
  },
};
