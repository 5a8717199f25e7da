import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { createMetrics, ServiceModule, type ReadinessCheck } from '@larry/service/nest';
import { ConvergeService } from './converge/converge.service';
import { AlertsController, alertCounter, ALERT_COUNTER } from './metrics/alerts.controller';
import { ApprovalsController } from './http/approvals.controller';
import { EventsController } from './http/events.controller';
import { ProblemFilter } from './http/problem.filter';
import { RunsController } from './http/runs.controller';
import { RunMetrics } from './metrics/run-metrics';
import { MirrorsService } from './mirrors/mirrors.service';
import { PARTS, type MetaParts } from './parts';
import { ApprovalsService } from './runs/approvals.service';
import { ReconcileService } from './runs/reconcile.service';
import { RunsService } from './runs/runs.service';

/** The meta-coordinator over parts that are open already. */
@Module({})
export class MetaCoordinatorModule {
  static forRoot(parts: MetaParts, checks: ReadinessCheck[]): DynamicModule {
    // No label of the process: the gauges speak of the run, and every Larry has its own.
    const metrics = createMetrics({});
    return {
      module: MetaCoordinatorModule,
      imports: [ServiceModule.forRoot({ checks, metrics })],
      controllers: [RunsController, ApprovalsController, EventsController, AlertsController],
      providers: [
        { provide: PARTS, useValue: parts },
        { provide: APP_FILTER, useValue: new ProblemFilter(parts.log) },
        { provide: RunMetrics, useValue: new RunMetrics(metrics) },
        { provide: ALERT_COUNTER, useValue: alertCounter(metrics) },
        RunsService,
        ApprovalsService,
        ConvergeService,
        ReconcileService,
        MirrorsService,
      ],
    };
  }
}
