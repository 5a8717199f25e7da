import { convergeTask, type Plan, type TaskResult } from '@larry/contracts';
import { Coordination, onWake, type RunSnapshot } from '@larry/coordination';
import { metaCoordinatorId, runSpecOf, writeRunDocument } from '@larry/coordinator';
import type { Mode } from '@larry/playbook';
import { eventually } from '@larry/redis/testing';
import { readApprovalKey } from '@larry/audit';
import { randomBytes } from 'node:crypto';
import { approvalKeys } from './approval-keys';

/** How a run is begun. */
export interface BeginOptions {
  mode?: Mode;
  allow?: string[];
  /** The id; a random one by default. */
  run?: string;
}

/** Begins a run of a plan as the meta-coordinator would, without one. Returns its id. Refused while another run goes on. */
export async function beginRun(coordination: Coordination, plan: Plan, options: BeginOptions = {}): Promise<string> {
  const { mode = 'auto', allow = ['test'], run = `run-${randomBytes(5).toString('hex')}` } = options;
  await writeRunDocument(coordination, { run, mode, plan, allow }, readApprovalKey(approvalKeys.privateKey, 'private'));
  const created = await coordination.createRun(runSpecOf(plan, run, mode));
  if (created.outcome === 'refused') throw new Error(`the run was not created: ${JSON.stringify(created)}`);
  return run;
}

/** Stands in for the meta-coordinator: claims `converge` when it is ready and completes it, so that runs end. */
export async function startConverger(coordination: Coordination, ttlMs = 1000): Promise<{ stop(): Promise<void> }> {
  const converge = async (): Promise<void> => {
    const snapshot = await coordination.snapshot();
    if (!snapshot) return;
    await coordination.expire(snapshot.run.run);
    const task = snapshot.tasks.find((t) => t.converge);
    if (!task?.claimable) return;
    const claim = { run: snapshot.run.run, task: convergeTask, larry: metaCoordinatorId, claim: randomBytes(8).toString('hex') };
    if ((await coordination.claim(claim, ttlMs)).outcome !== 'claimed') return;
    await coordination.leases.using(claim, { ttlMs }, async () => ({ outcome: 'completed' }));
  };
  // A Redis that is away is met with the next look.
  return onWake(coordination.redis, converge, { everyMs: 200, onError: () => undefined });
}

/** Waits until the run has ended, and gives its last state. */
export function runEnd(coordination: Coordination, run: string, withinMs = 60_000): Promise<RunSnapshot> {
  return eventually(async () => {
    const snapshot = await coordination.snapshot();
    if (snapshot?.run.run !== run) throw new Error(`run ${run} is not there`);
    if (snapshot.run.status === 'running') throw new Error(`the run goes on: ${JSON.stringify(snapshot.tasks.map((t) => [t.task, t.status, t.attempt]))}`);
    return snapshot;
  }, withinMs);
}

/** The states of a run's tasks, by id. */
export function statuses(snapshot: RunSnapshot): Record<string, string> {
  return Object.fromEntries(snapshot.tasks.map((t) => [t.task, t.status]));
}

/** A task's result, as its worker wrote it. */
export async function resultOf(coordination: Coordination, task: string): Promise<TaskResult> {
  const record = await coordination.task(task);
  if (!record?.result) throw new Error(`${task} is ${record?.status} and has no result: ${record?.reason}`);
  return record.result as TaskResult;
}
