import { badRequest } from './api-error';
import type { Fields } from './kube-object';
import type { Field } from './schema';
import { isListWrapper, isScalar, messageFields } from './schema';

type WireValue = bigint | number | Buffer;

/** Reads one message's records: field number and raw value. Throws a 400 where the bytes end early. */
function records(bytes: Buffer): [number, WireValue][] {
  const out: [number, WireValue][] = [];
  let i = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[i++];
      if (byte === undefined || shift > 63n) throw badRequest('the protobuf body ends in the middle of a number: send the whole body');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (i + length > bytes.length) throw badRequest('the protobuf body ends in the middle of a field: send the whole body');
    i += length;
    return bytes.subarray(i - length, i);
  };
  while (i < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    if (wire === 0) out.push([tag >>> 3, varint()]);
    else if (wire === 1) out.push([tag >>> 3, take(8).readDoubleLE(0)]);
    else if (wire === 2) out.push([tag >>> 3, take(Number(varint()))]);
    else if (wire === 5) out.push([tag >>> 3, take(4).readFloatLE(0)]);
    else throw badRequest(`the protobuf body holds wire type ${wire}, which Kubernetes does not use`);
  }
  return out;
}

const find = (rows: [number, WireValue][], number: number) => rows.find(([n]) => n === number)?.[1];
const asBuffer = (value: WireValue | undefined): Buffer => (Buffer.isBuffer(value) ? value : Buffer.alloc(0));
const asInt = (value: WireValue | undefined): number => (typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0);

function time(value: WireValue, micro: boolean): string | null {
  const rows = records(asBuffer(value));
  if (find(rows, 1) === undefined) return null;
  const seconds = new Date(asInt(find(rows, 1)) * 1000).toISOString().slice(0, 19);
  return micro ? `${seconds}.${String(Math.floor(asInt(find(rows, 2)) / 1000)).padStart(6, '0')}Z` : `${seconds}Z`;
}

function scalar(type: string, value: WireValue): unknown {
  switch (type) {
    case 'string': return asBuffer(value).toString('utf8');
    case 'bytes': return asBuffer(value).toString('base64');
    case 'bool': return asInt(value) === 1;
    case 'int32': case 'int64': return asInt(value);
    case 'double': return typeof value === 'number' ? value : 0;
    case 'time': return time(value, false);
    case 'microtime': return time(value, true);
    case 'quantity': return asBuffer(find(records(asBuffer(value)), 1)).toString('utf8') || '0';
    case 'intstr': {
      const rows = records(asBuffer(value));
      return asInt(find(rows, 1)) === 0 ? asInt(find(rows, 2)) : asBuffer(find(rows, 3)).toString('utf8');
    }
    default: { // raw JSON
      const raw = asBuffer(find(records(asBuffer(value)), 1));
      return raw.length ? (JSON.parse(raw.toString('utf8')) as unknown) : {};
    }
  }
}

const isZero = (value: unknown) => value === '' || value === 0 || value === false || value === null || value === undefined;

function value(type: string, wire: WireValue): unknown {
  if (isScalar(type)) return scalar(type, wire);
  if (isListWrapper(type)) return records(asBuffer(wire)).map(([, item]) => value(messageFields(type)?.['items']?.t ?? 'string', item));
  return message(type, asBuffer(wire));
}

function mapEntry(field: Field, wire: WireValue): [string, unknown] {
  const rows = records(asBuffer(wire));
  const inner = find(rows, 2);
  const empty = field.t === 'string' || field.t === 'bytes' ? '' : null;
  return [asBuffer(find(rows, 1)).toString('utf8'), inner === undefined ? empty : value(field.t, inner)];
}

function message(type: string, bytes: Buffer): Fields {
  const byNumber = new Map(Object.entries(messageFields(type) ?? {}).map(([name, field]) => [field.n, { name, field }]));
  const out: Fields = {};
  for (const [number, wire] of records(bytes)) {
    const known = byNumber.get(number);
    if (!known) continue;
    const { name, field } = known;
    if (field.c === 'm') {
      const [key, entry] = mapEntry(field, wire);
      ((out[name] ??= {}) as Fields)[key] = entry;
    } else if (field.c === 'l') ((out[name] ??= []) as unknown[]).push(value(field.t, wire));
    else if (field.i) Object.assign(out, value(field.t, wire));
    else {
      const decoded = value(field.t, wire);
      if (field.p || field.k || !isZero(decoded)) out[name] = decoded;
    }
  }
  return out;
}

/** The type a protobuf body of this apiVersion and kind holds. */
function typeName(apiVersion: string, kind: string): string {
  if (kind === 'DeleteOptions' || kind === 'Status') return `meta.v1.${kind}`;
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  return `${group?.split('.')[0]}.${version}.${kind}`;
}

/**
 * Decodes a Kubernetes protobuf body (`k8s\0`, then `runtime.Unknown`) into the object that the same request would
 * have carried as JSON. Throws a 400 for what is not such a body or names a kind without a field table.
 */
export function decodeProtobuf(body: Buffer): Fields {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0') throw badRequest('the body does not start with the Kubernetes protobuf prefix');
  const unknown = records(body.subarray(4));
  const typeMeta = records(asBuffer(find(unknown, 1)));
  const apiVersion = asBuffer(find(typeMeta, 1)).toString('utf8');
  const kind = asBuffer(find(typeMeta, 2)).toString('utf8');
  const type = typeName(apiVersion, kind);
  if (!messageFields(type)) throw badRequest(`no protobuf field table for ${apiVersion}, Kind=${kind}: send it as application/json`);
  return { apiVersion, kind, ...message(type, asBuffer(find(unknown, 2))) };
}
