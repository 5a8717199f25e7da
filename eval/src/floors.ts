import type { EvalCase, Half } from './case';
import type { Given } from './given';

/** The share of cases that must be right, by class, as measured on the day it was written down; it only ever rises. */
export interface Floors {
  measured: string;
  /** Right at the first place (both of two faults at the first two), of 1. */
  right: Record<Half, Partial<Record<EvalCase['class'], number>>>;
  /** Healthy clusters in which something is found when less is given: known, to be mended, and no others. */
  falseAlarms: Record<Given, string[]>;
}

export const floors: Floors = {
  measured: '2026-11-22',
  right: {
    dev: { admission: 0.9, scheduling: 0.95, startup: 0.95, running: 0.9, routing: 0.9, infrastructure: 0.9, pgadmin: 0.9, 'two faults': 0.9 },
    'held-out': { admission: 0.9, scheduling: 0.95, startup: 0.85, running: 0.9, routing: 0.9, infrastructure: 0.9, pgadmin: 0.85, 'two faults': 0.9 },
  },
  falseAlarms: { all: [], 'no-events': [], 'no-logs': [], dump: ['healthy/job-second-try', 'healthy/cronjob-recovered'] },
};
