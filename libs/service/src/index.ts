export { openConfiguredSource } from './cluster-source';
export { ConfigurationError, readEnvironment, serviceEnvironmentSchema, type ServiceEnvironment } from './config';
export { createLogger, type Logger } from './logging';
