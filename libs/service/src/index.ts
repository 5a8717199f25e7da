export { openConfiguredSource } from './cluster-source';
export { ConfigurationError, readEnvironment, serviceEnvironmentSchema, type ServiceEnvironment } from './config';
export { createMetrics, HealthController, METRICS, READINESS_CHECKS, type ReadinessCheck } from './health.controller';
export { createLogger, NestLogger, type Logger } from './logging';
export { ServiceModule } from './service.module';
export { runService, startService, type ServiceParts } from './start-service';
