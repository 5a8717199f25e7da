import { larryReportSchema, runSummarySchema } from '@larry/contracts';
import { z } from 'zod';
import { beginRunSchema, decisionSchema } from '../runs/run-requests';

/** What the OpenAPI document says of one route, beyond what Nest knows. */
export interface OperationNote {
  summary: string;
  body?: z.ZodType;
  /** The answer's shape where a schema exists. */
  answer?: z.ZodType;
  /** Other statuses, each with when. */
  problems?: Record<number, string>;
}

const noRun = { 404: 'there is no run', 503: 'Redis cannot be reached' };
const needsToken = { 401: 'no token, or an unknown one' };

/** By operation id, `<Controller>_<method>`; a spec holds it to the routes that there are. */
export const operationNotes: Record<string, OperationNote> = {
  RunsController_begin: {
    summary: 'Begin a run',
    body: beginRunSchema,
    answer: z.object({ run: z.string(), warnings: z.array(z.string()) }),
    problems: { 400: 'the plan does not fit: `problems` has every one', ...needsToken, 403: 'this mode may not be used over this source', 409: 'another run is active: `run` names it', 503: 'Redis or the cluster cannot be reached' },
  },
  RunsController_reset: { summary: 'Abort what runs, wait for its leases, and remove every key of a run', answer: z.object({ run: z.string().optional(), keysRemoved: z.number() }), problems: needsToken },
  RunsController_status: { summary: 'The current run: phases, tasks, budget, open approvals, and the cursor to follow /events from', problems: noRun },
  RunsController_report: { summary: 'The summary of the current run', answer: runSummarySchema, problems: { ...noRun, 404: 'there is no run, or it has not converged' } },
  RunsController_larryReport: { summary: 'The report of one Larry as far as it has come', answer: larryReportSchema, problems: noRun },
  RunsController_task: { summary: 'One task with its result', problems: noRun },
  RunsController_abort: { summary: 'End the current run: what has not ended is skipped(aborted)', answer: z.object({ run: z.string(), leasedUntil: z.string() }), problems: { ...needsToken, ...noRun, 409: 'it has ended already' } },
  ApprovalsController_list: { summary: 'The changes that wait for a person' },
  ApprovalsController_decide: {
    summary: 'Grant or deny the change with this digest (8 digits of it or more), or all of a task that wait',
    body: decisionSchema,
    answer: z.object({ run: z.string(), task: z.string(), digest: z.string(), decision: z.string(), who: z.string(), changes: z.array(z.string()).optional(), open: z.number().optional() }),
    problems: { ...needsToken, 404: 'nothing waits with this digest', 409: 'several do, or it was decided otherwise', 503: 'there is no key to sign with' },
  },
  EventsController_stream: { summary: 'Server-Sent Events: replay after Last-Event-ID (or ?after=start|now|<id>), then live; ?run= for one run', problems: { 400: 'no such place', 503: 'too many readers without a token, or with this one; or no Redis' } },
  HealthController_healthz: { summary: 'The event loop is alive' },
  HealthController_readyz: { summary: 'Redis and the cluster answer', problems: { 503: 'one of them does not: `checks` says which' } },
  HealthController_scrape: { summary: "Prometheus' text format" },
};
