import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LogUnavailableError, UnknownKindError } from './errors';
import { NdjsonFile } from './ndjson-file';
import type { ClusterReader, KindInfo } from './reader';
import { indexFile, kindFile, type SnapshotIndex } from './snapshot-format';
import { LogCollector, writeLogs } from './snapshot-logs';
import { withoutSecrets } from './snapshot-object';

/** How far a snapshot is. `objects` counts all written so far. */
export interface SnapshotProgress {
  step: 'objects' | 'logs';
  /** Kinds, or logs, done and to do. */
  done: number;
  total: number;
  /** The kind being written. */
  kind?: string;
  objects: number;
}

export interface SnapshotOptions {
  onProgress?: (progress: SnapshotProgress) => void;
  signal?: AbortSignal;
  /** The time of the facts for a live source; now by default. */
  now?: () => Date;
}

/**
 * Writes everything that a source can tell into a folder that `openSnapshot` reads: every listable kind as NDJSON, and logs, current
 * and of the container before a restart, each at most 256 KiB, 512 MiB in all, pods with trouble first.
 *
 * Values of Secrets are dropped and their keys kept; literals that hold secrets are redacted everywhere, logs too. Helm's release
 * records are written anew with chart, version, status and redacted values, so that releases can still be read.
 * The folder appears whole or not at all; an earlier snapshot in its place is replaced.
 * @throws Error in one sentence: the folder holds something else, the disk is full, the source failed.
 */
export async function writeSnapshot(reader: ClusterReader, dir: string, options: SnapshotOptions = {}): Promise<SnapshotIndex> {
  const target = resolve(dir);
  await refuseForeignFolder(target, dir);
  await mkdir(dirname(target), { recursive: true });
  const partial = await mkdtemp(join(dirname(target), `.${basename(target)}.partial-`));
  try {
    const index = await new SnapshotWriter(reader, partial, options).write();
    await putInPlace(partial, target);
    return index;
  } catch (error) {
    throw asSentence(error, dir);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

class SnapshotWriter {
  private objects = 0;
  private readonly logs = new LogCollector();

  constructor(
    private readonly reader: ClusterReader,
    private readonly folder: string,
    private readonly options: SnapshotOptions,
  ) {}

  async write(): Promise<SnapshotIndex> {
    const { reader, options } = this;
    const takenAt = reader.source.takenAt ?? (options.now?.() ?? new Date()).toISOString();
    await mkdir(join(this.folder, 'objects'));
    const kinds = await reader.kinds();
    const taken = new Set<string>();
    const entries: SnapshotIndex['kinds'] = [];
    for (const [done, kind] of kinds.entries()) {
      options.onProgress?.({ step: 'objects', done, total: kinds.length, kind: kind.kind, objects: this.objects });
      entries.push(await this.writeKind(kind, taken));
    }
    const logs = await writeLogs(reader, this.logs, this.folder, {
      signal: options.signal,
      onProgress: (done, total) => options.onProgress?.({ step: 'logs', done, total, objects: this.objects }),
    });
    const { takenAt: _, ...source } = reader.source;
    const index: SnapshotIndex = { version: 1, takenAt, source, kinds: entries, logs };
    await writeFile(join(this.folder, indexFile), `${JSON.stringify(index, null, 2)}\n`, { mode: 0o600 });
    return index;
  }

  private async writeKind(info: KindInfo, taken: Set<string>): Promise<SnapshotIndex['kinds'][number]> {
    const { apiVersion, kind, resource, namespaced, availability } = info;
    const base = { apiVersion, kind, resource, namespaced };
    if (availability.state === 'unknown') return { ...base, unknown: availability.reason };
    const file = kindFile(info, taken);
    const out = await NdjsonFile.create(join(this.folder, file));
    try {
      for await (const object of this.reader.list(info, { signal: this.options.signal })) {
        await out.write(JSON.stringify(withoutSecrets(object)));
        this.objects += 1;
        if (kind === 'Pod' && apiVersion === 'v1') this.logs.add(object);
      }
    } catch (error) {
      if (!(error instanceof UnknownKindError)) throw error;
      this.objects -= out.count;
      await out.close();
      await rm(join(this.folder, file));
      return { ...base, unknown: error.reason };
    } finally {
      await out.close();
    }
    const { incomplete } = availability;
    return { ...base, file, count: out.count, bytes: out.bytes, ...(incomplete === undefined ? {} : { incomplete }) };
  }
}

async function refuseForeignFolder(target: string, dir: string): Promise<void> {
  const entries = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    throw new Error(`${dir}: not a folder that can be written (${error.code ?? error.message}); give another --output`);
  });
  if (entries.length > 0 && !entries.includes(indexFile)) {
    throw new Error(`${dir}: the folder is not empty and not a snapshot; give an empty or new one`);
  }
}

/** The old snapshot goes only once the new one stands whole beside it. */
async function putInPlace(partial: string, target: string): Promise<void> {
  const old = `${partial}.old`;
  const hadOld = await rename(target, old).then(
    () => true,
    () => false,
  );
  try {
    await rename(partial, target);
  } catch (error) {
    if (hadOld) await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

function asSentence(error: unknown, dir: string): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new Error(`${dir}: the disk is full; no snapshot was written`, { cause: error });
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return new Error(`${dir}: cannot be written (${code}); give another --output`, { cause: error });
  if (error instanceof LogUnavailableError) return new Error(`${dir}: no snapshot was written: ${message}`, { cause: error });
  return error as Error;
}
