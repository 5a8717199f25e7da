import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '@larry/contracts';
import { builtinKinds, kindKey } from './builtin-kinds';
import { readDumpLog } from './dump-logs';
import { openDumpFile, readSmall, type DumpFile } from './dump-file';
import { LogUnavailableError, UnknownKindError } from './errors';
import { walkTree, type Tree } from './folder';
import type { ClusterReader, KindInfo, KindRef, ListOptions, SkippedFile, SourceInfo } from './reader';
import { selects } from './selector';
import { isSimulatedNode } from './simulated';

const notInDump = 'not in dump';

/** The files that `kubectl cluster-info dump` writes for each namespace (kubectl 1.35, `cmd/clusterinfo/clusterinfo_dump.go`). */
const namespacedFiles: Record<string, KindRef> = {
  events: { apiVersion: 'v1', kind: 'Event' },
  'replication-controllers': { apiVersion: 'v1', kind: 'ReplicationController' },
  services: { apiVersion: 'v1', kind: 'Service' },
  daemonsets: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  deployments: { apiVersion: 'apps/v1', kind: 'Deployment' },
  replicasets: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  pods: { apiVersion: 'v1', kind: 'Pod' },
};
const node: KindRef = { apiVersion: 'v1', kind: 'Node' };

/**
 * Opens the folder of `kubectl cluster-info dump --output-directory DIR` (JSON or YAML).
 *
 * Such a dump holds Nodes and, for some namespaces (by default the current one and `kube-system`), Pods, Services, Deployments,
 * DaemonSets, ReplicaSets, ReplicationControllers and Events with the current logs. Every other kind is unknown
 * (`not in dump`), and so is every namespace that is not in `source.namespaces`. A file that was cut off gives the objects before the cut,
 * stands in `files().skipped`, makes its kind `incomplete`, and its kind in its namespace unknown.
 * `takenAt` is the latest time in events and node conditions (without those that are ahead of our clock, unless all are), else that of the newest file.
 * `each` is shown every object while the files are looked through, in the order of the files: who wants all of them need not list them again.
 * @throws Error in one sentence when the folder is not such a dump.
 */
export async function openDump(path: string, each?: (object: KubeObject) => void): Promise<ClusterReader> {
  const tree = await walkTree(path, 'logs');
  const dump = new Dump(path, tree);
  await dump.scan(each);
  return dump;
}

class Dump implements ClusterReader {
  readonly source: SourceInfo;
  private readonly byKind = new Map<string, DumpFile[]>();
  private readonly namespaces: string[];
  private readonly logFiles: ReadonlySet<string>;
  private readonly loaded: string[] = [];
  private readonly skipped: SkippedFile[];

  constructor(
    path: string,
    private readonly tree: Tree,
  ) {
    const known = tree.files.map((file) => ({ file, ...placeOf(file) }));
    this.namespaces = [...new Set(known.flatMap(({ namespace }) => namespace ?? []))].sort();
    if (!known.some(({ kind }) => kind)) {
      throw new Error(`${path}: not a folder of kubectl cluster-info dump --output-directory: it has no nodes.json and no <namespace>/pods.json`);
    }
    this.logFiles = new Set(known.filter(({ log }) => log).map(({ file }) => file));
    this.source = { type: 'dump', name: path, simulated: false, namespaces: this.namespaces };
    this.skipped = [...tree.skipped, ...known.filter(({ kind, log }) => !kind && !log).map(({ file }) => ({ file, reason: 'not a file of kubectl cluster-info dump' }))];
    this.loaded.push(...this.logFiles);
  }

  /** Looks through every file once: for damage, for the time of the dump and for the mark of a simulation. */
  async scan(each?: (object: KubeObject) => void): Promise<void> {
    let latest = '';
    let latestCredible = '';
    const places = this.tree.files.flatMap((name) => {
      const { kind, namespace } = placeOf(name);
      return kind ? [{ path: join(this.tree.root, name), name, kind, namespace }] : [];
    });
    let ahead = places[0] && readSmall(places[0].path);
    for (const [index, place] of places.entries()) {
      const { kind } = place;
      const bytes = await ahead;
      // The next is read while this one is looked through.
      const next = places[index + 1];
      ahead = next && readSmall(next.path);
      const opened = await openDumpFile(place, bytes, each);
      this.byKind.set(kindKey(kind), [...(this.byKind.get(kindKey(kind)) ?? []), opened]);
      this.note(opened);
      if (opened.latest > latest) latest = opened.latest;
      if (opened.latestCredible > latestCredible) latestCredible = opened.latestCredible;
    }
    this.source.takenAt = latestCredible || latest || new Date(await this.newestFile()).toISOString();
    for (const file of this.byKind.get(kindKey(node)) ?? []) {
      for await (const object of file.objects()) if (isSimulatedNode(object)) this.source.simulated = true;
    }
  }

