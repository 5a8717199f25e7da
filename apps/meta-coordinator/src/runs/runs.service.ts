import { Inject, Injectable } from '@nestjs/common';
import { planBudget, TokenLedger } from '@larry/budget';
import { parsePlan, type ApprovalView, type BudgetUsage, type LarryReport, type Plan, type RunStatusView, type RunSummary } from '@larry/contracts';
import { isSealedResult, jobNode, localNode, metaCoordinatorId, planHash, runSpecOf, writeRunDocument } from '@larry/coordinator';
import type { RunSnapshot, RunSpec, TaskRecord } from '@larry/coordination';
import { eventStreamKey } from '@larry/events';
import { versionWarnings, type ClusterReader } from '@larry/kube';
import { randomBytes } from 'node:crypto';
import { abortedSummary, begunChanges, type Begun } from '../converge/aborted-summary';
import { believed, gatherRun, type RunFacts, type RunSource } from '../converge/gather';
import { larryReport } from '../converge/larry-report';
import { readSummary } from '../converge/summary-result';
import { ProblemException } from '../http/problem';
import { PARTS, type MetaParts } from '../parts';
import { approvalText } from './approval-text';
import { modeRefusal } from './mode-policy';
import { missingNodes } from './plan-nodes';
import type { BeginRun } from './run-requests';
import { openApprovals, runStatus } from './run-status';
import { readKnownRun } from './trusted-run';
import { readTaskDetails } from './task-details';

/** Answer of `POST /runs`. */
export interface BegunRun {
  run: string;
  warnings: string[];
}

const noRun = 'there is no run: larry run begins one (POST /runs)';

/** Runs: begun, looked at, ended. Every answer is read from the state in Redis; nothing is remembered here. */
@Injectable()
export class RunsService {
  constructor(@Inject(PARTS) private readonly parts: MetaParts) {}

  /** @throws ProblemException 400 with every problem of the plan, 403 for a mode that may not be, 409 while another run is active */
  async begin(request: BeginRun, who: string): Promise<BegunRun> {
    const plan = readPlan(request.plan);
    await this.refuseSecondRun(request.run);
    const cluster = await this.parts.openCluster();
    try {
      const refusal = modeRefusal(request.mode, cluster.source, this.parts.env.LARRY_MODES_ALLOWED);
      if (refusal) throw new ProblemException(403, refusal);
      const warnings = await this.nodeWarnings(plan, cluster, request.strictNodes);
      const run = request.run ?? newRunId(new Date());
      await this.parts.lastRun.writeSource(cluster.source).catch((error: unknown) => this.parts.log.warn({ run, error: error instanceof Error ? error.message : String(error) }, 'the source of this run cannot be kept: without its cluster it has no report'));
      await this.create(run, plan, request, who);
      return { run, warnings };
    } finally {
      await cluster.close();
    }
  }

  async status(): Promise<RunStatusView> {
    const { coordination, approvalKey } = this.parts;
    // The cursor first: what happens between these reads is seen twice, never missed.
    const lastEventId = await this.lastEventId();
    const snapshot = await this.snapshot();
    const [known, details, budget, trouble] = await Promise.all([
      readKnownRun(coordination, snapshot.run.run, snapshot.run.mode, approvalKey),
      readTaskDetails(coordination, snapshot.run.run, snapshot.tasks, approvalKey),
      this.usage(snapshot.run.run),
      // Asked anew each time: one that has ended needs no Redis that takes writes.
      snapshot.run.status === 'running' ? coordination.refusesWrites() : undefined,
    ]);
    return runStatus({ snapshot, ...known, details, budget, lastEventId, ...(trouble === undefined ? {} : { trouble }) });
  }

