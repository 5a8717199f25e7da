export { startClusterClients, startNodeClients, type ClusterClients, type ClusterClientsOptions } from './start-clients';
export { realClock, ManualClock, type Clock } from './clock';
export type { LogSink } from './kubelet/log-sink';
export { ProgramHost, type ProgramOptions } from './kubelet/programs/program-host';
export { PodNetwork } from './pod-network';
export { VolumeStore } from './kubelet/volume-store';
export { ApiClient, ApiError, type ApiClientOptions } from './api-client';
export { behaviourOf, knownImages, type ImageBehaviour, type Script, type ContainerFacts } from './behaviours';
