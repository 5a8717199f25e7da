import { createHash } from 'node:crypto';
import type { WorkOrder } from '../launcher';

/** Labels and annotations that the launcher writes on a Job, and on its pods. */
export const jobMarks = {
  app: 'app',
  instance: 'larry-instance',
  run: 'larry.dev/run',
  task: 'larry.dev/task',
  attempt: 'larry.dev/attempt',
  /** An annotation: the claim that the worker starts under. */
  claim: 'larry.dev/claim',
} as const;

/** The value of label `app` on worker Jobs and their pods. */
export const workerApp = 'larry-worker';

/** The Jobs of one Larry. */
export const workersOf = (larry: string): string => `${jobMarks.app}=${workerApp},${jobMarks.instance}=${larry}`;

const longest = 63;

/**
 * `larry-01-cleanup-worker`; later attempts `…-worker-2`, so that the first one's log stays. Too long a name is cut and told
 * apart by a hash; `distinct` does so with any, for a worker whose first attempt is named like another one's second.
 */
export function jobName({ larry, worker, attempt }: Pick<WorkOrder, 'larry' | 'worker' | 'attempt'>, distinct = false): string {
  const suffix = attempt > 1 ? `-${attempt}` : '';
  const name = `${larry}-${worker}`.toLowerCase().replace(/[^a-z0-9-]+/g, '-');
  // A Job's name becomes a label of its pods, which holds 63 characters (Kubernetes, *Labels and Selectors*).
  if (name.length + suffix.length <= longest && !distinct) return name + suffix;
  return shortened(name, Math.min(name.length + 9, longest - suffix.length)) + suffix;
}

/** A text as a label's value: what a label cannot hold is told apart by a hash. */
export function labelValue(text: string): string {
  if (text.length <= longest && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(text)) return text;
  return shortened(text.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^-+/, '') || 'x', longest, text);
}

function shortened(text: string, length: number, whole = text): string {
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${text.slice(0, length - 9).replace(/-+$/, '')}-${hash}`;
}
