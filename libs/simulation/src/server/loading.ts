import { randomUUID } from 'node:crypto';
import { timestamp } from './creation';
import { apiVersionOf } from './kinds';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { isObject, list, text } from './kube-object';
import { applyDefaults } from './defaults';
import { prepareNew } from './creation';
import { managersAfter } from './ownership';
import type { ServerState } from './state';
import { readTyped } from './typed';
import { storedFrom } from './views';
import type { Writes } from './writes';

/** What became of loaded objects. */
export interface LoadReport {
  loaded: number;
  /** Objects that could not be stored, and why. */
  skipped: { what: string; reason: string }[];
}

/** Definitions first, then namespaces, so that what needs them finds them. */
const FIRST = ['CustomResourceDefinition', 'Namespace', 'PriorityClass', 'StorageClass', 'ServiceAccount'];
const rank = (object: Fields) => (FIRST.includes(text(object['kind'])) ? FIRST.indexOf(text(object['kind'])) : FIRST.length);

/** `v1 List`s and `PodList`s count as their items. */
function flatten(objects: readonly unknown[]): unknown[] {
  return objects.flatMap((object) => {
    if (!isObject(object) || !Array.isArray(object['items']) || !/List$/.test(text(object['kind']))) return [object];
    const kind = text(object['kind']).slice(0, -'List'.length);
    return list(object['items']).map((item) => (kind ? { apiVersion: object['apiVersion'], kind, ...item } : item));
  });
}

/** Stores objects without admission: what they hold stays, what they lack is defaulted. Unknown kinds are served by name. */
export function loadObjects(state: ServerState, writes: Writes, objects: readonly unknown[], manager: string): LoadReport {
  const report: LoadReport = { loaded: 0, skipped: [] };
  const all = flatten(objects);
  const readable = all.filter(isObject).sort((a, b) => rank(a) - rank(b));
  for (const object of all) if (!isObject(object)) report.skipped.push({ what: JSON.stringify(object)?.slice(0, 60) ?? 'undefined', reason: 'not an object' });
  for (const object of readable) {
    const what = `${text(object['apiVersion'])} ${text(object['kind'])} ${text((object['metadata'] as Fields | undefined)?.['name'])}`;
    try {
      store(state, writes, object, manager);
      report.loaded++;
    } catch (error) {
      report.skipped.push({ what, reason: (error as Error).message });
    }
  }
  return report;
}

function store(state: ServerState, writes: Writes, input: Fields, manager: string): void {
  const metadata = isObject(input['metadata']) ? input['metadata'] : {};
  if (!text(input['apiVersion']) || !text(input['kind']) || !text(metadata['name'])) throw new Error('it lacks apiVersion, kind or metadata.name');
  const known = state.kinds.byKind(text(input['apiVersion']), text(input['kind'])) ?? state.kinds.addLoaded(input as KubeObject);
  const kind = known.storedAs ? (state.kinds.find('', 'v1', 'events') as Kind) : known;
  const object = complete(state, kind, storedFrom(known, input), manager);
  if (kind.namespaced) object.metadata.namespace ??= 'default';
  else delete object.metadata.namespace;
  const stored = state.store.restore(kind, object);
  writes.afterWrite(kind, stored, undefined);
}

/** Identity and defaults for what lacks them; an object with a uid comes from a cluster and only gets read. */
function complete(state: ServerState, kind: Kind, input: Fields, manager: string): KubeObject {
  const whole = { ...input, apiVersion: apiVersionOf(kind), kind: kind.kind };
  // Reading by type makes a new object, but for values without a type, which nothing changes in place.
  const object = (kind.type ? readTyped(kind.type, whole).value : structuredClone(whole)) as KubeObject;
  object.metadata = { ...object.metadata };
  if (object.metadata.uid) return object;
  const { status } = whole as Fields;
  const { generation, deletionTimestamp, deletionGracePeriodSeconds, creationTimestamp } = object.metadata;
  applyDefaults(kind, object);
  const now = creationTimestamp ?? timestamp(state.now());
  const managedFields = object.metadata.managedFields ?? managersAfter({ before: undefined, after: object, kind, caller: { manager }, now });
  prepareNew(kind, object, state);
  object.metadata.uid ??= randomUUID();
  object.metadata.creationTimestamp = now;
  const kept = { managedFields, generation, deletionTimestamp, deletionGracePeriodSeconds };
  for (const [key, value] of Object.entries(kept)) if (value !== undefined) object.metadata[key] = value;
  if (status !== undefined) object['status'] = structuredClone(status);
  return object;
}
