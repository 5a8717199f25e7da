import { planTasks, printable, type Plan } from '@larry/contracts';
import { findPlaybook, type PlaybookLibrary } from '@larry/playbook';
import { developmentPlaybooks } from '@larry/playbooks-development';
import { infrastructurePlaybooks } from '@larry/playbooks-infrastructure';
import { securityPlaybooks } from '@larry/playbooks-security';
import { UserError } from './user-error';

/** Whose playbooks are whose: a Larry's worker knows those of its own domain, and no other's. */
const libraryOf: Record<string, PlaybookLibrary> = {
  'larry-01': infrastructurePlaybooks,
  'larry-02': securityPlaybooks,
  'larry-03': developmentPlaybooks,
};

/** Every domain's playbooks, in the order of the Larrys. */
export const playbookLibraries: PlaybookLibrary[] = Object.values(libraryOf);

/**
 * Throws a {@link UserError} that names every task that nobody could do. With `byLarry` a task must be one of its own
 * Larry's, as in a run; without, any Larry's will do, as in one process. A task that is not built yet is known.
 */
export function requirePlaybooks(plan: Plan, byLarry: boolean): void {
  const missing = planTasks(plan).flatMap((task) => {
    const own = libraryOf[task.larry];
    if (findPlaybook(byLarry ? (own ? [own] : []) : playbookLibraries, task.id)) return [];
    const other = Object.entries(libraryOf).find(([, library]) => findPlaybook([library], task.id))?.[0];
    if (other) return [`${task.larry} has no playbook "${task.id}": it is one of ${other}'s`];
    return [`${task.larry} has no playbook "${task.id}"`];
  });
  if (missing.length > 0) throw new UserError(`the plan cannot be used: ${missing.join('; ')}. larry playbook list shows what there is`);
}

/** The categories of change that any playbook makes: what `--allow` takes. */
export function changeCategories(): string[] {
  return [...new Set(playbookLibraries.flatMap((l) => l.built).flatMap((p) => p.categories ?? []))].sort();
}

/** Throws a {@link UserError} that lists what there is, for a category that no playbook makes. */
export function requireCategories(given: readonly string[]): void {
  const known = changeCategories();
  const unknown = given.filter((category) => !known.includes(category));
  if (unknown.length > 0) throw new UserError(`--allow names ${unknown.map((c) => `"${printable(c, 80)}"`).join(', ')}, which no playbook makes; the categories of change are ${known.join(', ')}`);
}
