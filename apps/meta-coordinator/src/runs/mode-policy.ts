import type { Mode } from '@larry/playbook';

/**
 * Why a run may not have this mode over this source; undefined when it may. That a cluster says of itself that it is
 * simulated counts for nothing here: who starts the service says what may be changed.
 */
export function modeRefusal(mode: Mode, source: { name: string }, allowed: readonly Mode[]): string | undefined {
  if (mode === 'observe' || allowed.includes(mode)) return undefined;
  return `mode "${mode}" may change ${source.name}: start the meta-coordinator with LARRY_MODES_ALLOWED=observe,${mode} if that is wanted`;
}
