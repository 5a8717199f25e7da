import { readFile, stat } from 'node:fs/promises';
import { listOf, valueIn, type KubeObject } from '@larry/contracts';
import { parse } from 'yaml';
import type { KindRef } from './reader';
import { RecordFile } from './record-file';
import { JsonSplitter, readPieces, YamlItemSplitter, type Splitter } from './records';
import { asKubeObject, isRecord } from './untrusted-object';

/** One list file of a dump, looked through once. */
export interface DumpFile extends Pick<RecordFile, 'objects' | 'get'> {
  /** The path from the dump's folder. */
  name: string;
  namespace: string | undefined;
  /** How many objects can be read. */
  count: number;
  /** What is wrong with the file; undefined when it is whole. */
  problem: string | undefined;
  /** The latest time that an event or a node condition names, ISO 8601, or an empty string. */
  latest: string;
  /** The same without what is more than a day ahead of our clock: one clock that is off does not make the time of a cluster. */
  latestCredible: string;
}

const dayMs = 24 * 60 * 60 * 1000;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** What {@link openDumpFile} opens. */
export interface DumpFilePlace {
  path: string;
  name: string;
  kind: KindRef;
  namespace: string | undefined;
}

/** Opens one file of a dump and looks through it for damage, in flat memory; `each` is shown every object on the way. `bytes` is all of it, where {@link readSmall} has it. */
export async function openDumpFile({ path, name, kind, namespace }: DumpFilePlace, bytes: Buffer | undefined, each?: (object: KubeObject) => void): Promise<DumpFile> {
  const yaml = name.endsWith('.yaml');
  const split = () => (yaml ? new YamlItemSplitter() : new JsonSplitter('items'));
  const records = new RecordFile(path, split, (record) => objectOf(() => (yaml ? parseYamlItem(record) : parseJson(record)), kind, namespace));

  let count = 0;
  let broken = 0;
  let latest = '';
  let latestCredible = '';
  const credibleUntil = new Date(Date.now() + dayMs).toISOString();
  const take = (object: KubeObject | undefined): void => {
    if (!object) {
      broken += 1;
      return;
    }
    count += 1;
    for (const at of timesOf(object)) {
      if (at > latest) latest = at;
      if (at > latestCredible && at < credibleUntil) latestCredible = at;
    }
    each?.(object);
  };
  let problem: string | undefined;
  const items = yaml || bytes === undefined ? undefined : itemsOf(bytes);
  try {
    if (items) for (const item of items) take(objectOf(() => item, kind, namespace));
    else problem = await eachRecord(path, split(), (record) => take(records.read(record)));
    problem ??= broken > 0 ? `${broken} elements are not ${kind.kind}s of this namespace` : undefined;
  } catch (error) {
    problem = `cannot be read: ${(error as Error).message}`;
  }
  return {
    name,
    namespace,
    count,
    latest,
    latestCredible,
    problem: problem !== undefined && count > 0 ? `${problem}; ${count} objects can be read` : problem,
    objects: (signal) => records.objects(signal),
    get: (ns, objectName) => records.get(ns, objectName),
  };
}

/** A file that is larger is never in memory as a whole. */
const smallBytes = 8 * 1024 * 1024;

/** All of a file that is not large; undefined for any other, and for one that cannot be read: whoever reads it then learns why. */
export async function readSmall(path: string): Promise<Buffer | undefined> {
  try {
    return (await stat(path)).size <= smallBytes ? await readFile(path) : undefined;
  } catch {
    return undefined;
  }
}

/** The elements of a list that parses as a whole, which takes half of the time that they take one by one; undefined for any other file. */
function itemsOf(bytes: Buffer): unknown[] | undefined {
  try {
    const items = valueIn(parseJson(bytes), 'items');
    return Array.isArray(items) ? (items as unknown[]).filter(isRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns what is wrong with the file as a whole. */
async function eachRecord(path: string, splitter: Splitter, take: (bytes: Buffer) => void): Promise<string | undefined> {
  for await (const piece of readPieces(path, splitter)) for (const { bytes } of piece) take(bytes);
  return splitter.problem;
}

const parseJson = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

/** The times that an event or a node's conditions name. */
function timesOf(object: KubeObject): string[] {
  if (object.kind !== 'Event' && object.kind !== 'Node') return [];
  const times = object.kind === 'Event' ? [object['lastTimestamp'], object['eventTime'], valueIn(object, 'series', 'lastObservedTime')] : listOf(valueIn(object, 'status', 'conditions')).map((c) => valueIn(c, 'lastHeartbeatTime'));
  return times.filter((at): at is string => typeof at === 'string' && time.test(at));
}

/** An element that does not parse, or whose namespace is not its folder's, is left out. */
function objectOf(parseItem: () => unknown, kind: KindRef, namespace: string | undefined): KubeObject | undefined {
  let value: unknown;
  try {
    value = parseItem();
  } catch {
    return undefined;
  }
  const result = asKubeObject(value, kind);
  return 'object' in result && result.object.metadata.namespace === namespace ? result.object : undefined;
}

function parseYamlItem(bytes: Buffer): unknown {
  const list = parse(bytes.toString(), { version: '1.1', logLevel: 'error' }) as unknown;
  return Array.isArray(list) ? (list as unknown[])[0] : undefined;
}
