import { customColumns } from './columns-custom';
import { CLUSTER_COLUMNS } from './columns-cluster';
import { POD_COLUMNS } from './columns-pods';
import type { Column } from './columns-shared';
import { AGE, CREATED, NAME } from './columns-shared';
import { WORKLOAD_COLUMNS } from './columns-workloads';
import type { Kind } from './kinds';

const BUILT_IN: Record<string, Column[]> = { ...POD_COLUMNS, ...WORKLOAD_COLUMNS, ...CLUSTER_COLUMNS };
const FALLBACK = [NAME, CREATED];

/** The columns of `kubectl get` for a kind: as the real server prints them where recorded, its own for custom resources. */
export function columnsOf(kind: Kind): Column[] {
  if (kind.custom) return customColumns(kind.custom);
  if (kind.loaded) return [NAME, AGE];
  return BUILT_IN[`${kind.group}/${kind.plural}`] ?? FALLBACK;
}
