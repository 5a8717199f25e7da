// What needs Nest: workers and the CLI, which have none, do not pay for loading it.
export { createMetrics, HealthController, METRICS, READINESS_CHECKS, type ReadinessCheck } from './health.controller';
export { NestLogger } from './logging';
export { ServiceModule } from './service.module';
export { runService, startService, type ServiceParts } from './start-service';
