import type { PlaybookLibrary } from '@larry/playbook';
import { notBuilt } from './not-built';
import { securityScanGroup01 } from './security-scan-group-01';
import { securityScanGroup02 } from './security-scan-group-02';

/** Larry-02's playbooks, and its tasks that are not built yet. */
export const securityPlaybooks: PlaybookLibrary = {
  built: [securityScanGroup01, securityScanGroup02],
  notBuilt,
};

export { families as securityRuleFamilies } from './security-scan/families';
export type { Rule, RuleFamily } from './security-scan/rules/family';
export { loadExceptions, type Exception, type LoadedExceptions } from './security-scan/exceptions';
export { scanOptionsSchema, type ScanOptions } from './security-scan/options';
