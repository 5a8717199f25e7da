import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { LarryEvent } from '@larry/contracts';
import type { PlaybookLog } from '@larry/playbook';

/** Injection token of the log that alerts go to. */
export const ALERT_LOG = Symbol('alert log');

/**
 * Puts what an operator should see into the Larry's own log. Changes no state: messages are hints, and a forged one
 * must do nothing.
 */
@Controller()
export class AlertsController {
  constructor(@Inject(ALERT_LOG) private readonly log: PlaybookLog) {}

  // One list: Nest keeps only the last of several decorators.
  @EventPattern(['task_conflict', 'worker_failure', 'rollback_initiated', 'budget_reserve_deployed', 'budget_exhausted', 'events_lost'])
  alert(@Payload() event: LarryEvent): void {
    this.log.warn({ event }, 'alert');
  }
}
