import { securityScan } from '../security-scan';

/** The scan of the namespaces that the plan names for the first group (`database`, `monitoring`, `n8n`, `ingress`). */
export const securityScanGroup01 = securityScan(
  'security-scan-group-01',
  'Security scan, first group',
  'the namespaces of the first group',
);