  /**
   * The summary; of an aborted run what was done until then.
   * @throws ProblemException 404 until the run has converged, saying what is missing
   */
  async summary(): Promise<RunSummary> {
    const snapshot = await this.snapshot();
    const { run } = snapshot;
    if (run.status === 'aborted') return this.abortedSummary();
    const converge = snapshot.tasks.find((t) => t.converge);
    if (converge?.status !== 'completed') throw new ProblemException(404, whyNoReport(snapshot), { run: run.run, status: run.status });
    const { coordination, journalKey } = this.parts;
    const result = (await coordination.task(converge.task))?.result;
    if (journalKey && !isSealedResult(result, { run: run.run, task: converge.task }, journalKey)) {
      throw new ProblemException(500, `the summary of run ${run.run} in Redis is not sealed by a meta-coordinator: somebody else has written it, and it is not shown; reports that were written before are as they were`);
    }
    const summary = readSummary(result);
    if (!summary) throw new ProblemException(500, `the summary of run ${run.run} is damaged in Redis: run again`);
    return summary;
  }

  private async abortedSummary(): Promise<RunSummary> {
    const facts = await gatherRun(this.parts);
    if (!facts) throw new ProblemException(404, noRun);
    return abortedSummary(facts, await this.source(), await this.begun(facts));
  }

  /** An aborted run is reported without its cluster as well; what cannot be looked at then says so. */
  private async begun(facts: RunFacts): Promise<Begun> {
    const cluster = await this.parts.openCluster().catch((error: unknown) => ({ get: () => Promise.reject(error), close: async () => undefined }));
    try {
      return await begunChanges(this.parts.coordination, facts, cluster);
    } finally {
      await cluster.close();
    }
  }

  /** The source as it names itself, or as it did when the run began. */
  private async source(): Promise<RunSource> {
    try {
      const cluster = await this.parts.openCluster();
      await cluster.close();
      return cluster.source;
    } catch (error) {
      const begunOver = await this.parts.lastRun.readSource();
      if (begunOver) return begunOver;
      throw error;
    }
  }

  /** The report of one Larry as of now; the final one when its phase has ended. */
  async larryReport(larry: string): Promise<LarryReport> {
    const facts = await gatherRun(this.parts);
    if (!facts) throw new ProblemException(404, noRun);
    const report = larryReport(larry, { ...facts, source: await this.source() });
    if (!report) throw new ProblemException(404, `run ${facts.snapshot.run.run} has no "${larry}"; it has ${facts.plan.larrys.map((l) => l.id).join(', ')}`);
    return report;
  }

  /** One task as it stands; of what it waits for only what its digest covers, and of its result what its worker sealed. */
  async task(task: string): Promise<TaskRecord> {
    const { run } = (await this.snapshot()).run;
    const stored = await this.parts.coordination.task(task);
    if (!stored) throw new ProblemException(404, `the current run has no task "${task}"`);
    const record = { ...stored, result: believed(stored.result, { run, task }, this.parts.journalKey) };
    return record.parked ? { ...record, parked: { ...record.parked, request: approvalText(record.parked.digest, record.parked.request) } } : record;
  }

  async approvals(): Promise<ApprovalView[]> {
    const snapshot = await this.parts.coordination.snapshot();
    if (!snapshot) return [];
    const parked = snapshot.tasks.filter((t) => t.status === 'awaiting_approval');
    return openApprovals(snapshot, await readTaskDetails(this.parts.coordination, snapshot.run.run, parked, this.parts.approvalKey));
  }

  async abort(who: string): Promise<{ run: string; leasedUntil: string }> {
    const { coordination, audit } = this.parts;
    const { run } = await this.snapshot();
    if (run.status !== 'running') throw new ProblemException(409, `run ${run.run} has ended already: ${run.status}`);
    await audit.append({ actor: `user:${who}`, action: 'run_aborted', run: run.run });
    const outcome = await coordination.abort(run.run, who);
    if (outcome.outcome === 'refused') throw new ProblemException(409, `run ${run.run} cannot be aborted: ${outcome.why}`);
    return { run: run.run, leasedUntil: new Date(outcome.leasedUntil).toISOString() };
  }

  /** Aborts what runs, waits for its leases, and removes every key of ours. */
  async reset(who: string): Promise<{ run?: string; keysRemoved: number }> {
    const { coordination, audit } = this.parts;
    const run = (await coordination.snapshot())?.run.run;
    await audit.append({ actor: `user:${who}`, action: 'run_reset', ...(run ? { run } : {}) });
    return coordination.reset({ who });
  }

