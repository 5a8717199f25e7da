import type { NotBuilt } from '@larry/playbook';

/** Tasks of this domain that are planned and not built: they report `skipped: not-built` with the reason. */
export const notBuilt: NotBuilt[] = [
  { id: 'dependency-audit', why: 'reading lockfiles against OSV data is not built yet', instead: 'npm audit or osv-scanner reads a lockfile' },
  {
    id: 'automated-remediation',
    why: 'fixes as pull requests need the dependency audit and a forge; neither is built yet',
    instead: 'larry check prints the change that mends each finding',
  },
];
