import { printable, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { UnknownKindError, type KindRef } from '@larry/kube';
import type { PlaybookContext } from '@larry/playbook';
import { recordFacts, type RecordFacts } from './record';

/** A release known only by the marks that Helm leaves on its objects. */
export interface MarkedRelease {
  namespace: string;
  name: string;
  /** From the label `helm.sh/chart`, without its version. */
  chart?: string;
}

/** What `catalog-helm-releases` saw. */
export interface HelmFacts {
  at: string;
  source: 'live' | 'snapshot' | 'dump' | 'manifests';
  records: RecordFacts[];
  /** A second listing of a live cluster; ids with status and digest. */
  again?: RecordId[];
  /** Why Helm's records could not be read: Secrets are closed, or the source holds none. */
  closed?: string;
  marked: MarkedRelease[];
  /** How many kinds could be looked through: for records, and where these are closed for marks. */
  kindsRead: number;
  unknowns: { subject: string; reason: string }[];
}

export type RecordId = Pick<RecordFacts, 'id' | 'digest'> & { status: string };

const storages: KindRef[] = [
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
];
const markedKinds: KindRef[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'batch/v1', kind: 'CronJob' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
];

/** Reads Helm's own records, one at a time; where Secrets are closed, the marks on the objects that Helm made. */
export async function observe(context: PlaybookContext): Promise<HelmFacts> {
  const { cluster } = context;
  const at = cluster.source.takenAt ?? context.now().toISOString();
  const facts: HelmFacts = { at, source: cluster.source.type, records: [], marked: [], kindsRead: 0, unknowns: [] };
  context.progress(5, "reading Helm's records");
  for (const kind of storages) {
    const reason = await eachRecord(context, kind, (object) => facts.records.push(recordFacts(object)));
    if (reason === undefined) {
      facts.kindsRead += 1;
      continue;
    }
    facts.unknowns.push({ subject: `Helm's records in ${kind.kind}s`, reason });
    if (kind.kind === 'Secret') facts.closed = reason;
  }
  if (facts.closed === undefined && facts.source === 'manifests' && facts.records.length === 0) {
    // Files say what is to be installed: that there are no records among them says nothing about releases.
    facts.closed = "Helm's storage is not part of this source";
    facts.unknowns.push({ subject: 'Helm releases', reason: facts.closed });
  }
  if (facts.closed !== undefined) facts.marked = await markedReleases(context, facts);
  if (facts.source === 'live' && facts.closed === undefined) {
    const again = await recordIds(context);
    if (Array.isArray(again)) facts.again = again;
  }
  return facts;
}

/** Ids, states and digests of all records as they are now, or why they cannot be read. */
export async function recordIds(context: PlaybookContext): Promise<RecordId[] | { closed: string }> {
  const ids: RecordId[] = [];
  for (const kind of storages) {
    const closed = await eachRecord(context, kind, (object) => {
      const { id, labelStatus, digest } = recordFacts(object);
      ids.push({ id, status: labelStatus, digest });
    });
    if (closed !== undefined && kind.kind === 'Secret') return { closed };
  }
  return ids;
}

/** Returns why the kind cannot be read, or undefined. */
async function eachRecord(context: PlaybookContext, kind: KindRef, take: (object: KubeObject) => void): Promise<string | undefined> {
  try {
    for await (const object of context.cluster.list(kind, { labelSelector: 'owner=helm', signal: context.signal })) {
      if (isRecord(object)) take(object);
    }
    return undefined;
  } catch (error) {
    if (error instanceof UnknownKindError) return error.reason;
    throw error;
  }
}

/** Also one whose content is missing: it is a record all the same, and named as corrupt. */
function isRecord(object: KubeObject): boolean {
  return object['type'] === 'helm.sh/release.v1' || object.metadata.name.startsWith('sh.helm.release.v1.');
}

async function markedReleases(context: PlaybookContext, facts: HelmFacts): Promise<MarkedRelease[]> {
  const found = new Map<string, MarkedRelease>();
  for (const kind of markedKinds) {
    context.signal.throwIfAborted();
    try {
      for await (const object of context.cluster.list(kind, { signal: context.signal })) {
        const marked = markOf(object);
        if (!marked) continue;
        const id = `${marked.namespace}/${marked.name}`;
        found.set(id, { ...marked, ...found.get(id) });
      }
      facts.kindsRead += 1;
    } catch (error) {
      if (!(error instanceof UnknownKindError)) throw error;
      facts.unknowns.push({ subject: `marks of Helm on ${kind.kind} objects`, reason: error.reason });
    }
  }
  return [...found.values()];
}

/** Helm marks every object of a release with its name and namespace; charts usually label it with chart and version. */
function markOf(object: KubeObject): MarkedRelease | undefined {
  const name = textOf(valueIn(object, 'metadata', 'annotations', 'meta.helm.sh/release-name'));
  const namespace = textOf(valueIn(object, 'metadata', 'annotations', 'meta.helm.sh/release-namespace'));
  if (name === undefined || namespace === undefined) return undefined;
  const chart = /^(.+?)-v?\d+\.\d/.exec(textOf(valueIn(object, 'metadata', 'labels', 'helm.sh/chart')) ?? '')?.[1];
  return { namespace: printable(namespace, 260), name: printable(name, 260), ...(chart ? { chart: printable(chart, 200) } : {}) };
}
