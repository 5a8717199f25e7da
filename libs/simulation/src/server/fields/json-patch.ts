import { isObject, jsonEqual, own, setOwn } from './json-values';
import { PatchError } from './types';

/** More operations than this a server refuses. */
const MAX_OPERATIONS = 10_000;

interface Operation {
  op: string;
  path: readonly string[];
  from?: readonly string[];
  value?: unknown;
  at: string;
}

/**
 * JSON patch (RFC 6902). All or nothing; `live` stays as it is.
 * @throws PatchError 400 for a patch that is not a list of operations; 422 for an operation that cannot
 * be done, a failed `test` included. A real server says of every 422 "the server rejected our request due
 * to an error in our request" (recorded); what was wrong stands in `detail`.
 */
export function jsonPatch(live: unknown, ops: unknown): unknown {
  if (!Array.isArray(ops))
    throw new PatchError(400, 'BadRequest', 'error decoding patch: a JSON patch must be a list of operations');
  if (ops.length > MAX_OPERATIONS)
    throw rejected(`the patch has ${ops.length} operations: a server takes ${MAX_OPERATIONS}`);
  return (ops as unknown[]).map(readOperation).reduce(applyOperation, live);
}

const rejected = (detail: string): PatchError =>
  new PatchError(422, 'Invalid', 'the server rejected our request due to an error in our request', detail);

function readOperation(raw: unknown, index: number): Operation {
  if (!isObject(raw))
    throw new PatchError(400, 'BadRequest', `error decoding patch: operation ${index} must be an object`);
  const { op, path, from } = raw;
  const at = `operation ${index} (${String(op)} ${String(path)})`;
  if (typeof op !== 'string' || typeof path !== 'string') throw rejected(`${at} needs "op" and "path"`);
  const operation: Operation = { op, path: readPointer(path, at), at };
  if ('value' in raw) operation.value = raw['value'];
  if (typeof from === 'string') operation.from = readPointer(from, at);
  return operation;
}

function readPointer(pointer: string, at: string): readonly string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw rejected(`${at}: a path starts with "/"`);
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function applyOperation(document: unknown, operation: Operation): unknown {
  const { op, path, at } = operation;
  switch (op) {
    case 'add':
      return write(document, path, operation.value ?? null, 'add', at);
    case 'replace':
      return write(document, path, operation.value ?? null, 'replace', at);
    case 'remove':
      return remove(document, path, at);
    case 'test':
      return test(document, operation);
    case 'copy':
      return write(document, path, read(document, fromOf(operation), at), 'add', at);
    case 'move':
      return write(remove(document, fromOf(operation), at), path, read(document, fromOf(operation), at), 'add', at);
    default:
      throw rejected(`${at}: unknown operation`);
  }
}

function fromOf({ from, at }: Operation): readonly string[] {
  if (!from) throw rejected(`${at} needs "from"`);
  return from;
}

/** A missing field passes a test for null, as it does on a real server. */
function test(document: unknown, { path, value, at }: Operation): unknown {
  const found = path.length === 0 ? document : child(read(document, path.slice(0, -1), at), path.at(-1) ?? '', at);
  if (!jsonEqual(found ?? null, value ?? null)) throw rejected(`${at}: testing value failed`);
  return document;
}

function child(parent: unknown, key: string, at: string): unknown {
  if (Array.isArray(parent)) return (parent as readonly unknown[])[indexIn(parent, key, at, parent.length - 1)];
  return isObject(parent) ? own(parent, key) : undefined;
}

function read(document: unknown, path: readonly string[], at: string): unknown {
  let value = document;
  for (const key of path) {
    value = child(value, key, at);
    if (value === undefined) throw rejected(`${at}: "${key}" does not exist`);
  }
  return value;
}

function indexIn(list: readonly unknown[], key: string, at: string, last: number): number {
  if (!/^(0|-?[1-9]\d*)$/.test(key)) throw rejected(`${at}: "${key}" is not an index`);
  const index = Number(key) < 0 ? Number(key) + list.length : Number(key);
  if (index < 0 || index > last) throw rejected(`${at}: index ${key} is out of bounds`);
  return index;
}

function write(node: unknown, path: readonly string[], value: unknown, mode: 'add' | 'replace', at: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(node)) return writeToList(node, key, rest, value, mode, at);
  if (!isObject(node)) throw rejected(`${at}: "${key}" has no parent`);
  const found = own(node, key);
  if (found === undefined && (rest.length > 0 || mode === 'replace')) throw rejected(`${at}: "${key}" does not exist`);
  const next: Record<string, unknown> = { ...node };
  setOwn(next, key, write(found, rest, value, mode, at));
  return next;
}

function writeToList(
  list: readonly unknown[],
  key: string,
  rest: readonly string[],
  value: unknown,
  mode: 'add' | 'replace',
  at: string,
): unknown {
  const inserts = rest.length === 0 && mode === 'add';
  if (inserts && key === '-') return [...list, value];
  const index = indexIn(list, key, at, inserts ? list.length : list.length - 1);
  return list.toSpliced(index, inserts ? 0 : 1, inserts ? value : write(list[index], rest, value, mode, at));
}

function remove(node: unknown, path: readonly string[], at: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined) throw rejected(`${at}: the whole document cannot be removed`);
  if (Array.isArray(node)) {
    const list = node as readonly unknown[];
    const index = indexIn(list, key, at, list.length - 1);
    return rest.length === 0 ? list.toSpliced(index, 1) : list.toSpliced(index, 1, remove(list[index], rest, at));
  }
  const found = isObject(node) ? own(node, key) : undefined;
  if (!isObject(node) || found === undefined) throw rejected(`${at}: "${key}" does not exist`);
  const next: Record<string, unknown> = { ...node };
  if (rest.length === 0) delete next[key];
  else setOwn(next, key, remove(found, rest, at));
  return next;
}
