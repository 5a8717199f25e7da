import { builtinKinds, type ClusterReader } from '@larry/kube';
import { memoryCluster } from '@larry/kube/testing';
import type { World } from './cluster/cluster';

/** How much of a case is shown: all; without events, which clusters forget after an hour; without logs; what kubectl's dump holds. */
export const givens = ['all', 'no-events', 'no-logs', 'dump'] as const;
export type Given = (typeof givens)[number];

const inDump = new Set(['Event', 'ReplicationController', 'Service', 'DaemonSet', 'Deployment', 'ReplicaSet', 'Pod', 'Node']);

/** A case's cluster as a source that diagnosis reads, with the part that is `given`. */
export function readerOf(name: string, world: World, given: Given = 'all'): ClusterReader {
  const dump = given === 'dump';
  const objects = world.objects.filter(({ kind }) => (given === 'no-events' ? kind !== 'Event' : !dump || inDump.has(kind)));
  const logs = given === 'no-logs' ? {} : dump ? Object.fromEntries(Object.entries(world.logs).filter(([key]) => !key.endsWith(':previous'))) : world.logs;
  const unknown = dump ? Object.fromEntries(builtinKinds.filter(({ kind }) => !inDump.has(kind)).map(({ kind }) => [kind, 'not in dump'])) : {};
  return memoryCluster(objects, { logs, unknown, source: { type: dump ? 'dump' : 'snapshot', name, takenAt: world.takenAt, serverVersion: world.serverVersion } });
}
