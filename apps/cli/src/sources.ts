import { openDump, openLive, openManifests, openSnapshot, type ClusterReader } from '@larry/kube';

/** The words of `sourceOptions`; at most one of the folders. */
export interface SourceOptions {
  manifests?: string;
  snapshot?: string;
  dump?: string;
  kubeconfig?: string;
  context?: string;
}

/** Opens the source that the options name; a live cluster when they name no folder. Throws one sentence when it cannot. */
export async function openSource(options: SourceOptions): Promise<ClusterReader> {
  if (options.manifests) return openManifests(options.manifests);
  if (options.snapshot) return openSnapshot(options.snapshot);
  if (options.dump) return openDump(options.dump);
  return openLive({
    ...(options.kubeconfig ? { kubeconfig: options.kubeconfig } : {}),
    ...(options.context ? { context: options.context } : {}),
  });
}
