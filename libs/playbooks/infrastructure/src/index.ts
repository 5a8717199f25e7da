import type { PlaybookLibrary } from '@larry/playbook';
import { fixPgadminCrashloop } from './fix-pgadmin-crashloop';

/** Larry-01's playbooks: those that are built, and the tasks that are not yet, each with why. */
export const infrastructurePlaybooks: PlaybookLibrary = {
  built: [fixPgadminCrashloop],
  notBuilt: [
    { id: 'consolidate-postgresql', why: 'merging PostgreSQL instances is not built in this version', instead: 'larry playbook run catalog-deployments counts the PostgreSQL instances and who uses them' },
    { id: 'optimize-postgresql', why: 'pooling, indexes and backups are not built in this version', instead: 'larry playbook run catalog-deployments lists the PostgreSQL instances' },
    { id: 'setup-monitoring', why: 'exporter, dashboards and alert rules are not built in this version', instead: 'larry playbook run classify-assets shows what monitoring there is' },
  ],
};
