import { Inject, Injectable } from '@nestjs/common';
import { metaCoordinatorId, sealResult } from '@larry/coordinator';
import type { HeldLease, RunSnapshot, Settlement } from '@larry/coordination';
import { randomUUID } from 'node:crypto';
import { PARTS, type MetaParts } from '../parts';
import { converge } from './convergence';
import { gatherRun } from './gather';
import { readSummary, summaryResult } from './summary-result';

/** Does the task `converge` in this process, under a lease like any other worker's. At most one at a time. */
@Injectable()
export class ConvergeService {
  private readonly stopping = new AbortController();
  private running?: Promise<void>;

  constructor(@Inject(PARTS) private readonly parts: MetaParts) {}

  /** Claims the convergence where it can be claimed; returns before it is done. */
  async beginIfReady({ run, tasks }: RunSnapshot): Promise<void> {
    const task = tasks.find((t) => t.converge);
    if (!task?.claimable || this.running || this.stopping.signal.aborted) return;
    const { coordination, env, log } = this.parts;
    const claim = { run: run.run, task: task.task, larry: metaCoordinatorId, claim: randomUUID() };
    const claimed = await coordination.claim(claim, env.LARRY_LEASE_TTL_MS);
    if (claimed.outcome !== 'claimed') return;
    log.info({ run: run.run, task: task.task, fence: claimed.fence, attempt: claimed.attempt }, 'converging');
    this.running = this.work(claim)
      .catch((error: unknown) => log.warn({ run: run.run, error: error instanceof Error ? error.message : String(error) }, 'the convergence ended without a settlement; its lease lapses'))
      .finally(() => (this.running = undefined));
  }

  /** Hands the lease back. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async work(claim: { run: string; task: string; claim: string }): Promise<void> {
    const { coordination, env, log } = this.parts;
    let settlement: Settlement | undefined;
    const options = { ttlMs: env.LARRY_LEASE_TTL_MS, stop: this.stopping.signal };
    const end = await coordination.leases.using(claim, options, async (lease) => (settlement = await this.attempt(lease)));
    log.info({ run: claim.run, task: claim.task, ...end }, 'converged');
    const summary = settlement?.outcome === 'completed' && end.outcome === 'settled' && end.status === 'completed' ? readSummary(settlement.result) : undefined;
    // Only what was accepted is compared with next time.
    if (summary) await this.parts.lastRun.write(summary);
  }

  private async attempt(lease: HeldLease): Promise<Settlement> {
    const facts = await gatherRun(this.parts);
    if (!facts || facts.snapshot.run.run !== lease.run) return { outcome: 'returned', reason: 'the run is not the current one any more' };
    const result = summaryResult(await converge(this.parts, facts, lease.attempt, lease.signal));
    const { journalKey } = this.parts;
    return { outcome: 'completed', result: journalKey ? sealResult(result, lease, journalKey) : result };
  }
}
