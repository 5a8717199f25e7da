import { check } from './check.mjs';
import { claims } from './claims.mjs';
import { convergence } from './convergence.mjs';
import { demo } from './demo.mjs';
import { diagnose } from './diagnose.mjs';
import { growth } from './growth.mjs';
import { idle } from './idle.mjs';
import { jobs } from './jobs.mjs';
import { ledger } from './ledger.mjs';
import { paging } from './paging.mjs';
import { recovery } from './recovery.mjs';
import { services } from './services.mjs';

/** Every measurement, in the order of the table. `--quick` leaves the demo out. */
export const rows = { claims, convergence, recovery, growth, ledger, paging, check, diagnose, services, jobs, idle, demo };
