// What needs Nest: workers and the CLI, which have none, do not pay for loading it.
export { EventClient } from './nest-client';
export { EventContext, EventServer, type EventServerOptions } from './nest-server';
