import { AuditLog, readApprovalKey, verifyApproval } from '@larry/audit';
import { planTasks, printable, taskResultSchema, type OwnedTask, type TaskResult } from '@larry/contracts';
import { Coordination, type HeldLease, type Settlement } from '@larry/coordination';
import { EventPublisher } from '@larry/events';
import { findHelm, helmReleases, type HelmLocation } from '@larry/helm';
import { gitBranches, type ClusterReader, type ClusterWriter } from '@larry/kube';
import {
  digestOf,
  emptyResult,
  findPlaybook,
  runPlaybook,
  TerminalError,
  type Approval,
  type Hands,
  type Playbook,
  type PlaybookLibrary,
  type PlaybookLog,
  type PlaybookResult,
} from '@larry/playbook';
import type { KeyObject } from 'node:crypto';
import { playbookContext } from './playbook-context';
import { readTrustedRunDocument, type RunDocument } from './run-document';
import type { WorkerEnvironment } from './worker-environment';
import { isSealedResult, sealResult } from './result-seal';
import { StepTimes } from './step-times';
import { readJournalKey, workerJournal } from './worker-journal';

/** Exit codes of a worker program: 0 done or parked, 1 try again, 2 not mine or do not try again. */
export const workerExitCodes = { done: 0, tryAgain: 1, notMine: 2 } as const;

/** What a worker works with. */
export interface WorkerParts {
  environment: WorkerEnvironment;
  coordination: Coordination;
  libraries: readonly PlaybookLibrary[];
  openCluster(): Promise<ClusterReader & { writer?(): ClusterWriter }>;
  log: PlaybookLog;
  /** Aborted when the process is told to end. */
  stop: AbortSignal;
}

/** One attempt at one task: starts under the claim, runs the playbook, settles under the fence. Returns the exit code. */
export async function runWorker(parts: WorkerParts): Promise<number> {
  const { environment, coordination, log } = parts;
  const claimed = { run: environment.LARRY_RUN, task: environment.LARRY_TASK, claim: environment.LARRY_CLAIM };
  const end = await coordination.leases.using(claimed, { ttlMs: environment.LARRY_LEASE_TTL_MS, stop: parts.stop, node: environment.LARRY_NODE }, async (lease) => sealed(parts, lease, await work(parts, lease)));
  if (end.outcome === 'not-started') {
    log.info({ why: end.why }, 'not mine');
    return workerExitCodes.notMine;
  }
  if (end.outcome === 'refused') {
    log.warn({ why: end.why }, 'the result was refused: the task is somebody else\'s now');
    return workerExitCodes.notMine;
  }
  log.info({ status: end.status }, 'settled');
  return workerExitCodes.done;
}

/** What is reported of this task later must be what was settled here. */
function sealed({ environment }: WorkerParts, { run, task }: HeldLease, settlement: Settlement): Settlement {
  const result = 'result' in settlement ? settlement.result : undefined;
  if (!environment.LARRY_JOURNAL_KEY || typeof result !== 'object' || result === null) return settlement;
  return { ...settlement, result: sealResult(result, { run, task }, readJournalKey(environment.LARRY_JOURNAL_KEY)) } as Settlement;
}

async function work(parts: WorkerParts, lease: HeldLease): Promise<Settlement> {
  const { coordination, libraries, log } = parts;
  const read = await readTrustedRunDocument(coordination, lease.run, approvalKeyOf(parts.environment));
  const document = read?.document;
  const task = document && planTasks(document.plan).find((t) => t.id === lease.task);
  if (!document || !task) return { outcome: 'failed', reason: `the plan of run ${lease.run} is not in Redis or has no task ${lease.task}` };
  const known = findPlaybook(libraries, task.id);
  if (!known) return { outcome: 'failed', reason: `${lease.larry} has no playbook "${task.id}"` };
  if ('notBuilt' in known) return skipped(task, known.notBuilt);
  if (document.mode !== 'observe' && !read.trusted) {
    return { outcome: 'failed', reason: `mode ${document.mode} of run ${lease.run} is not signed with the key of LARRY_APPROVAL_PUBLIC_KEY: nothing is changed on the word of Redis alone` };
  }
  log.info({ fence: lease.fence, attempt: lease.attempt }, 'started');
  return attempt(parts, lease, document, task, known.playbook);
}

function skipped(task: OwnedTask, why: string): Settlement {
  const result: TaskResult = { ...emptyResult(task.id, new Date().toISOString()), outcome: 'skipped', skipReason: 'not-built', summary: why };
  return { outcome: 'skipped', reason: 'not-built', result };
}

async function attempt(parts: WorkerParts, lease: HeldLease, document: RunDocument, task: OwnedTask, playbook: Playbook): Promise<Settlement> {
  const { coordination, log } = parts;
  const { mode, allow } = document;
  const cluster = await parts.openCluster();
  const events = new EventPublisher(coordination.redis);
  const times = new StepTimes();
  try {
    const helm = cluster.source.type === 'live' ? findHelm() : undefined;
    const context = playbookContext({
      ...(helm ? { helm } : {}),
      ...(parts.environment.LARRY_GIT_REPOSITORY ? { git: parts.environment.LARRY_GIT_REPOSITORY } : {}),
      run: lease.run,
      task: task.id,
      cluster,
      options: task.with,
      signal: lease.signal,
      results: await resultsOf(parts, lease.run, [...task.needs, ...task.after]),
      log,
      progress: (percent, message) => log.debug({ percent }, printable(message)),
    });
    const writer = mode === 'observe' ? undefined : cluster.writer?.();
    if (writer && !parts.environment.LARRY_JOURNAL_KEY) {
      throw new TerminalError('LARRY_JOURNAL_KEY names no file: without the key that seals the journal nothing is changed');
    }
    const hands = writer ? { ...handsOf(parts, lease, writer, events, times), ...helmFor(parts, cluster, helm), ...gitFor(parts) } : undefined;
    const result = await runPlaybook(times.playbook(playbook), context, { mode, allow, ...(hands ? { hands } : {}) });
    return settlementOf(result);
  } catch (error) {
    if (error instanceof TerminalError) return { outcome: 'failed', reason: error.message };
    throw error;
  } finally {
    await tellSteps(times, lease, events, log);
    await cluster.close();
  }
}

