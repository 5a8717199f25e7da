import { openDump, openLive, openManifests, openSnapshot, type ClusterReader } from '@larry/kube';
import type { ServiceEnvironment } from './config';

/** Opens what `LARRY_SOURCE` names. */
export async function openConfiguredSource(env: Pick<ServiceEnvironment, 'LARRY_SOURCE' | 'LARRY_KUBECONFIG' | 'LARRY_CONTEXT'>): Promise<ClusterReader> {
  const [type = 'live', ...rest] = env.LARRY_SOURCE.split(':');
  const folder = rest.join(':');
  if (type === 'manifests') return openManifests(folder);
  if (type === 'snapshot') return openSnapshot(folder);
  if (type === 'dump') return openDump(folder);
  return openLive({
    ...(env.LARRY_KUBECONFIG ? { kubeconfig: env.LARRY_KUBECONFIG } : {}),
    ...(env.LARRY_CONTEXT ? { context: env.LARRY_CONTEXT } : {}),
  });
}
