import { describeRef, printable, type KubeObject, type ObjectRef } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { carries, markOf, ofOneRun } from './marks';

/** A change that was begun, and of whose end nothing is written down. */
export interface BegunChange {
  /** `<run>/<task>/<step>`. */
  id: string;
  verb: string;
  target: ObjectRef;
  /** For `git-branch`: the branch. */
  branch?: string;
}

/**
 * Whether a change that was begun is in effect, by a look at its object: a sentence without a full stop that begins with
 * `made`, `not made` or `not known`, and says what was seen. Reads only, and never throws.
 */
export async function seenChange(cluster: Pick<ClusterReader, 'get'>, { id, verb, target, branch }: BegunChange): Promise<string> {
  if (verb === 'git-branch') return `not known: it is a branch of the repository${branch === undefined ? '' : `: git log -1 ${printable(branch, 150)} shows it where it was made`}`;
  const name = printable(describeRef(target), 300);
  let live: KubeObject | undefined;
  try {
    live = await cluster.get(target);
  } catch (error) {
    return `not known: ${name} cannot be read (${printable(error instanceof Error ? error.message : String(error), 300)})`;
  }
  if (live && carries(live, id)) return `made: ${name} carries its mark`;
  switch (verb) {
    case 'delete':
      return !live || live.metadata.deletionTimestamp !== undefined ? `made: ${name} is gone` : `not made: ${name} is there`;
    case 'create':
      return live ? `not known: ${name} is there, and does not carry its mark` : `not made: ${name} is not there`;
    case 'patch': {
      if (!live) return `not known: ${name} is not there any more`;
      const mark = markOf(live);
      if (mark !== undefined && !ofOneRun(mark, id)) return `not known: ${name} carries the mark of another run, ${printable(mark, 200)}`;
      return `not made: ${name} does not carry its mark`;
    }
    default:
      return `not known: ${name} does not carry its mark`;
  }
}
