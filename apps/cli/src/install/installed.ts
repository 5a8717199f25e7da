import { z } from 'zod';
import { UserError } from '../user-error';
import type { HelmTool } from './helm-tool';
import { meta, type InstallChoices } from './releases';

/** What an earlier installation allows; undefined where there is none. */
export interface Installed {
  modes?: string[];
  writeNamespaces?: string[];
  repairHelm?: string[];
}

const givenValues = z.object({ modesAllowed: z.array(z.string()).optional(), rbac: z.object({ writeNamespaces: z.array(z.string()).optional() }).optional(), repair: z.object({ helm: z.object({ namespaces: z.array(z.string()).optional() }).optional() }).optional() });

/** Read from the values of the releases that are there. */
export async function installedBefore(helm: Pick<HelmTool, 'run'>): Promise<Installed> {
  const ofMeta = await valuesGiven(helm, meta);
  const ofWriter = await valuesGiven(helm, 'larry-01');
  return { ...(ofMeta ? { modes: ofMeta.modesAllowed ?? ['observe'] } : {}), ...(ofWriter ? { writeNamespaces: ofWriter.rbac?.writeNamespaces ?? [], repairHelm: ofWriter.repair?.helm?.namespaces ?? [] } : {}) };
}

async function valuesGiven(helm: Pick<HelmTool, 'run'>, release: string): Promise<z.infer<typeof givenValues> | undefined> {
  try {
    return givenValues.parse(JSON.parse(await helm.run(['get', 'values', release, '--namespace', release, '--output', 'json'])) ?? {});
  } catch (error) {
    if (error instanceof UserError && /release: not found/.test(error.message)) return undefined;
    throw error;
  }
}

/** The plan's line of what may be written and run, with what it was where that changes. */
export function rightsLine({ writeNamespaces, repairHelm, modes }: Pick<InstallChoices, 'writeNamespaces' | 'repairHelm' | 'modes'>, before: Installed): string {
  const writes = writeNamespaces.length === 0 ? 'nothing' : `what larry-01's playbooks declare, in ${writeNamespaces.join(', ')}`;
  const repairs = repairHelm.length === 0 ? 'none' : `Helm releases in ${repairHelm.join(', ')} (larry-01 then reads every Secret there)`;
  const through = repairHelm.length > 0 || (before.repairHelm ?? []).length > 0 ? `; repairs through Helm: ${repairs}${was(before.repairHelm, repairHelm)}` : '';
  return `${writes}${was(before.writeNamespaces, writeNamespaces)}${through}; runs may be: ${modes.join(', ')}${was(before.modes, modes)}`;
}

function was(before: readonly string[] | undefined, now: readonly string[]): string {
  if (!before || [...before].sort().join() === [...now].sort().join()) return '';
  return ` (was: ${before.length === 0 ? 'nothing' : before.join(', ')})`;
}
