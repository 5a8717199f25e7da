import { printable, redactText, valueIn, type Evidence, type KubeObject, type ObjectRef } from '@larry/contracts';
import type { EventFacts } from '../facts/event-index';
import type { LogFacts } from '../facts/log-index';
import type { ContainerFacts, PodFacts } from '../facts/pod-facts';

/** A field of an object, with what stands there. */
export function seen(object: ObjectRef, at: string, value: unknown): Evidence {
  return { object, at: printable(at, 500), value: shown(typeof value === 'string' ? value : JSON.stringify(value) ?? 'not set') };
}

/** A field by its JSON pointer; of a workload that the source does not show, as its pod has it. */
export function seenAt(object: KubeObject | undefined, ref: ObjectRef, pointer: string): Evidence {
  if (!object) return seen(ref, dotted(pointer), 'not shown by the source');
  const value = valueIn(object, ...partsOf(object.kind === 'Pod' ? pointer.replace(/^\/spec\/(?:jobTemplate\/spec\/)?template\/spec/, '/spec') : pointer));
  return seen(ref, dotted(pointer), value === undefined ? 'not set' : value);
}

/** An event about an object, with how often and when it was seen. */
export function seenEvent(event: EventFacts): Evidence {
  const object = { apiVersion: apiVersions[event.kind] ?? 'v1', kind: event.kind, name: event.name, ...(event.namespace ? { namespace: event.namespace } : {}), ...(event.uid ? { uid: event.uid } : {}) };
  const times = `${event.count > 1 ? `×${event.count}, ` : ''}${event.lastMs === undefined ? 'no time' : `last ${new Date(event.lastMs).toISOString()}`}`;
  return { object, at: printable(`event:${event.reason}`, 500), value: shown(`${event.message} (${times})`) };
}

const apiVersions: Record<string, string> = { Deployment: 'apps/v1', ReplicaSet: 'apps/v1', StatefulSet: 'apps/v1', DaemonSet: 'apps/v1', Job: 'batch/v1', CronJob: 'batch/v1' };

/** A line of a container's log. */
export function seenLine(pod: PodFacts, log: LogFacts, line: string): Evidence {
  return { object: pod.ref, at: printable(`log:${log.container}:${log.run}`, 500), value: shown(line) };
}

/** How a container stands and how it ended. */
export function seenContainer(pod: PodFacts, container: ContainerFacts): Evidence {
  const { state, last, restarts } = container;
  const told = (s: typeof state): string => [s.kind, s.reason, s.exitCode === undefined ? undefined : `exit code ${s.exitCode}`, s.signal ? `signal ${s.signal}` : undefined, s.message].filter(Boolean).join(', ');
  const list = container.init ? 'initContainerStatuses' : 'containerStatuses';
  return seen(pod.ref, `.status.${list}[${container.name}]`, `${told(state)}${last ? `; before: ${told(last)}` : ''}; ${restarts} restarts`);
}

/** Redacted and safe to show. */
export function shown(text: string, maxLength = 1_000): string {
  return printable(redactText(text.slice(0, 4_000)), maxLength);
}

/** `/spec/containers/0/image` as its parts (RFC 6901). */
export function partsOf(pointer: string): string[] {
  return pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** `/spec/containers/0/image` as `.spec.containers[0].image`. */
export function dotted(pointer: string): string {
  return partsOf(pointer).map((part) => (/^\d+$/.test(part) ? `[${part}]` : /^[A-Za-z0-9_-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`)).join('');
}

/** One part of a JSON pointer. */
export function escapePart(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}
