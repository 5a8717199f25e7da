export { SimulatedApiServer } from './server';
export type { RequestCounts, ServerOptions } from './server';
export type { Fault, FaultRule, Faults } from './faults';
export type { LoadReport } from './loading';
export type { ContainerLogs, LogLine } from './logs';
export type { JournalEntry } from './journal';
export type { KubeObject, ObjectMeta } from './kube-object';
export type { Served, ServedKind } from './served';
