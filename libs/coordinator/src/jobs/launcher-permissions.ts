import type { AccessRule } from '@larry/playbook';

/**
 * What a coordinator that launches Jobs needs, in the namespace of its Jobs alone: a Role, never a ClusterRole. The charts'
 * Roles are generated from it. It reads no Secret and changes no pod: a worker is stopped by deleting its Job.
 */
export const launcherPermissions: readonly AccessRule[] = [
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'delete', 'get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
  // Why no pod came (a quota, an admission) or a volume is not there stands in events alone.
  { apiGroups: [''], resources: ['events'], verbs: ['list'] },
];
