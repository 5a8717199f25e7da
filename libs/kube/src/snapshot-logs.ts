import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { redactText, type KubeObject } from '@larry/contracts';
import { LogUnavailableError } from './errors';
import type { ClusterReader } from './reader';
import { logFile, type SnapshotIndex } from './snapshot-format';
import { isRecord } from './untrusted-object';

const limitBytes = 256 * 1024;
const tailLines = 1_000;
const maxTotalBytes = 512 * 1024 * 1024;
const maxMissingNamed = 1_000;
const parallel = 8;

interface WantedLog {
  pod: { namespace: string; name: string };
  container: string;
  previous: boolean;
  troubled: boolean;
}

/** The logs that a snapshot wants, noted while the pods go by: only names are kept, not pods. */
export class LogCollector {
  private readonly wanted: WantedLog[] = [];

  add(pod: KubeObject): void {
    const { name, namespace = '' } = pod.metadata;
    const status = isRecord(pod['status']) ? pod['status'] : {};
    for (const state of [...records(status['initContainerStatuses']), ...records(status['containerStatuses'])]) {
      const container = state['name'];
      if (typeof container !== 'string') continue;
      const restarted = typeof state['restartCount'] === 'number' && state['restartCount'] > 0;
      const neverStarted = isRecord(state['state']) && isRecord(state['state']['waiting']) && !restarted;
      const troubled = restarted || (status['phase'] !== 'Running' && status['phase'] !== 'Succeeded');
      const log = { pod: { namespace, name }, container, troubled };
      if (!neverStarted) this.wanted.push({ ...log, previous: false });
      if (restarted) this.wanted.push({ ...log, previous: true });
    }
  }

  /** Pods with trouble first, so that a full allowance costs the healthy ones. */
  inOrder(): WantedLog[] {
    return [...this.wanted].sort((a, b) => Number(b.troubled) - Number(a.troubled));
  }
}

/** Writes the logs, eight at a time. What cannot be read is named with its reason. */
export async function writeLogs(
  reader: ClusterReader,
  collected: LogCollector,
  folder: string,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void },
): Promise<SnapshotIndex['logs']> {
  const logs = collected.inOrder();
  const result: SnapshotIndex['logs'] = { files: 0, missing: [], missingCount: 0 };
  let bytes = 0;
  let next = 0;
  const miss = (log: string, reason: string): void => {
    result.missingCount += 1;
    if (result.missing.length < maxMissingNamed) result.missing.push({ log: log.slice(0, 500), reason: redactText(reason).slice(0, 500) });
  };
  const take = async ({ pod, container, previous }: WantedLog): Promise<void> => {
    const file = logFile(pod, container, previous);
    if (!file) return miss(`${pod.namespace}/${pod.name}/${container}`, 'a name that Kubernetes does not allow');
    if (bytes > maxTotalBytes) return miss(file, `the logs taken before it fill ${maxTotalBytes / 1024 / 1024} MiB`);
    try {
      const lines = await reader.logs(pod, container, { previous, tailLines, limitBytes, signal: options.signal });
      const text = lines.length === 0 ? '' : `${redactText(lines.join('\n'))}\n`;
      bytes += text.length;
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text, { mode: 0o600 });
      result.files += 1;
    } catch (error) {
      if (!(error instanceof LogUnavailableError)) throw error;
      miss(file, error.message);
    }
  };
  const worker = async (): Promise<void> => {
    for (let log = logs[next++]; log; log = logs[next++]) {
      options.signal?.throwIfAborted();
      await take(log);
      options.onProgress?.(next, logs.length);
    }
  };
  // All come to rest before the caller hears of a failure and removes the folder under them.
  const ends = await Promise.allSettled(Array.from({ length: parallel }, () => worker().finally(() => (next = logs.length))));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return result;
}

function records(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
