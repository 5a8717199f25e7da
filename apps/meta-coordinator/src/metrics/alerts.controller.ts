import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { LarryEvent } from '@larry/contracts';
import { Counter, type Registry } from 'prom-client';
import { PARTS, type MetaParts } from '../parts';

/** Injection token of the counter of alerts. */
export const ALERT_COUNTER = Symbol('alert counter');

/** Alerts by event, since this process started. */
export function alertCounter(registry: Registry): Counter<'event'> {
  return new Counter({ name: 'larry_alerts_total', help: 'Alerts heard on larry:alerts since this process started', labelNames: ['event'], registers: [registry] });
}

/** Every alert of the run in the meta-coordinator's log and metrics. Changes nothing: messages are hints. */
@Controller()
export class AlertsController {
  constructor(
    @Inject(PARTS) private readonly parts: MetaParts,
    @Inject(ALERT_COUNTER) private readonly counter: Counter<'event'>,
  ) {}

  // One decorator with all of them: of several on one method Nest keeps the last alone.
  @EventPattern(['critical_cve', 'worker_failure', 'rollback_initiated', 'budget_reserve_deployed', 'budget_exhausted', 'events_lost'])
  alert(@Payload() event: LarryEvent): void {
    this.counter.inc({ event: event.event });
    this.parts.log.warn({ alert: event }, 'alert');
  }
}
