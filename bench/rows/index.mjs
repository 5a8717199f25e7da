import { check } from './check.mjs';
import { claims } from './claims.mjs';
import { convergence } from './convergence.mjs';
import { growth } from './growth.mjs';
import { ledger } from './ledger.mjs';
import { services } from './services.mjs';

/** Every measurement, in the order of the table. */
export const rows = { claims, convergence, growth, ledger, check, services };
