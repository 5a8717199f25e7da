import { numberOf, printable, recordOf, redactText, textOf, valueIn, type ObjectRef } from '@larry/contracts';
import { LogUnavailableError, UnknownKindError, type ClusterReader } from '@larry/kube';
import type { ContainerFacts, EventFacts, LogFacts } from './facts';
import type { KeyReader, KeysFacts } from './pgadmin-template';

const logLines = 60;
const lineLength = 400;

/** The end of a container's log: of its last run, and of the one before where there was one. */
export async function logsOf(cluster: ClusterReader, pod: ObjectRef, container: ContainerFacts, signal: AbortSignal): Promise<LogFacts[]> {
  if (container.restarts === 0 && container.state === 'waiting' && !container.last) return [];
  const runs = container.restarts > 0 ? (['current', 'previous'] as const) : (['current'] as const);
  const logs: LogFacts[] = [];
  for (const run of runs) {
    try {
      const options = { previous: run === 'previous', tailLines: logLines, limitBytes: 64 * 1024, signal };
      const lines = await cluster.logs({ namespace: pod.namespace ?? '', name: pod.name }, container.name, options);
      logs.push({ run, lines: lines.slice(-logLines).map((line) => printable(redactText(line.slice(0, 4000)), lineLength)).filter((line) => line !== '') });
    } catch (error) {
      if (!(error instanceof LogUnavailableError)) throw error;
      logs.push({ run, lines: [], unavailable: printable(error.message, 300) });
    }
  }
  return logs;
}

/** Warnings about objects that exist now; events outlive their objects, so that a uid that is not ours says nothing. */
export async function eventsOf(
  cluster: ClusterReader,
  keys: ReadonlySet<string>,
  keyOf: (ref: ObjectRef) => string,
  signal: AbortSignal,
): Promise<{ events: { key: string; event: EventFacts }[] } | { unknown: string }> {
  const events: { key: string; event: EventFacts }[] = [];
  try {
    for await (const object of cluster.list({ apiVersion: 'v1', kind: 'Event' }, { signal })) {
      if (object['type'] !== 'Warning') continue;
      const about = recordOf(object['involvedObject']);
      const ref: ObjectRef = { apiVersion: '', kind: String(about['kind'] ?? ''), namespace: String(about['namespace'] ?? ''), name: String(about['name'] ?? '') };
      const key = textOf(about['uid']) ?? keyOf(ref);
      if (keys.has(key)) events.push({ key, event: eventFacts(object, ref) });
    }
    return { events };
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
    return { unknown: error.reason };
  }
}

function eventFacts(object: unknown, ref: ObjectRef): EventFacts {
  const lastAt = textOf(valueIn(object, 'lastTimestamp')) ?? textOf(valueIn(object, 'series', 'lastObservedTime')) ?? textOf(valueIn(object, 'eventTime'));
  return {
    about: printable(`${ref.kind} ${ref.name}`, 200),
    reason: printable(valueIn(object, 'reason') ?? '', 100),
    message: printable(redactText(textOf(valueIn(object, 'message')) ?? ''), lineLength),
    count: numberOf(valueIn(object, 'count')) ?? numberOf(valueIn(object, 'series', 'count')) ?? 1,
    ...(lastAt ? { lastAt } : {}),
  };
}

/** Reads which keys a Secret or ConfigMap of a namespace has. A Secret's values are never taken over. */
export function keyReader(cluster: ClusterReader, namespace: string, signal: AbortSignal): KeyReader {
  return async (kind, name): Promise<KeysFacts> => {
    try {
      const object = await cluster.get({ apiVersion: 'v1', kind, namespace, name }, signal);
      // A tree of manifests need not hold what somebody else creates.
      if (!object && cluster.source.type === 'manifests') return { known: false, reason: `${kind} ${name} is not among these manifests` };
      if (!object) return { known: true, keys: [], values: {} };
      const data = recordOf(object['data']);
      const keys = [...Object.keys(data), ...Object.keys(recordOf(object['stringData']))];
      // Snapshots keep the keys of Secrets without their values: only a live cluster tells that one is empty.
      const empty = (key: string) => data[key] === '' && cluster.source.type === 'live';
      if (kind === 'Secret') return { known: true, keys: keys.filter((k) => !empty(k)), values: {} };
      return { known: true, keys, values: Object.fromEntries(Object.entries(data).filter((e): e is [string, string] => typeof e[1] === 'string')) };
    } catch (error) {
      if (!(error instanceof UnknownKindError)) throw error;
      return { known: false, reason: `${kind} ${name} cannot be read (${error.reason})` };
    }
  };
}
