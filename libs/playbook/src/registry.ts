import type { Playbook } from './playbook';

/** What a domain's library offers: the playbooks that are built, and the tasks that are not yet, each with why. */
export interface PlaybookLibrary {
  built: Playbook[];
  notBuilt: { id: string; why: string }[];
}

/** Finds a task's playbook. A task that no library names is a mistake of the configuration: boot fails naming it. */
export function findPlaybook(
  libraries: readonly PlaybookLibrary[],
  task: string,
): { playbook: Playbook } | { notBuilt: string } | undefined {
  for (const library of libraries) {
    const playbook = library.built.find((p) => p.id === task);
    if (playbook) return { playbook };
    const missing = library.notBuilt.find((p) => p.id === task);
    if (missing) return { notBuilt: missing.why };
  }
  return undefined;
}
