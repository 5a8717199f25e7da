import type { KubeObject, ObjectRef } from '@larry/contracts';
import { UnknownKindError, type ClusterReader, type KindRef } from '@larry/kube';
import { z } from 'zod';
import type { HelmTool } from './helm-tool';
import { isForeign, isOurClaim, isOurJob, isOurNamespace, isOurRelease, isOurSecret } from './ownership';
import { releases } from './releases';

/** A Helm release of ours. */
export interface OurRelease {
  name: string;
  namespace: string;
  chart: string;
}

/** Everything of ours in a cluster, as `larry uninstall` lists it. */
export interface Leftovers {
  releases: OurRelease[];
  /** Jobs that coordinators launched: no release holds them. */
  jobs: KubeObject[];
  /** Secrets that `larry install` made. */
  secrets: KubeObject[];
  /** Audit logs, and the data of a Redis of our own: helm keeps them. */
  claims: KubeObject[];
  /** Objects of anybody's that bear an annotation of ours. */
  annotated: KubeObject[];
  /** Volumes that outlive their claim (reclaim policy Retain), by the claim's uid. */
  retained: Map<string, string>;
  /** Made by `larry install`, with nothing of anybody else's in them; those that were there before stay. */
  namespaces: KubeObject[];
  /** Made by `larry install`, and why they stay nevertheless. */
  occupied: { namespace: KubeObject; because: string }[];
  /** Releases of our charts that are not where `larry install` puts them. */
  elsewhere: OurRelease[];
  /** Kinds that could not be looked through, and why. */
  unknown: string[];
}

const listedReleases = z.array(z.object({ name: z.string(), namespace: z.string(), chart: z.string() }));
/** Releases in every state: Helm 4 has no `--all`. */
const listEvery = ['list', '--all-namespaces', '--deployed', '--failed', '--pending', '--uninstalling', '--uninstalled', '--max', '100000', '--output', 'json'];
const ourChart = new RegExp(`^(${releases.join('|')})-\\d`);

/** Kinds that no playbook writes to: what they hold is only asked of them in vain. */
const neverAnnotated = ['Event', 'Secret', 'EndpointSlice', 'Endpoints', 'Lease', 'ControllerRevision'];

/** Looks through the whole cluster. */
export async function leftovers(cluster: ClusterReader, helm: HelmTool): Promise<Leftovers> {
  const charts = listedReleases.parse(JSON.parse(await helm.run(listEvery))).filter(({ chart }) => ourChart.test(chart));
  const unknown: string[] = [];
  const inOurs = async (apiVersion: string, kind: string): Promise<KubeObject[]> => {
    const found: KubeObject[] = [];
    for (const namespace of releases) found.push(...(await collected(cluster, { apiVersion, kind }, unknown, { namespace })));
    return found;
  };
  const secrets = await inOurs('v1', 'Secret');
  const { annotated, inside } = await everyObject(cluster, unknown);
  const claims = (await inOurs('v1', 'PersistentVolumeClaim')).filter(isOurClaim);
  const made = (await collected(cluster, { apiVersion: 'v1', kind: 'Namespace' }, unknown)).filter(isOurNamespace);
  const occupied = made.map((namespace) => ({ namespace, because: reasonToStay(namespace, [...inside, ...secrets], unknown) }));
  return {
    releases: charts.filter(isOurRelease),
    jobs: (await inOurs('batch/v1', 'Job')).filter(isOurJob),
    secrets: secrets.filter(isOurSecret),
    claims,
    retained: await retainedVolumes(cluster, claims),
    annotated,
    namespaces: occupied.filter(({ because }) => because === '').map(({ namespace }) => namespace),
    occupied: occupied.filter(({ because }) => because !== ''),
    elsewhere: charts.filter((release) => !isOurRelease(release)),
    unknown: [...new Set(unknown)],
  };
}

/** With a namespace goes everything in it: so it goes only when all of that is known to be ours. */
function reasonToStay({ metadata }: KubeObject, objects: readonly KubeObject[], unknown: readonly string[]): string {
  const foreign = objects.filter((object) => object.metadata.namespace === metadata.name && isForeign(object)).map(({ kind, metadata: { name } }) => `${kind} ${name}`);
  if (foreign.length > 0) return `${foreign.slice(0, 5).join(', ')}${foreign.length > 5 ? ` and ${foreign.length - 5} more` : ''} in it ${foreign.length === 1 ? 'is' : 'are'} not ours`;
  return unknown.length > 0 ? 'not everything in it could be looked at' : '';
}

async function retainedVolumes(cluster: ClusterReader, claims: readonly KubeObject[]): Promise<Map<string, string>> {
  const retained = new Map<string, string>();
  for (const claim of claims) {
    const name = (claim['spec'] as { volumeName?: string } | undefined)?.volumeName;
    if (!name) continue;
    const volume = await cluster.get({ apiVersion: 'v1', kind: 'PersistentVolume', name }).catch((error: unknown) => {
      if (error instanceof UnknownKindError) return undefined;
      throw error;
    });
    const spec = volume?.['spec'] as { persistentVolumeReclaimPolicy?: string } | undefined;
    if (spec?.persistentVolumeReclaimPolicy === 'Retain') retained.set(claim.metadata.uid ?? '', name);
  }
  return retained;
}

/** The annotations of ours on an object. */
export const ourAnnotations = (object: KubeObject): string[] => Object.keys(object.metadata.annotations ?? {}).filter((key) => key.startsWith('larry.dev/'));

/** In one pass: whose annotations are ours, and what is in our namespaces (Secrets apart). */
async function everyObject(cluster: ClusterReader, unknown: string[]): Promise<{ annotated: KubeObject[]; inside: KubeObject[] }> {
  const annotated: KubeObject[] = [];
  const inside: KubeObject[] = [];
  for (const kind of await cluster.kinds()) {
    if (neverAnnotated.includes(kind.kind) || kind.kind === '*') continue;
    for (const object of await collected(cluster, kind, unknown, {}, (o) => ourAnnotations(o).length > 0 || isInOurs(o))) {
      if (isInOurs(object)) inside.push(object);
      // What a controller made of a template goes and comes with its owner; Jobs of ours are removed whole.
      if (ourAnnotations(object).length > 0 && !object.metadata.ownerReferences?.length && !(isInOurs(object) && object.metadata.labels?.['app.kubernetes.io/part-of'] === 'larry')) annotated.push(object);
    }
  }
  return { annotated, inside };
}

const isInOurs = ({ metadata }: KubeObject): boolean => (releases as readonly string[]).includes(metadata.namespace ?? '');

async function collected(cluster: ClusterReader, { apiVersion, kind }: KindRef, unknown: string[], options: { namespace?: string } = {}, wanted: (object: KubeObject) => boolean = () => true): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  try {
    for await (const object of cluster.list({ apiVersion, kind }, options)) if (wanted(object)) objects.push(object);
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
    unknown.push(`${kind}: ${error.reason}`);
  }
  return objects;
}

/** An object as a reference. */
export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  const { name, namespace, uid } = metadata;
  return { apiVersion, kind, name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) };
}
