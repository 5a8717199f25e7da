import { createHash } from 'node:crypto';
import { describeRef, printable, type PlannedChange } from '@larry/contracts';
import type { Diagnosis } from '@larry/playbook';
import type { Facts, WorkloadFacts } from './facts';
import type { Options } from './options';
import { pgadminCause } from './pgadmin-cause';
import { plannedFor } from './remedy';

/**
 * One JSON patch for each PgAdmin whose cause is known, shown by PgAdmin itself, and mended in a workload that nothing
 * owns. Everything else stays a remedy for people. Pure.
 */
export function plan(facts: Facts, _diagnosis: Diagnosis, options: Options): PlannedChange[] {
  if (!facts.runtime) return [];
  return facts.looked.flatMap((workload) => {
    if (workload.changedBy !== undefined) return [ownStep(workload, workload.changedBy)];
    const cause = pgadminCause(workload, true);
    const step = cause && plannedFor(cause, workload, options, stepOf(cause.id, workload));
    return step ? [step] : [];
  });
}

/** The same in every attempt: what is done, to what. */
function stepOf(cause: string, workload: WorkloadFacts): string {
  const what = cause === 'pgadmin_invalid_email' ? 'set-email' : 'set-fsgroup';
  const name = `${workload.ref.namespace ?? ''}-${workload.ref.name}`.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 40);
  const digest = createHash('sha256').update(describeRef(workload.ref)).digest('hex').slice(0, 8);
  return `${what}-${name}-${digest}`;
}

/** An earlier attempt of this run made the change and did not live to verify it: the engine adopts it by its mark. */
function ownStep(workload: WorkloadFacts, step: string): PlannedChange {
  return {
    step,
    summary: printable(`Verify the change that an earlier attempt made to ${describeRef(workload.ref)}`, 500),
    verb: 'patch',
    target: workload.ref,
    patch: [],
    depends: [],
    category: step.startsWith('set-fsgroup') ? 'workload-security-context' : 'workload-env',
    alwaysAsk: false,
  };
}
