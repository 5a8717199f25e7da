import { parseImage } from '../behaviours';
import type { ConfigMap } from '../types';

/** What a pull of an image takes or fails with. */
export interface Pull {
  seconds: number;
  /** The registry's words; the pull then fails each time. */
  error?: string;
}

/** The ConfigMap that marks a simulated cluster, and says what is slow or broken in it. */
export const faultsKey = 'kube-system/larry-simulation';

/**
 * How long the pull of an image takes, by `pull-seconds.NAME` and `pull-error.NAME` of the simulation's ConfigMap, where
 * NAME is the last segment of the image's repository. Without them every image is on every node already.
 */
export function pullOf(image: string, faults: ConfigMap | undefined): Pull | undefined {
  const name = parseImage(image)?.repository.split('/').at(-1) ?? '';
  const seconds = Number(faults?.data?.[`pull-seconds.${name}`] ?? 0);
  const error = faults?.data?.[`pull-error.${name}`];
  if (!(seconds > 0) && !error) return undefined;
  return { seconds: seconds > 0 ? seconds : 0, ...(error ? { error } : {}) };
}