  /** In milliseconds since 1970. */
  private async newestFile(): Promise<number> {
    let newest = 0;
    for (const file of this.tree.files) newest = Math.max(newest, (await stat(join(this.tree.root, file))).mtimeMs);
    return newest;
  }

  async kinds(): Promise<KindInfo[]> {
    return builtinKinds.map(({ runtime: _, ...kind }) => ({ ...kind, availability: this.availability(kind) }));
  }

  async *list(kind: KindRef, options: ListOptions = {}): AsyncIterable<KubeObject> {
    const availability = this.availability(kind, options.namespace);
    if (availability.state === 'unknown') throw new UnknownKindError(kind.kind, availability.reason);
    const wanted = selects(options);
    for (const file of this.byKind.get(kindKey(kind)) ?? []) {
      if (options.namespace !== undefined && file.namespace !== options.namespace) continue;
      for await (const object of file.objects(options.signal)) if (wanted(object)) yield object;
    }
  }

  get: ClusterReader['get'] = async (ref) => {
    const file = this.byKind.get(kindKey(ref))?.find(({ namespace }) => namespace === ref.namespace);
    const found = await file?.get(ref.namespace, ref.name);
    if (found) return found;
    const availability = this.availability(ref, ref.namespace);
    if (availability.state === 'unknown') throw new UnknownKindError(ref.kind, availability.reason);
    return undefined;
  };

  logs: ClusterReader['logs'] = async (pod, container, options = {}) => {
    const file = `${pod.namespace}/${pod.name}/logs.txt`;
    if (options.previous) throw new LogUnavailableError('a dump has no previous logs');
    if (!this.logFiles.has(file)) throw new LogUnavailableError(`the dump has no ${file}`);
    return readDumpLog(join(this.tree.root, file), pod, container, options);
  };

  originOf(): undefined {
    return undefined;
  }

  files(): { loaded: string[]; skipped: SkippedFile[] } {
    return { loaded: this.loaded, skipped: this.skipped };
  }

  async close(): Promise<void> {
    return undefined;
  }

  private note({ name, problem, count }: DumpFile): void {
    if (problem === undefined || count > 0) this.loaded.push(name);
    if (problem !== undefined) this.skipped.push({ file: name, reason: problem, ...(count > 0 ? { partial: true as const } : {}) });
  }

  private availability(kind: KindRef, namespace?: string): KindInfo['availability'] {
    const files = this.byKind.get(kindKey(kind)) ?? [];
    const unknown = (reason: string) => ({ state: 'unknown', reason }) as const;
    if (files.length === 0) return unknown(notInDump);
    if (namespace !== undefined) {
      const file = files.find((candidate) => candidate.namespace === namespace);
      if (!file) return unknown(`namespace ${namespace} is ${notInDump}`);
      return file.problem === undefined ? { state: 'listed' } : unknown(`${file.name}: ${file.problem}`);
    }
    const damaged = files.filter(({ problem }) => problem !== undefined).map(({ name, problem }) => `${name}: ${problem}`);
    const missing = files[0]?.namespace === undefined ? [] : this.namespaces.filter((ns) => !files.some((file) => file.namespace === ns));
    const incomplete = [...damaged, ...missing.map((ns) => `not in dump for namespace ${ns}`)].join('; ');
    if (files.every(({ problem, count }) => problem !== undefined && count === 0)) return unknown(incomplete);
    return incomplete === '' ? { state: 'listed' } : { state: 'listed', incomplete };
  }
}

/** What a file of the dump is by its path; the root holds nodes, each folder a namespace. */
function placeOf(file: string): { kind?: KindRef; namespace?: string; log?: boolean } {
  const [folder = '', name, ...rest] = file.split('/');
  if (name === undefined) return /^nodes\.(json|yaml)$/.test(folder) ? { kind: node } : {};
  if (rest.length === 1 && rest[0] === 'logs.txt') return { namespace: folder, log: true };
  const base = /^([a-z-]+)\.(?:json|yaml)$/.exec(name)?.[1] ?? '';
  const kind = rest.length === 0 && Object.hasOwn(namespacedFiles, base) ? namespacedFiles[base] : undefined;
  return kind ? { kind, namespace: folder } : {};
}
