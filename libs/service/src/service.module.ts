import { Module, type DynamicModule } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { HealthController, METRICS, READINESS_CHECKS, type ReadinessCheck } from './health.controller';

/** Health, readiness and metrics, the same for every service. */
@Module({})
export class ServiceModule {
  static forRoot(options: { checks: ReadinessCheck[]; metrics: Registry }): DynamicModule {
    return {
      module: ServiceModule,
      controllers: [HealthController],
      providers: [
        { provide: READINESS_CHECKS, useValue: options.checks },
        { provide: METRICS, useValue: options.metrics },
      ],
      exports: [METRICS],
    };
  }
}
