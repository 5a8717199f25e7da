import { recordOf, type JsonRecord, type KubeObject } from '@larry/contracts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
/** Longer values of ConfigMaps are cut here, in characters. */
export const longestValue = 64 * 1024;
/** Kinds of which many exist and whose last writer nobody asks for. */
const unmanaged = new Set(['Pod', 'ReplicaSet', 'EndpointSlice', 'Lease', 'Node']);

/** The object without what no diagnosis reads: managed fields, copies of itself, values of Secrets, the tails of long values. */
export function slim(object: KubeObject): KubeObject {
  const { managedFields, annotations, ...meta } = object.metadata;
  const kept = annotations && lastApplied in annotations ? Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== lastApplied)) : annotations;
  const managers = unmanaged.has(object.kind) || !Array.isArray(managedFields) ? undefined : managedFields.map((entry) => without(recordOf(entry), 'fieldsV1'));
  const metadata = { ...meta, ...(kept ? { annotations: kept } : {}), ...(managers ? { managedFields: managers } : {}) };
  if (object.kind === 'Secret') return { ...object, metadata, data: keysAlone(object['data']), stringData: keysAlone(object['stringData']) };
  if (object.kind === 'ConfigMap') return { ...object, metadata, data: cut(object['data']), binaryData: keysAlone(object['binaryData']) };
  return { ...object, metadata };
}

/** What stands for the value of a key that has one. */
export const hasValue = 'set';

/** Whether a value is empty is kept: it is a fault of its own. A redacted one is `set`. */
function keysAlone(data: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(recordOf(data)).map(([key, value]) => [key, value === '' ? '' : hasValue]));
}

function cut(data: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(recordOf(data)).map(([key, value]) => [key, typeof value === 'string' && value.length > longestValue ? value.slice(0, longestValue) : value]));
}

function without(record: JsonRecord, field: string): JsonRecord {
  const { [field]: _, ...rest } = record;
  return rest;
}
