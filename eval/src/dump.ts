import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { KubeObject } from '@larry/contracts';
import type { World } from './cluster/cluster';

/** The files of a namespace in `kubectl cluster-info dump --output-directory` (kubectl 1.35, `cmd/clusterinfo/clusterinfo_dump.go`). */
const files: Record<string, string> = { Event: 'events', ReplicationController: 'replication-controllers', Service: 'services', DaemonSet: 'daemonsets', Deployment: 'deployments', ReplicaSet: 'replicasets', Pod: 'pods' };

/** Writes a world as kubectl's dump: fewer kinds than a snapshot, and the logs of now alone. */
export function writeDump(world: Pick<World, 'objects' | 'logs'>, folder: string): void {
  const list = (objects: KubeObject[]) => JSON.stringify({ kind: 'List', apiVersion: 'v1', items: objects }, null, 1);
  const byNamespace = groupBy(world.objects, ({ metadata }) => metadata.namespace ?? '');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'nodes.json'), list(world.objects.filter(({ kind }) => kind === 'Node')));
  for (const [namespace, objects] of byNamespace) {
    if (namespace === '') continue;
    mkdirSync(path.join(folder, namespace), { recursive: true });
    const byKind = groupBy(objects, ({ kind }) => kind);
    for (const [kind, name] of Object.entries(files)) writeFileSync(path.join(folder, namespace, `${name}.json`), list(byKind.get(kind) ?? []));
  }
  writeLogs(world.logs, folder);
}

function writeLogs(logs: World['logs'], folder: string): void {
  const now = Object.entries(logs).filter(([key]) => !key.endsWith(':previous'));
  const byPod = groupBy(now, ([key]) => key.slice(0, key.lastIndexOf('/')));
  for (const [pod, entries] of byPod) {
    const text = entries.map(([key, lines]) => {
      const mark = (word: string) => `==== ${word} logs for container ${key.slice(key.lastIndexOf('/') + 1)} of pod ${pod} ====`;
      return `${mark('START')}\n${lines.map((line) => `${line}\n`).join('')}${mark('END')}\n`;
    });
    mkdirSync(path.join(folder, pod), { recursive: true });
    writeFileSync(path.join(folder, pod, 'logs.txt'), text.join(''));
  }
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}
