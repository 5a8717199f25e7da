import { Controller, Get, Header, HttpCode, Inject, ServiceUnavailableException } from '@nestjs/common';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** Something a service cannot work without; throws with a sentence when it is not there. */
export interface ReadinessCheck {
  name: string;
  check(): Promise<void>;
}

/** Injection token of the list of {@link ReadinessCheck}s. */
export const READINESS_CHECKS = Symbol('readiness checks');
/** Injection token of the service's own metrics registry. */
export const METRICS = Symbol('metrics registry');

const stuckMs = 2000;
const checkTimeoutMs = 2000;

/** `/healthz`: the event loop is alive. `/readyz`: Redis and cluster answer. `/metrics`: Prometheus' text format. */
@Controller()
export class HealthController {
  private readonly delay = monitorEventLoopDelay({ resolution: 50 });
  /** Checks that have not answered yet: a cluster that hangs is not asked again with every probe. */
  private readonly asked = new Map<ReadinessCheck, Promise<void>>();

  constructor(
    @Inject(READINESS_CHECKS) private readonly checks: ReadinessCheck[],
    @Inject(METRICS) private readonly metrics: Registry,
  ) {
    this.delay.enable();
  }

  @Get('healthz')
  healthz(): { status: string; eventLoopDelayMs: number } {
    const worst = this.delay.max / 1e6;
    this.delay.reset();
    if (worst > stuckMs) throw new ServiceUnavailableException(`the event loop stood still for ${Math.round(worst)} ms`);
    return { status: 'ok', eventLoopDelayMs: Math.round(worst) };
  }

  @Get('readyz')
  async readyz(): Promise<{ status: string; checks: Record<string, string> }> {
    const entries = await Promise.all(this.checks.map(async (c) => [c.name, await this.outcomeOf(c)] as const));
    const checks = Object.fromEntries(entries);
    const ready = entries.every(([, said]) => said === 'ok');
    if (!ready) throw new ServiceUnavailableException({ status: 'not ready', checks });
    return { status: 'ok', checks };
  }

  @Get('metrics')
  @HttpCode(200)
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  async scrape(): Promise<string> {
    return this.metrics.metrics();
  }

  private outcomeOf(check: ReadinessCheck): Promise<string> {
    const known = this.asked.get(check);
    if (known) return outcome(known);
    const answer = Promise.resolve().then(() => check.check());
    this.asked.set(check, answer);
    const forget = (): void => void this.asked.delete(check);
    answer.then(forget, forget);
    return outcome(answer);
  }
}

async function outcome(answer: Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${checkTimeoutMs} ms`), checkTimeoutMs);
  });
  try {
    return await Promise.race([answer.then(() => 'ok'), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** A registry with the process' own figures (CPU, memory, event loop) under the service's labels. */
export function createMetrics(labels: Record<string, string>): Registry {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  return registry;
}
