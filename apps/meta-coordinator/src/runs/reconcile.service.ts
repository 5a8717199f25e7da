import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { planBudget, TokenLedger } from '@larry/budget';
import type { BudgetUsage } from '@larry/contracts';
import { readRunDocument } from '@larry/coordinator';
import { onWake, wakeEveryMs, type RunSnapshot } from '@larry/coordination';
import { ConvergeService } from '../converge/converge.service';
import { RunMetrics } from '../metrics/run-metrics';
import { PARTS, type MetaParts } from '../parts';

/**
 * Brings a run forward from its state: at start, when a message comes, and every second. Any replica may do any of it,
 * at the same time as the others.
 */
@Injectable()
export class ReconcileService implements OnApplicationBootstrap, OnApplicationShutdown {
  private waker?: Awaited<ReturnType<typeof onWake>>;
  private failed = false;
  private tending?: Promise<void>;

  constructor(
    @Inject(PARTS) private readonly parts: MetaParts,
    @Inject(ConvergeService) private readonly convergence: ConvergeService,
    @Inject(RunMetrics) private readonly metrics: RunMetrics,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.waker = await onWake(this.parts.redis, () => this.reconcile(), { onError: (error) => this.note(error) });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.waker?.stop();
    await this.tending;
    await this.convergence.stop();
    // Everything that uses the connections has ended: HTTP before this, the convergence above.
    this.parts.feed.close();
    await this.parts.redis.close();
  }

  private async reconcile(): Promise<void> {
    const snapshot = await this.parts.coordination.snapshot();
    // First, and held up by nothing: the convergence follows the last task's end at once.
    if (snapshot?.run.status === 'running') await this.convergence.beginIfReady(snapshot);
    this.tending ??= this.tend(snapshot)
      .catch((error: unknown) => this.note(error))
      .finally(() => (this.tending = undefined));
  }

  private async tend(snapshot: RunSnapshot | undefined): Promise<void> {
    const budget = snapshot ? await this.bringForward(snapshot) : [];
    this.metrics.show(snapshot, budget);
    if (this.failed) this.parts.log.info({}, 'reconciling again');
    this.failed = false;
  }

  private async bringForward(snapshot: RunSnapshot): Promise<BudgetUsage[]> {
    const { coordination, redis } = this.parts;
    const { run, status } = snapshot.run;
    const ledger = new TokenLedger(redis, { run });
    if (status === 'running') {
      await coordination.expire(run);
      await this.openLedger(ledger, run);
      await ledger.expire();
    }
    if (status === 'resetting') return [];
    await coordination.views.refresh({ recheckMs: wakeEveryMs / 2 });
    return ledger.writeViews();
  }

  /** A process that died between beginning a run and opening its ledger leaves a run without one. */
  private async openLedger(ledger: TokenLedger, run: string): Promise<void> {
    if ((await ledger.usage()).length > 0) return;
    const document = await readRunDocument(this.parts.coordination, run);
    if (document) await ledger.open(planBudget(document.plan));
  }

  /** Said once per outage, not every second. */
  private note(error: unknown): void {
    if (!this.failed) this.parts.log.warn({ error: error instanceof Error ? error.message : String(error) }, 'reconciling failed; it is tried again every second');
    this.failed = true;
  }
}
