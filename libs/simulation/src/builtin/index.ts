import type { KubeObject } from '@larry/contracts';
import { k3sParts, k3sReleases } from './k3s';
import { nodes } from './nodes';
import { releaseSecrets } from './helm-release';
export function builtinCluster(now = new Date()): KubeObject[] {
  return [...nodes(), ...k3sParts(), ...k3sReleases().flatMap((r) => releaseSecrets(r, now))];
}
