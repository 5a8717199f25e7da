import type { KubeObject } from '@larry/contracts';
import { aiAgents, applicationReleases, ingressParts, n8n, redisHa, storage } from './applications';
import { database, databaseReleases } from './database';
import { withFieldOwner } from './field-owners';
import { releaseSecrets } from './helm-release';
import { k3sParts, k3sReleases } from './k3s';
import { larryParts, namespaces } from './larry';
import { monitoring, monitoringReleases } from './monitoring';
import { nodes } from './nodes';

const dayMs = 86_400_000;

/**
 * The cluster "Larry & the Darryls" as it was before controllers, scheduler and kubelets have looked at it:
 * three masters, four workers, the quick start's namespaces, a PgAdmin that will crash-loop on its e-mail
 * address, three PostgreSQL instances, Helm releases readable by the real helm, and faults for a scanner to
 * find. `kube-system/larry-simulation` and the node label `larry.dev/simulated` say that it is none.
 * Objects carry creation times up to 120 days before `now`.
 */
export function builtinCluster(now = new Date()): KubeObject[] {
  const releases = [...k3sReleases(), ...databaseReleases(), ...monitoringReleases(), ...applicationReleases()];
  const objects = [
    ...namespaces(),
    ...nodes(),
    ...k3sParts(),
    ...database(now),
    ...monitoring(),
    ...n8n(),
    ...aiAgents(),
    ...redisHa(),
    ...ingressParts(),
    ...storage(),
    ...larryParts(),
    ...releases.flatMap((release) => releaseSecrets(release, now)),
  ];
  return objects.map((object, i) => withFieldOwner(aged(object, now.getTime() - 120 * dayMs + i * 97_000)));
}

function aged(object: KubeObject, created: number): KubeObject {
  const creationTimestamp = `${new Date(created).toISOString().slice(0, 19)}Z`;
  return { ...object, metadata: { creationTimestamp, ...object.metadata } };
}
