export { causeClasses, causeCodes, classOfCause, type CauseClass, type CauseCode } from './cause-codes';
export type { Alternative, DiagnosisFinding, DiagnosisReport } from './finding';
export { collectFacts, type CollectOptions } from './facts/collect';
export type { Facts } from './facts/model';
export { parseProbes, probesFile, readProbes, readProbesOf, type Probes } from './facts/probes';
export { diagnose } from './diagnose';
