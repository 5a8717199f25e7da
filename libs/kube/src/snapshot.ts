import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '@larry/contracts';
import { kindKey } from './builtin-kinds';
import { LogUnavailableError, UnknownKindError } from './errors';
import { walkTree } from './folder';
import { LineReader, LogTail } from './log-lines';
import type { ClusterReader, KindInfo, KindRef, ListOptions, SkippedFile, SourceInfo } from './reader';
import { RecordFile } from './record-file';
import { LineSplitter } from './records';
import { selects } from './selector';
import { indexFile, logFile, snapshotIndexSchema, type SnapshotIndex } from './snapshot-format';
import { asKubeObject } from './untrusted-object';

const maxIndexBytes = 64 * 1024 * 1024;

/**
 * Opens a folder that `writeSnapshot` wrote. Objects are read from disk as they are asked for, so memory stays flat. A kind whose file is
 * missing, or is not of the size that the index says, is unknown and named in `files().skipped`.
 * @throws Error in one sentence when the folder is no snapshot or of a later version.
 */
export async function openSnapshot(path: string): Promise<ClusterReader> {
  const index = await readIndex(path);
  const tree = await walkTree(path, 'logs');
  const snapshot = new Snapshot(path, tree.root, index, tree.files, tree.skipped);
  await snapshot.check();
  return snapshot;
}

async function readIndex(path: string): Promise<SnapshotIndex> {
  const file = join(path, indexFile);
  const size = await stat(file).catch(() => undefined);
  if (!size?.isFile()) throw new Error(`${path}: not a snapshot: it has no ${indexFile} (larry snapshot --output DIR writes one)`);
  if (size.size > maxIndexBytes) throw new Error(`${file}: larger than any index of a snapshot`);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: is not JSON (${(error as Error).message.slice(0, 100)}); take the snapshot again`);
  }
  const parsed = snapshotIndexSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not an index'}; take the snapshot again with this version of larry`);
}

class Snapshot implements ClusterReader {
  readonly source: SourceInfo;
  private readonly infos: KindInfo[] = [];
  private readonly records = new Map<string, { file: string; records: RecordFile }>();
  private readonly logFiles: ReadonlySet<string>;
  private readonly loaded: string[] = [];
  private readonly skipped: SkippedFile[];

  constructor(
    path: string,
    private readonly root: string,
    private readonly index: SnapshotIndex,
    private readonly seen: string[],
    skipped: SkippedFile[],
  ) {
    const { type: _, ...source } = index.source;
    this.source = { ...source, type: 'snapshot', name: path, takenAt: index.takenAt };
    this.logFiles = new Set(seen.filter((file) => /^logs\/[^/]+\/[^/]+\/[^/]+\.log$/.test(file)));
    this.skipped = [...skipped];
  }

  async check(): Promise<void> {
    for (const entry of this.index.kinds) {
      const { apiVersion, kind, resource, namespaced } = entry;
      this.infos.push({ apiVersion, kind, resource, namespaced, availability: await this.open(entry) });
    }
    const used = new Set([...[...this.records.values()].map(({ file }) => file), indexFile]);
    const named = new Set(this.skipped.map(({ file }) => file));
    for (const file of this.seen) {
      if (used.has(file) || this.logFiles.has(file)) this.loaded.push(file);
      else if (!named.has(file)) this.skipped.push({ file, reason: 'not a file of the snapshot' });
    }
  }

  async kinds(): Promise<KindInfo[]> {
    return this.infos;
  }

  async *list(kind: KindRef, options: ListOptions = {}): AsyncIterable<KubeObject> {
    const { records } = this.known(kind, options.namespace);
    const wanted = selects(options);
    for await (const object of records.objects(options.signal, options.namespace)) if (wanted(object)) yield object;
  }

  get: ClusterReader['get'] = async (ref) => this.known(ref, ref.namespace).records.get(ref.namespace, ref.name);

  logs: ClusterReader['logs'] = async (pod, container, options = {}) => {
    const file = logFile(pod, container, options.previous ?? false);
    if (!file || !this.logFiles.has(file)) throw new LogUnavailableError(this.whyNoLog(file));
    const tail = new LogTail(options);
    const lines = new LineReader((line, cutBytes) => tail.push(line, cutBytes));
    for await (const chunk of createReadStream(join(this.root, file), { signal: options.signal })) lines.push(chunk as Buffer);
    lines.end();
    return tail.result();
  };

  originOf(): undefined {
    return undefined;
  }

  files(): { loaded: string[]; skipped: SkippedFile[] } {
    return { loaded: this.loaded, skipped: this.skipped };
  }

  async close(): Promise<void> {
    return undefined;
  }

  private known(kind: KindRef, namespace: string | undefined): { records: RecordFile } {
    const info = this.infos.find((candidate) => kindKey(candidate) === kindKey(kind));
    if (info?.availability.state === 'unknown') throw new UnknownKindError(kind.kind, info.availability.reason);
    const held = this.records.get(kindKey(kind));
    if (!held) throw new UnknownKindError(kind.kind, 'not served when the snapshot was taken');
    const { namespaces } = this.source;
    if (namespace !== undefined && namespaces && !namespaces.includes(namespace)) {
      throw new UnknownKindError(kind.kind, `namespace ${namespace} is not in the snapshot`);
    }
    return held;
  }

  private async open(entry: SnapshotIndex['kinds'][number]): Promise<KindInfo['availability']> {
    if ('unknown' in entry) return { state: 'unknown', reason: entry.unknown };
    const { file, bytes, incomplete } = entry;
    const present = this.seen.includes(file) ? (await stat(join(this.root, file))).size : undefined;
    if (present !== bytes) {
      const reason = `${file}: ${present === undefined ? 'missing' : `damaged: ${present} bytes instead of ${bytes}`}`;
      if (present !== undefined) this.skipped.push({ file, reason });
      return { state: 'unknown', reason };
    }
    const read = (line: Buffer): KubeObject => {
      const object = parseLine(line);
      if (!object || kindKey(object) !== kindKey(entry)) throw new UnknownKindError(entry.kind, `${file}: damaged: a line is not a ${entry.kind}`);
      return object;
    };
    this.records.set(kindKey(entry), { file, records: new RecordFile(join(this.root, file), () => new LineSplitter(), read) });
    return incomplete === undefined ? { state: 'listed' } : { state: 'listed', incomplete };
  }

  private whyNoLog(file: string | undefined): string {
    const missing = this.index.logs.missing.find(({ log }) => log === file);
    return missing ? `not in the snapshot: ${missing.reason}` : 'not in the snapshot';
  }
}

function parseLine(line: Buffer): KubeObject | undefined {
  try {
    const result = asKubeObject(JSON.parse(line.toString()));
    return 'object' in result ? result.object : undefined;
  } catch {
    return undefined;
  }
}
