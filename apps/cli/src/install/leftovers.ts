import type { KubeObject, ObjectRef } from '@larry/contracts';
import { UnknownKindError, type ClusterReader, type KindRef } from '@larry/kube';
import { z } from 'zod';
import type { HelmTool } from './helm-tool';
import { releases } from './releases';
import { ourLabels } from './secrets';

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
  /** Made by `larry install`; those that were there before stay. */
  namespaces: KubeObject[];
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
  const installed = listedReleases.parse(JSON.parse(await helm.run(listEvery)));
  const made = Object.entries(ourLabels).map(([key, value]) => `${key}=${value}`).join(',');
  const unknown: string[] = [];
  const all = async (apiVersion: string, kind: string, labelSelector: string): Promise<KubeObject[]> => collected(cluster, { apiVersion, kind }, unknown, labelSelector);
  return {
    releases: installed.filter(({ chart }) => ourChart.test(chart)),
    jobs: await all('batch/v1', 'Job', 'app=larry-worker,app.kubernetes.io/part-of=larry'),
    secrets: await all('v1', 'Secret', made),
    claims: [...(await all('v1', 'PersistentVolumeClaim', 'app.kubernetes.io/part-of=larry')), ...(await all('v1', 'PersistentVolumeClaim', 'app=larry-redis,larry-instance=meta-coordinator'))],
    annotated: await annotatedObjects(cluster, unknown),
    namespaces: await all('v1', 'Namespace', made),
    unknown,
  };
}

/** The annotations of ours on an object. */
export const ourAnnotations = (object: KubeObject): string[] => Object.keys(object.metadata.annotations ?? {}).filter((key) => key.startsWith('larry.dev/'));

async function annotatedObjects(cluster: ClusterReader, unknown: string[]): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  for (const kind of await cluster.kinds()) {
    if (neverAnnotated.includes(kind.kind) || kind.kind === '*') continue;
    for (const object of await collected(cluster, kind, unknown)) {
      // What a controller made of a template goes and comes with its owner; Jobs of ours are removed whole.
      if (ourAnnotations(object).length > 0 && !object.metadata.ownerReferences?.length && object.metadata.labels?.['app.kubernetes.io/part-of'] !== 'larry') found.push(object);
    }
  }
  return found;
}

async function collected(cluster: ClusterReader, { apiVersion, kind }: KindRef, unknown: string[], labelSelector?: string): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  try {
    for await (const object of cluster.list({ apiVersion, kind }, labelSelector ? { labelSelector } : {})) {
      if (labelSelector || ourAnnotations(object).length > 0) objects.push(object);
    }
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
