import { listOf, textOf, valueIn } from '@larry/contracts';
import type { Workload } from '../facts/model';
import type { Scene } from '../graph/edges';

/** PgAdmin in a workload: the container's place among `containers`, its spec, and the JSON pointer to that. */
export interface Pgadmin {
  scene: Scene;
  workload: Workload;
  index: number;
  spec: Record<string, unknown>;
  at: string;
  email?: { value: string; at?: string; configMap?: { name: string; key: string } };
}

/** The place of PgAdmin's container among `containers`, or -1: by the image `pgadmin4`, or by the variable of its entrypoint. */
export function pgadminIndex(podSpec: unknown): number {
  return listOf(valueIn(podSpec, 'containers')).findIndex(
    (container) => /(?:^|\/)pgadmin4(?:[:@]|$)/.test(textOf(valueIn(container, 'image')) ?? '') || listOf(valueIn(container, 'env')).some((entry) => valueIn(entry, 'name') === 'PGADMIN_DEFAULT_EMAIL'),
  );
}

/** Its variables, as they stand. */
export const envOf = ({ spec }: Pick<Pgadmin, 'spec'>): unknown[] => listOf(spec['env']);

/** The last variable of a name, which is the one that counts, and its place. */
export function variableOf(pgadmin: Pick<Pgadmin, 'spec'>, name: string): { entry: unknown; index: number } | undefined {
  const env = envOf(pgadmin);
  const index = env.findLastIndex((entry) => valueIn(entry, 'name') === name);
  return index < 0 ? undefined : { entry: env[index], index };
}

/** A volume that is mounted into PgAdmin's container. */
export interface Mounted {
  path: string;
  subPath?: string;
  readOnly: boolean;
  /** Absent for a claim that a StatefulSet's template makes. */
  volume?: unknown;
}

/** Everything that is mounted into its container. */
export function mountsOf({ spec, workload }: Pick<Pgadmin, 'spec' | 'workload'>): Mounted[] {
  return listOf(spec['volumeMounts']).map((mount) => {
    const volume = listOf(workload.podSpec['volumes']).find((v) => valueIn(v, 'name') === valueIn(mount, 'name'));
    const subPath = textOf(valueIn(mount, 'subPath'));
    return { path: textOf(valueIn(mount, 'mountPath')) ?? '', readOnly: valueIn(mount, 'readOnly') === true, ...(subPath === undefined ? {} : { subPath }), ...(volume === undefined ? {} : { volume }) };
  });
}

/** What is mounted at its data directory; undefined where that is the image's own. */
export const dataMountOf = (pgadmin: Pick<Pgadmin, 'spec' | 'workload'>): Mounted | undefined => mountsOf(pgadmin).find(({ path }) => /^\/var\/lib\/pgadmin\/?$/.test(path));
