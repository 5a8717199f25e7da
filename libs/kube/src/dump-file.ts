import { listOf, valueIn, type KubeObject } from '@larry/contracts';
import { parse } from 'yaml';
import type { KindRef } from './reader';
import { RecordFile } from './record-file';
import { JsonSplitter, readPieces, YamlItemSplitter } from './records';
import { asKubeObject } from './untrusted-object';

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
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** Opens one file of a dump and looks through it for damage, in flat memory; `each` is shown every object on the way. */
export async function openDumpFile(path: string, name: string, kind: KindRef, namespace: string | undefined, each?: (object: KubeObject) => void): Promise<DumpFile> {
  const yaml = name.endsWith('.yaml');
  const split = () => (yaml ? new YamlItemSplitter() : new JsonSplitter('items'));
  const parseItem = (bytes: Buffer) => (yaml ? parseYamlItem(bytes) : JSON.parse(bytes.toString())) as unknown;
  const records = new RecordFile(path, split, (bytes) => objectOf(() => parseItem(bytes), kind, namespace));

  const splitter = split();
  let count = 0;
  let broken = 0;
  let latest = '';
  let problem: string | undefined;
  try {
    for await (const piece of readPieces(path, splitter)) {
      for (const { bytes } of piece) {
        const object = records.read(bytes);
        if (!object) {
          broken += 1;
          continue;
        }
        count += 1;
        latest = latestOf(object, latest);
        each?.(object);
      }
    }
    problem = splitter.problem ?? (broken > 0 ? `${broken} elements are not ${kind.kind}s of this namespace` : undefined);
  } catch (error) {
    problem = `cannot be read: ${(error as Error).message}`;
  }
  return {
    name,
    namespace,
    count,
    latest,
    problem: problem !== undefined && count > 0 ? `${problem}; ${count} objects can be read` : problem,
    objects: (signal) => records.objects(signal),
    get: (ns, objectName) => records.get(ns, objectName),
  };
}

/** The latest time that an event or a node's conditions name. */
function latestOf(object: KubeObject, known: string): string {
  if (object.kind !== 'Event' && object.kind !== 'Node') return known;
  const times = object.kind === 'Event' ? [object['lastTimestamp'], object['eventTime'], valueIn(object, 'series', 'lastObservedTime')] : listOf(valueIn(object, 'status', 'conditions')).map((c) => valueIn(c, 'lastHeartbeatTime'));
  return times.reduce<string>((latest, at) => (typeof at === 'string' && at > latest && time.test(at) ? at : latest), known);
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
