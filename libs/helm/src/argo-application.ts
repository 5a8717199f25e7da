import { describeRef, listOf, printable, recordOf, refOf, textOf, type KubeObject, type Owner, type Remedy } from '@larry/contracts';
import { UnknownKindError, type ClusterReader } from '@larry/kube';
import { withoutWanted, withReason } from './declared-remedy';

/**
 * Argo CD renders charts itself and keeps no release (Argo CD, *Helm*: "only used to inflate charts"), so that there is nothing to try values
 * with: the remedy says where they stand. What an application takes from plain manifests stays as it is.
 */
export async function argoRemedy(cluster: Pick<ClusterReader, 'kinds' | 'list'>, { application }: Extract<Owner, { kind: 'argocd' }>, remedy: Remedy, signal?: AbortSignal): Promise<Remedy> {
  const found = await applicationOf(cluster, application, signal);
  const source = found && sourcesOf(found).find(({ chart, helm }) => chart !== undefined || helm !== undefined);
  if (!found || !source) return remedy;
  const chart = textOf(source['chart']) ?? textOf(source['path']);
  const why = `a chart${chart ? ` (${printable(chart, 100)})` : ''} renders it, by the values of ${describeRef(refOf(found))} (${placesOf(recordOf(source['helm'])).join(', ')}); which of them was not tried: Argo CD keeps no release`;
  return withReason(withoutWanted(remedy), why);
}

/** By the name alone, as that is all that an object says of it; two of one name say nothing. */
async function applicationOf(cluster: Pick<ClusterReader, 'kinds' | 'list'>, name: string, signal?: AbortSignal): Promise<KubeObject | undefined> {
  const kind = (await cluster.kinds()).find((k) => k.kind === 'Application' && k.apiVersion.startsWith('argoproj.io/'));
  if (!kind) return undefined;
  const found: KubeObject[] = [];
  try {
    for await (const object of cluster.list(kind, { fieldSelector: `metadata.name=${name}`, ...(signal ? { signal } : {}) })) found.push(object);
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
  }
  return found.length === 1 ? found[0] : undefined;
}

function sourcesOf(application: KubeObject): Record<string, unknown>[] {
  const { source, sources } = recordOf(application['spec']);
  return [...(source === undefined ? [] : [source]), ...listOf(sources)].map(recordOf);
}

/** Those that are there, the first over the next (Argo CD, *Helm*: order of precedence). */
function placesOf(helm: Record<string, unknown>): string[] {
  const places = ['parameters', 'valuesObject', 'values', 'valueFiles'].filter((field) => helm[field] !== undefined);
  return places.length > 0 ? places.map((field) => `helm.${field}`) : ['the chart\'s own values'];
}