/** How long the steps took is no part of the work: where it cannot be told, it is not. */
async function tellSteps(times: StepTimes, { run, task, attempt, larry }: HeldLease, events: EventPublisher, log: PlaybookLog): Promise<void> {
  const steps = times.steps();
  if (steps.length === 0) return;
  await events.publish({ id: `${task}/${attempt}/task_steps`, from: larry, event: 'task_steps', run, task_id: task, attempt, steps }).catch((error: unknown) => {
    log.debug({ error: String(error) }, 'how long the steps took could not be told');
  });
}

function settlementOf(result: PlaybookResult): Settlement {
  switch (result.outcome) {
    case 'completed':
      return { outcome: 'completed', result };
    case 'failed':
      return { outcome: 'failed', reason: result.summary, result };
    case 'skipped':
      return { outcome: 'skipped', reason: result.skipReason ?? 'nothing-to-do', result };
    case 'awaiting_approval': {
      if (!result.asks) throw new TerminalError('the playbook waits for an approval of no change');
      return { outcome: 'parked', ...result.asks };
    }
  }
}

/** With the key of the journal at hand only results that a worker sealed. */
async function resultsOf({ coordination, environment, log }: WorkerParts, run: string, tasks: readonly string[]): Promise<Map<string, TaskResult>> {
  const key = environment.LARRY_JOURNAL_KEY ? readJournalKey(environment.LARRY_JOURNAL_KEY) : undefined;
  const results = new Map<string, TaskResult>();
  for (const task of tasks) {
    const record = await coordination.task(task);
    const parsed = taskResultSchema.safeParse(record?.result);
    if (!parsed.success) continue;
    if (!key || isSealedResult(record?.result, { run, task }, key)) results.set(task, parsed.data);
    else log.warn({ of: task }, 'a result without its seal is ignored');
  }
  return results;
}

function handsOf(parts: WorkerParts, lease: HeldLease, writer: ClusterWriter, events: EventPublisher, times: StepTimes): Hands {
  const { environment, coordination, log } = parts;
  const audit = new AuditLog(environment.LARRY_AUDIT_LOG);
  return {
    writer,
    journal: times.journal(workerJournal(coordination.journal, lease, readJournalKey(environment.LARRY_JOURNAL_KEY ?? ''), log)),
    audit,
    guard: () => lease.guard(),
    approval: async (digest) => verdictOn(lease, digest, environment, audit, log),
    asksNoMore: lease.unanswered,
    rollbackInitiated: async (reason, data) => {
      await events.publish({
        id: `${lease.task}/${lease.attempt}/rollback/${digestOf(data).slice(0, 12)}`,
        from: lease.larry,
        event: 'rollback_initiated',
        run: lease.run,
        severity: 'warning',
        reason: printable(reason, 500),
        data,
      });
    },
  };
}

/** Helm for the cluster that the worker reads; without a helm what releases own is left to people. */
function helmFor({ environment }: WorkerParts, cluster: ClusterReader, helm: HelmLocation | undefined): Pick<Hands, 'helm'> {
  if (!helm || 'missing' in helm) return {};
  const { LARRY_KUBECONFIG: kubeconfig, LARRY_CONTEXT: context } = environment;
  return { helm: helmReleases({ cluster, helm: helm.file, ...(kubeconfig ? { kubeconfig } : {}), ...(context ? { context } : {}) }) };
}

/** The working clone that manifests come from; without one what it declares is left to people. */
function gitFor({ environment: { LARRY_GIT_REPOSITORY: folder } }: WorkerParts): Pick<Hands, 'git'> {
  return folder ? { git: gitBranches(folder) } : {};
}

/**
 * Only a verdict that was signed with the key outside Redis, for this run, task and digest, counts. A denial is stronger than a
 * grant, also when it stands in the audit log alone: an old grant can be put back into Redis.
 */
async function verdictOn(lease: HeldLease, digest: string, environment: WorkerEnvironment, audit: AuditLog, log: PlaybookLog): Promise<Approval | undefined> {
  const given = [lease.approval, ...lease.verdicts].filter((verdict) => verdict?.digest === digest);
  const publicKey = approvalKeyOf(environment);
  if (!publicKey) return undefined;
  const records = given.flatMap((verdict) => verifyApproval(parsedJson(verdict?.proof ?? ''), publicKey) ?? []);
  const signed = records.filter((r) => r.digest === digest && r.run === lease.run && r.task === lease.task);
  if (signed.length < given.length) log.warn({ digest }, 'an approval without a valid signature is ignored');
  const record = signed.find((r) => !r.granted) ?? signed[0];
  if (!record?.granted) return record && { granted: false, who: record.who };
  const denier = await audit.deniedBy({ run: lease.run, task: lease.task, digest });
  if (denier === undefined) return { granted: true, who: record.who };
  log.warn({ digest }, 'a grant that was followed by a denial in the audit log is ignored');
  return { granted: false, who: denier };
}

function approvalKeyOf({ LARRY_APPROVAL_PUBLIC_KEY: file }: WorkerEnvironment): KeyObject | undefined {
  return file ? readApprovalKey(file, 'public') : undefined;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
