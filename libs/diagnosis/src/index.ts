export { causeClasses, causeCodes, classOfCause, type CauseClass, type CauseCode } from './cause-codes';
export type { Alternative, DiagnosisFinding, DiagnosisReport } from './finding';
export { collectDump, collectFacts, type CollectOptions } from './facts/collect';
export type { Facts } from './facts/model';
export { parseProbes, probesFile, readProbes, readProbesOf, type Probes } from './facts/probes';
export { diagnose } from './diagnose';
export { allowedSpecialDomains, emailProblem, repairedEmail } from './pgadmin/email';
export { pgadminSays } from './pgadmin/says';
export { kubectlPatch } from './remedy/kubectl-patch';
