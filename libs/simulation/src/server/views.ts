import type { Kind } from './kinds';
import { apiVersionOf } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { record } from './kube-object';

/** Renamed fields of an Event between core/v1 (left, as stored) and events.k8s.io/v1 (right). */
const EVENT_NAMES: [string, string][] = [
  ['involvedObject', 'regarding'], ['message', 'note'], ['source', 'deprecatedSource'], ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'], ['count', 'deprecatedCount'], ['reportingComponent', 'reportingController'],
];

/** An object as this kind shows it: only events.k8s.io shows something other than what is stored. */
export function viewOf(kind: Kind, object: KubeObject): KubeObject {
  const apiVersion = apiVersionOf(kind);
  if (object.apiVersion === apiVersion || !kind.kind) return object;
  if (kind.storedAs !== '/events') return { ...object, apiVersion };
  return { ...rename(object, EVENT_NAMES), apiVersion, kind: kind.kind } as KubeObject;
}

/** The inverse, for what a client sends. */
export function storedFrom(kind: Kind, object: Fields): Fields {
  if (kind.storedAs !== '/events') return object;
  const back = rename(object, EVENT_NAMES.map(([a, b]) => [b, a]));
  return { ...back, apiVersion: 'v1', kind: 'Event' };
}

function rename(object: Fields, names: [string, string][]): Fields {
  const map = new Map(names);
  return Object.fromEntries(Object.entries(record(object)).map(([key, value]) => [map.get(key) ?? key, value]));
}
