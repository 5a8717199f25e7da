import type { Mode } from '@larry/playbook';

/** Why a run may not have this mode over this source; undefined when it may. */
export function modeRefusal(mode: Mode, source: { simulated: boolean; name: string }, allowed: readonly Mode[]): string | undefined {
  if (mode === 'observe' || source.simulated || allowed.includes(mode)) return undefined;
  return `mode "${mode}" may change ${source.name}, which is not a simulated cluster: start the meta-coordinator with LARRY_MODES_ALLOWED=observe,${mode} if that is wanted`;
}
