import { listOf, textOf, valueIn, type KubeObject, type Owner } from '@larry/contracts';
import { controllerOf, UnknownKindError, type ClusterReader, type KindRef } from '@larry/kube';
import type { PlaybookContext } from '@larry/playbook';
import { loadExceptions } from './exceptions';
import type { ScanFacts } from './facts';
import { families } from './families';
import { chartValuesOf, type ChartValues } from './helm-values';
import type { ScanOptions } from './options';
import { Ownership } from './ownership';
import { containerLists, podKinds, templatePaths } from './pod-view';
import { inScope, scopeOf, withNamespacesSeen } from './scope';
import { Workloads } from './workloads';

const clusterKinds = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding']);
/** What rights grant is read everywhere: a role of the cluster is bound in a namespace. */
const readEverywhere = new Set(['ClusterRole', 'ClusterRoleBinding']);
const maxImages = 2000;

/** The kinds that a scan reads, owners of pods before pods. */
export const scannedKinds: readonly KindRef[] = distinctKinds([...podKinds, ...families.flatMap((f) => f.reads)]);

/** Streams every object of the group through the families and keeps what they keep. */
export async function observeScan(context: PlaybookContext<ScanOptions>): Promise<ScanFacts> {
  const { cluster, options, signal } = context;
  const scope = await scopeOf(cluster, options, signal);
  const scan = new Scan(cluster, options);
  // One list over the cluster where everything is wanted; else one a namespace, which needs no right beyond them.
  const targets = options.others ? [undefined] : scope.namespaces;
  for (const [i, kind] of scannedKinds.entries()) {
    context.progress(Math.floor((i / scannedKinds.length) * 95), `reading ${kind.kind}`);
    for (const namespace of clusterKinds.has(kind.kind) ? [undefined] : targets) {
      await scan.read(kind, namespace, signal);
    }
  }
  const exceptions = await loadExceptions(options.exceptions);
  const chartValues = await chartsOf(context, await scan.ownership.refine());
  const now = context.now().toISOString();
  return {
    at: cluster.source.takenAt ?? now,
    now,
    task: context.task,
    source: cluster.source.type,
    ...scan.result(),
    scope: withNamespacesSeen(scope, scan.namespaces),
    exceptions,
    chartValues,
  };
}

async function chartsOf(
  { cluster, options, signal }: PlaybookContext<ScanOptions>,
  releases: Extract<Owner, { kind: 'helm' }>[],
): Promise<Map<string, ChartValues>> {
  const found = new Map<string, ChartValues>();
  for (const owner of options.helmValues ? releases : []) {
    const values = await chartValuesOf(cluster, owner, signal);
    if (values) found.set(`${owner.namespace}/${owner.release}`, values);
  }
  return found;
}

function countIn(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

/** One pass over the objects of a group. */
class Scan {
  private readonly workloads = new Workloads();
  private readonly kept = new Map<string, unknown[]>(families.map((f) => [f.id, []]));
  private readonly keys = new Set<string>();
  private readonly images = new Set<string>();
  private readonly counts = new Map<string, number>();
  private readonly lasting = new Map<string, number>();
  private readonly unlisted: ScanFacts['unlisted'] = [];
  readonly namespaces = new Set<string>();
  readonly ownership: Ownership;

  constructor(
    private readonly cluster: ClusterReader,
    private readonly options: ScanOptions,
  ) {
    this.ownership = new Ownership(cluster);
  }

  async read(kind: KindRef, namespace: string | undefined, signal: AbortSignal): Promise<void> {
    try {
      for await (const object of this.cluster.list(kind, { signal, ...(namespace === undefined ? {} : { namespace }) }))
        this.see(object);
    } catch (error) {
      if (!(error instanceof UnknownKindError)) throw error;
      this.unlisted.push({ kind: kind.kind, reason: error.reason, ...(namespace === undefined ? {} : { namespace }) });
    }
    signal.throwIfAborted();
  }

  result(): Pick<ScanFacts, 'counts' | 'lasting' | 'unlisted' | 'kept' | 'podsOf' | 'images'> {
    return {
      counts: Object.fromEntries(this.counts),
      lasting: Object.fromEntries(this.lasting),
      unlisted: this.unlisted,
      kept: Object.fromEntries(this.kept),
      podsOf: this.workloads.podsOf,
      images: [...this.images].sort(),
    };
  }

  private see(object: KubeObject): void {
    const clusterScoped = clusterKinds.has(object.kind);
    // A manifest without a namespace goes where kubectl's context points; `default` is the best guess.
    const namespace = clusterScoped ? undefined : (object.metadata.namespace ?? 'default');
    const place = object.kind === 'Namespace' ? object.metadata.name : namespace;
    const ours = inScope(place, this.options);
    if (!ours && !readEverywhere.has(object.kind)) return;
    if (ours) countIn(this.counts, object.kind);
    if (ours && controllerOf(object) === undefined) countIn(this.lasting, object.kind);
    if (ours && namespace !== undefined) this.namespaces.add(namespace);
    this.give(object, namespace);
  }

  private give(object: KubeObject, namespace: string | undefined): void {
    const subject = once(() => this.ownership.subjectOf(object));
    let root: string | undefined;
    if (namespace !== undefined && podKinds.some((k) => k.kind === object.kind)) {
      const met = this.workloads.meet(object, namespace, subject);
      root = met.root;
      if (object.kind === 'Pod' || met.view) this.noteImages(object);
      if (met.view) for (const family of families) this.keep(family.id, family.inspect?.(met.view));
    }
    const seen = { namespace, subject, ...(root === undefined ? {} : { root }) };
    for (const family of families) {
      if (object.kind !== 'Pod' && !family.reads.some((k) => k.kind === object.kind)) continue;
      this.keep(family.id, family.sift?.(object, seen));
    }
  }

  private keep(family: string, record: unknown): void {
    if (record === undefined) return;
    const key = families.find((f) => f.id === family)?.keyOf?.(record);
    if (key !== undefined && this.keys.has(`${family} ${key}`)) return;
    if (key !== undefined) this.keys.add(`${family} ${key}`);
    this.kept.get(family)?.push(record);
  }

  private noteImages(object: KubeObject): void {
    if (this.images.size >= maxImages) return;
    // A template counts as well: manifests have no pods, and a workload at zero replicas has none either.
    for (const list of containerLists) {
      for (const container of listOf(valueIn(object, ...(templatePaths[object.kind] ?? []), 'spec', list))) {
        const image = textOf(valueIn(container, 'image'));
        if (image !== undefined) this.images.add(image);
      }
    }
  }
}

function distinctKinds(kinds: readonly KindRef[]): KindRef[] {
  return [
    ...new Map(kinds.map((k) => [`${k.apiVersion} ${k.kind}`, { apiVersion: k.apiVersion, kind: k.kind }])).values(),
  ];
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
