/** Something that was looked at: what was seen, or why nothing. */
export type Seen<T> = { value: T } | { problem: string };

/** What the checks look at themselves, beside what the Larrys said. */
export interface LiveFacts {
  /** Objects by kind (`apps/v1 Deployment`), for the kinds that are counted again. */
  counts: ReadonlyMap<string, Seen<number>>;
  /** `larry.dev/change` of each changed object; undefined where the object is gone or carries none. */
  marks: ReadonlyMap<string, Seen<{ exists: boolean; change?: string }>>;
}

/** Kinds that are counted again: some objects, none of them made by a controller or for a moment. */
export const isCounted = ({ objects, derived }: { objects: number; derived: number }): boolean => objects > 0 && derived === 0;

/** Key of a kind in {@link LiveFacts.counts}. */
export const kindName = ({ apiVersion, kind }: { apiVersion: string; kind: string }): string => `${apiVersion} ${kind}`;
