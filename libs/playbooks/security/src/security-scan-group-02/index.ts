import { securityScan } from '../security-scan';

/** The scan of the second group's namespaces and of every namespace that no other group names. */
export const securityScanGroup02 = securityScan(
  'security-scan-group-02',
  'Security scan, second group and all the rest',
  "the second group's namespaces, every namespace that no other group names, and what belongs to none",
);
