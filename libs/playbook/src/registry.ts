import type { Playbook } from './playbook';

/** A task that is planned and not built: why, and what does part of it today, where something does. */
export interface NotBuilt {
  id: string;
  why: string;
  /** What to type or use meanwhile; a sentence without its end. */
  instead?: string;
}

/** What a domain's library offers: the playbooks that are built, and the tasks that are not yet, each with why. */
export interface PlaybookLibrary {
  built: Playbook[];
  notBuilt: NotBuilt[];
}

/** Finds a task's playbook. A task that no library names is a mistake of the configuration: boot fails naming it. */
export function findPlaybook(
  libraries: readonly PlaybookLibrary[],
  task: string,
): { playbook: Playbook } | { notBuilt: string; instead?: string } | undefined {
  for (const library of libraries) {
    const playbook = library.built.find((p) => p.id === task);
    if (playbook) return { playbook };
    const missing = library.notBuilt.find((p) => p.id === task);
    if (missing) return { notBuilt: missing.why, ...(missing.instead === undefined ? {} : { instead: missing.instead }) };
  }
  return undefined;
}
