import { numberOf, recordOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { keyOf, push } from './object-index';
import { timeOf } from './times';

/** Events of one object, reason and message, taken together. */
export interface EventFacts {
  /** Graph key of what it is about. */
  about: string;
  uid?: string;
  kind: string;
  namespace?: string;
  name: string;
  type: string;
  reason: string;
  message: string;
  count: number;
  firstMs?: number;
  lastMs?: number;
  /** The node whose component said so. */
  node?: string;
  /** `kubelet`, `default-scheduler`. */
  component?: string;
  /** `spec.containers{app}`. */
  fieldPath?: string;
}

/** Different messages of one reason that are kept for one object; the rest is counted into the newest. */
const messagesPerReason = 20;
const maxMessage = 4_000;
/** What goes well is no sign of anything, and is most of all events. */
const ordinary = new Set(['Pulled', 'Pulling', 'Created', 'Started', 'Scheduled', 'SuccessfulCreate', 'SuccessfulDelete', 'LeaderElection', 'Completed', 'SawCompletedJob', 'RegisteredNode', 'NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID', 'NodeReady']);

/** Events by object and by reason. Ten thousand for one object cost what twenty cost. */
export class EventIndex {
  private readonly groups = new Map<string, EventFacts>();
  private readonly perReason = new Map<string, EventFacts[]>();
  private readonly byObject = new Map<string, EventFacts[]>();
  private readonly byReason = new Map<string, EventFacts[]>();
  /** How many events were taken in. */
  total = 0;
  private readonly perNamespace = new Map<string, number>();

  add(object: KubeObject): void {
    this.total += 1;
    const namespace = object.metadata.namespace ?? '';
    this.perNamespace.set(namespace, this.countIn(namespace) + 1);
    if (object['type'] === 'Normal' && ordinary.has(String(object['reason']))) return;
    const event = eventFacts(object);
    const reasonKey = `${event.about} ${event.uid ?? ''} ${event.reason}`;
    const key = `${reasonKey} ${variable(event.message)}`;
    const known = this.groups.get(key);
    if (known) return merge(known, event);
    const ofReason = this.perReason.get(reasonKey) ?? [];
    if (ofReason.length >= messagesPerReason) return merge(newest(ofReason), event);
    this.groups.set(key, event);
    ofReason.push(event);
    this.perReason.set(reasonKey, ofReason);
    push(this.byObject, event.about, event);
    push(this.byReason, event.reason, event);
  }

  /** How many events of a namespace were taken in. */
  countIn(namespace: string): number {
    return this.perNamespace.get(namespace) ?? 0;
  }

  /** All about an object of that name, newest first; also of an earlier object of the name when no uid is given. */
  of(key: string, uid?: string): EventFacts[] {
    const events = this.byObject.get(key) ?? [];
    const own = uid === undefined ? events : events.filter((event) => event.uid === undefined || event.uid === uid);
    return [...own].sort(newestFirst);
  }

  /** All whose message matches, newest first. Goes through every group. */
  saying(pattern: RegExp): EventFacts[] {
    return [...this.groups.values()].filter((event) => pattern.test(event.message)).sort(newestFirst);
  }

  /** All of one reason, newest first. */
  withReason(reason: string): EventFacts[] {
    return [...(this.byReason.get(reason) ?? [])].sort(newestFirst);
  }
}

function newestFirst(a: EventFacts, b: EventFacts): number {
  return (b.lastMs ?? 0) - (a.lastMs ?? 0);
}

function eventFacts(object: KubeObject): EventFacts {
  // events.k8s.io/v1 says `regarding`, `note`, `series`; core/v1 `involvedObject`, `message`, `count`.
  const about = recordOf(object['involvedObject'] ?? object['regarding']);
  const kind = textOf(about['kind']) ?? '';
  const name = textOf(about['name']) ?? '';
  const namespaced = kind !== 'Node' && kind !== 'PersistentVolume' && kind !== 'Namespace';
  const namespace = namespaced ? (textOf(about['namespace']) ?? object.metadata.namespace) : undefined;
  const lastMs = timeOf(valueIn(object, 'series', 'lastObservedTime')) ?? timeOf(object['lastTimestamp']) ?? timeOf(object['deprecatedLastTimestamp']) ?? timeOf(object['eventTime']) ?? timeOf(object['firstTimestamp']) ?? timeOf(object.metadata.creationTimestamp);
  const firstMs = timeOf(object['firstTimestamp']) ?? timeOf(object['deprecatedFirstTimestamp']) ?? timeOf(object['eventTime']) ?? lastMs;
  const uid = textOf(about['uid']);
  const node = textOf(valueIn(object, 'source', 'host')) ?? textOf(valueIn(object, 'deprecatedSource', 'host'));
  const component = textOf(valueIn(object, 'source', 'component')) ?? textOf(object['reportingComponent']) ?? textOf(object['reportingController']);
  const fieldPath = textOf(about['fieldPath']);
  return {
    about: keyOf({ kind, name, ...(namespace ? { namespace } : {}) }),
    kind,
    name,
    ...(namespace ? { namespace } : {}),
    // The kubelet's events about a node carry the node's name as uid.
    ...(uid && uid !== name ? { uid } : {}),
    type: textOf(object['type']) ?? '',
    reason: textOf(object['reason']) ?? '',
    message: (textOf(object['message']) ?? textOf(object['note']) ?? '').slice(0, maxMessage),
    count: Math.max(1, numberOf(valueIn(object, 'series', 'count')) ?? numberOf(object['count']) ?? numberOf(object['deprecatedCount']) ?? 1),
    ...(firstMs === undefined ? {} : { firstMs }),
    ...(lastMs === undefined ? {} : { lastMs }),
    ...(node ? { node } : {}),
    ...(component ? { component } : {}),
    ...(fieldPath ? { fieldPath } : {}),
  };
}

/** A message without what changes from one time to the next: numbers of attempts, hashes, times. */
function variable(message: string): string {
  return message.slice(0, 300).replace(/\b[0-9a-f]{12,}\b|\d+/g, '#');
}

function merge(into: EventFacts, event: EventFacts): void {
  into.count += event.count;
  if ((event.firstMs ?? Infinity) < (into.firstMs ?? Infinity)) into.firstMs = event.firstMs;
  if ((event.lastMs ?? 0) >= (into.lastMs ?? 0)) {
    into.message = event.message;
    if (event.lastMs !== undefined) into.lastMs = event.lastMs;
  }
}

function newest(events: EventFacts[]): EventFacts {
  return events.reduce((a, b) => ((b.lastMs ?? 0) > (a.lastMs ?? 0) ? b : a));
}