  /** @throws ProblemException 404 where there is no run */
  async snapshot(): Promise<RunSnapshot> {
    const snapshot = await this.parts.coordination.snapshot();
    if (!snapshot) throw new ProblemException(404, noRun);
    return snapshot;
  }

  private async refuseSecondRun(wanted: string | undefined): Promise<void> {
    const current = (await this.parts.coordination.snapshot())?.run;
    if (current && current.run !== wanted && (current.status === 'running' || current.status === 'resetting')) throw anotherRun(current.run);
  }

  private async nodeWarnings(plan: Plan, cluster: ClusterReader, strict: boolean): Promise<string[]> {
    const missing = await missingNodes(plan, cluster, this.parts.env.LARRY_LAUNCHER);
    if (missing && strict) throw new ProblemException(400, missing);
    return [...(missing ? [missing] : []), ...versionWarnings(cluster.source)];
  }

  private async create(run: string, plan: Plan, { mode, allow }: BeginRun, who: string): Promise<void> {
    const { coordination, audit } = this.parts;
    const before = (await coordination.snapshot())?.run;
    if (before?.run === run && (before.planHash !== planHash(plan) || before.mode !== mode)) {
      throw new ProblemException(409, `run ${run} exists already with another plan or mode: give this one another id`);
    }
    await audit.append({ actor: `user:${who}`, action: 'run_begun', run, details: { plan: plan.id, planHash: planHash(plan), mode, allow } });
    await writeRunDocument(coordination, { run, mode, plan, allow }, this.parts.approvalKey);
    const created = await coordination.createRun(placed(runSpecOf(plan, run, mode, this.parts.env.LARRY_LAUNCHER === 'job' ? jobNode : localNode)));
    if (created.outcome === 'refused') throw anotherRun(created.detail ?? 'unknown');
    await new TokenLedger(this.parts.redis, { run }).open(planBudget(plan));
  }

  private async usage(run: string): Promise<BudgetUsage[]> {
    return new TokenLedger(this.parts.redis, { run }).usage();
  }

  private async lastEventId(): Promise<string> {
    const { redis } = this.parts;
    const [last] = await redis.named(redis.commands.xrevrange(eventStreamKey(redis), '+', '-', 'COUNT', 1));
    return last?.[0] ?? '0-0';
  }
}

/** The convergence runs in this process, whichever replica it is. */
function placed(spec: RunSpec): RunSpec {
  return { ...spec, converge: { ...spec.converge, node: 'local' } };
}

function readPlan(document: unknown): Plan {
  const parsed = parsePlan(document);
  const problems = 'problems' in parsed ? parsed.problems : reservedIds(parsed.plan);
  if (problems.length > 0 || 'problems' in parsed) {
    const first = problems.slice(0, 3).map(({ path, message }) => `${path}: ${message}`).join('; ');
    const more = problems.length > 3 ? `; and ${problems.length - 3} more` : '';
    throw new ProblemException(400, `the plan does not fit: ${first}${more}`, { problems });
  }
  return parsed.plan;
}

function reservedIds(plan: Plan): { path: string; message: string }[] {
  return plan.larrys.flatMap(({ id }, l) =>
    id === metaCoordinatorId ? [{ path: `larrys[${l}].id`, message: `"${id}" is the meta-coordinator's own id; give this Larry another` }] : [],
  );
}

function anotherRun(run: string): ProblemException {
  return new ProblemException(409, `run ${run} is active, and there is one run at a time: wait for it, or end it with larry abort (POST /runs/current/abort)`, { run });
}

function whyNoReport({ run, tasks }: RunSnapshot): string {
  const open = tasks.filter((t) => !t.converge && !['completed', 'failed', 'skipped'].includes(t.status)).length;
  if (open > 0) return `run ${run.run} has not converged: ${open} of ${tasks.filter((t) => !t.converge).length} tasks have not ended`;
  const converge = tasks.find((t) => t.converge)?.status;
  return `run ${run.run} has not converged: the convergence is ${converge ?? 'unknown'}`;
}

/** Sorts by time, and cannot be guessed into a collision: `run-20260102-030405-a1b2c3`. */
function newRunId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `run-${stamp}-${randomBytes(3).toString('hex')}`;
}
