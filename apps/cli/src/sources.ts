import { openDump, openLive, openManifests, openSnapshot, type ClusterReader } from '@larry/kube';
import { UserError } from './user-error';

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
  if (options.manifests) return opened(openManifests(options.manifests));
  if (options.snapshot) return opened(openSnapshot(options.snapshot));
  if (options.dump) return opened(openDump(options.dump));
  return openLive({
    ...(options.kubeconfig ? { kubeconfig: options.kubeconfig } : {}),
    ...(options.context ? { context: options.context } : {}),
  });
}

/** A folder that cannot be opened is the user's to mend: the sentence says which and why. */
async function opened(source: Promise<ClusterReader>): Promise<ClusterReader> {
  try {
    return await source;
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}
