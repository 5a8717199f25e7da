import type { BudgetUsage } from '@larry/contracts';
import type { RunSnapshot } from '@larry/coordination';
import { Gauge, type Registry } from 'prom-client';

const labelNames = ['larry_id', 'node'] as const;

/** The run as Prometheus sees it: gauges by Larry, and by the node that its tasks are on where tasks are counted. */
export class RunMetrics {
  private readonly progress: Gauge<'larry_id' | 'node'>;
  private readonly active: Gauge<'larry_id' | 'node'>;
  private readonly completed: Gauge<'larry_id' | 'node'>;
  private readonly tokens: Gauge<'larry_id' | 'node'>;

  constructor(registry: Registry) {
    const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers: [registry] });
    this.progress = gauge('larry_phase_progress', "Whole percent of a Larry's tasks that completed in the current run");
    this.active = gauge('larry_workers_active', 'Workers that have started and not ended in the current run');
    this.completed = gauge('larry_tasks_completed', 'Tasks that completed in the current run');
    this.tokens = gauge('larry_tokens_used', 'Model tokens used in the current run, by a Larry and its tasks');
  }

  /** Shows a run, or none. */
  show(snapshot: RunSnapshot | undefined, budget: readonly BudgetUsage[]): void {
    for (const gauge of [this.progress, this.active, this.completed, this.tokens]) gauge.reset();
    if (!snapshot) return;
    for (const { larry, progress } of snapshot.run.phases) this.progress.set({ larry_id: larry, node: 'all' }, progress);
    for (const { larry, node = 'unknown', status } of snapshot.tasks) {
      const labels = { larry_id: larry, node };
      this.active.inc(labels, status === 'in_progress' ? 1 : 0);
      this.completed.inc(labels, status === 'completed' ? 1 : 0);
    }
    const root = budget.find((b) => b.parent === undefined)?.node;
    for (const { node, parent, used } of budget) if (parent !== undefined && parent === root) this.tokens.set({ larry_id: node, node: 'all' }, used);
  }
}
