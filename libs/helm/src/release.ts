import { createHash } from 'node:crypto';
import { listOf, numberOf, recordOf, textOf, type JsonRecord, type KubeObject } from '@larry/contracts';
import { decodeHelmRelease, redactedReleaseAnnotation, UnknownKindError, type ClusterReader } from '@larry/kube';

/** A file of a chart, as a release keeps it: base64. */
export interface ChartFile {
  name: string;
  data: string;
}

/** A chart as a release keeps it. Subcharts are not kept (Helm 3 and 4, `chart.Chart`: `dependencies` is not stored). */
export interface StoredChart {
  metadata: JsonRecord;
  lock: JsonRecord | undefined;
  values: JsonRecord;
  /** JSON schema of the values, base64. */
  schema: string | undefined;
  templates: ChartFile[];
  files: ChartFile[];
}

/** One revision of a release. */
export interface HelmRevision {
  revision: number;
  /** `deployed`, `superseded`, `failed`, `pending-upgrade`, … */
  status: string;
  description: string;
  /** When it was begun, ISO 8601, by the clock of whoever ran Helm. */
  at: string;
  /** {@link markFor} of the change of Larry's whose chart it has: one that he made, or a rollback to one. */
  mark?: string;
}

/** The newest revision of a release, with what it renders and from what. */
export interface HelmRelease extends HelmRevision {
  name: string;
  namespace: string;
  chart: StoredChart;
  /** The user's values. */
  config: JsonRecord;
  manifest: string;
  driver: 'secret' | 'configmap';
  /** Every revision that is kept, oldest first, this one among them. */
  history: HelmRevision[];
}

/** What the read interface tells of a release. */
export type ReleaseReading = { release: HelmRelease } | { unreadable: string };

/** The template that Larry adds to a chart for one upgrade: renders nothing, and fails at any other revision. */
export const guardTemplate = 'templates/larry-change-guard.txt';

/** How a change is named in the guard template. */
export function markFor(changeId: string): string {
  return createHash('sha256').update(changeId).digest('hex');
}

const markPattern = /larry\.dev\/change ([0-9a-f]{64})/;
/** Helm's own rule for names of releases (`chartutil.ValidateReleaseName`), and Kubernetes' for namespaces. */
const namePattern = /^[a-z0-9]([-a-z0-9.]{0,51}[a-z0-9])?$/;
const namespacePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Reads a release from where Helm keeps it: Secrets, or ConfigMaps where there are no such Secrets. Untrusted data.
 * `unreadable` says in one sentence why the source cannot tell, a right that is missing among the reasons. `target`: where its objects go,
 * if not to where its records are (a HelmRelease of Flux).
 */
export async function readRelease(cluster: ClusterReader, namespace: string, name: string, signal?: AbortSignal, target = namespace): Promise<ReleaseReading> {
  if (!namePattern.test(name) || ![namespace, target].every((n) => namespacePattern.test(n))) return { unreadable: 'the name of the release is none that Helm would give' };
  const reasons: string[] = [];
  for (const kind of ['Secret', 'ConfigMap'] as const) {
    const records = await recordsOf(cluster, kind, namespace, name, signal);
    if ('unreadable' in records) reasons.push(records.unreadable);
    else if (records.objects.length > 0) return releaseOf(records.objects, kind === 'Secret' ? 'secret' : 'configmap', target, name);
  }
  return { unreadable: reasons[0] ?? `no record of the release ${namespace}/${name} is kept in the cluster` };
}

async function recordsOf(cluster: ClusterReader, kind: string, namespace: string, name: string, signal?: AbortSignal): Promise<{ objects: KubeObject[] } | { unreadable: string }> {
  const objects: KubeObject[] = [];
  try {
    for await (const object of cluster.list({ apiVersion: 'v1', kind }, { namespace, labelSelector: `owner=helm,name=${name}`, ...(signal ? { signal } : {}) })) objects.push(object);
    return { objects };
  } catch (error) {
    if (error instanceof UnknownKindError) return { unreadable: `${kind === 'Secret' ? 'Secrets, in which Helm keeps its releases,' : 'ConfigMaps'} of the namespace ${namespace} cannot be read: ${error.message}` };
    throw error;
  }
}

function releaseOf(objects: KubeObject[], driver: HelmRelease['driver'], namespace: string, name: string): ReleaseReading {
  if (objects.some((o) => o.metadata.annotations?.[redactedReleaseAnnotation])) return { unreadable: `the ${driver === 'secret' ? 'Secrets' : 'ConfigMaps'} of the release are kept here without values and templates` };
  const decoded = objects.map(decodeHelmRelease);
  const unread = decoded.filter((d) => d === undefined).length;
  const revisions = decoded.flatMap((d) => (d ? [{ record: d, ...revisionOf(d) }] : [])).sort((a, b) => a.revision - b.revision);
  const newest = revisions.at(-1);
  if (!newest || unread > 0) return { unreadable: `${unread} of the ${objects.length} records of the release ${namespace}/${name} cannot be decoded` };
  const { record, ...revision } = newest;
  return {
    release: {
      ...revision,
      name,
      namespace,
      chart: chartOf(recordOf(record['chart'])),
      config: recordOf(record['config']),
      manifest: textOf(record['manifest']) ?? '',
      driver,
      history: revisions.map(({ record: _, ...r }) => r),
    },
  };
}

function revisionOf(record: JsonRecord): HelmRevision {
  const info = recordOf(record['info']);
  const mark = filesOf(recordOf(record['chart'])['templates']).find((t) => t.name === guardTemplate);
  const marked = mark && markPattern.exec(Buffer.from(mark.data, 'base64').toString())?.[1];
  return {
    revision: numberOf(record['version']) ?? 0,
    status: textOf(info['status']) ?? 'unknown',
    description: textOf(info['description']) ?? '',
    at: textOf(info['last_deployed']) ?? '',
    ...(marked ? { mark: marked } : {}),
  };
}

function chartOf(chart: JsonRecord): StoredChart {
  return {
    metadata: recordOf(chart['metadata']),
    lock: typeof chart['lock'] === 'object' && chart['lock'] !== null ? recordOf(chart['lock']) : undefined,
    values: recordOf(chart['values']),
    schema: textOf(chart['schema']),
    templates: filesOf(chart['templates']).filter((t) => t.name !== guardTemplate),
    files: filesOf(chart['files']),
  };
}

function filesOf(list: unknown): ChartFile[] {
  return listOf(list).flatMap((entry) => {
    const { name, data } = recordOf(entry);
    return typeof name === 'string' && (typeof data === 'string' || data === null) ? [{ name, data: data ?? '' }] : [];
  });
}
