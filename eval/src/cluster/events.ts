import type { KubeObject } from '@larry/contracts';
import type { Chance } from './chance';

export interface EventParts {
  type?: 'Normal' | 'Warning';
  reason: string;
  message: string;
  count?: number;
  /** Seconds before the snapshot: of the last and of the first time. */
  lastS?: number;
  firstS?: number;
  /** Who speaks: `kubelet` by default. */
  from?: string;
  host?: string;
  fieldPath?: string;
}

/**
 * An event as `GET /api/v1/events` shows it. The scheduler and other users of `events.k8s.io` leave `count` and both
 * timestamps null and fill in `eventTime` and `series` instead (client-go, `tools/events`).
 */
export function aKubeEvent(chance: Chance, ago: (seconds: number) => string, about: KubeObject, parts: EventParts): KubeObject {
  const { type = 'Warning', reason, message, from = 'kubelet', lastS = chance.int(15, 240) } = parts;
  const count = parts.count ?? 1;
  const firstS = Math.max(parts.firstS ?? (count > 1 ? lastS + count * 20 : lastS), lastS);
  const { name, namespace, uid, resourceVersion } = about.metadata;
  const host = parts.host ?? (from === 'kubelet' ? nodeOf(about) : undefined);
  const modern = from === 'default-scheduler';
  const [first, last] = [firstS, lastS].map((seconds) => notBefore(about, ago(seconds))) as [string, string];
  const times = modern
    ? { firstTimestamp: null, lastTimestamp: null, eventTime: micro(first), ...(count > 1 ? { series: { count, lastObservedTime: micro(last) } } : {}) }
    : { firstTimestamp: first, lastTimestamp: last, eventTime: null, count };
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${chance.hex(16)}`, namespace: namespace ?? 'default', uid: chance.uid(), creationTimestamp: first },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, ...(namespace ? { namespace } : {}), uid: about.kind === 'Node' ? name : uid, resourceVersion, ...(parts.fieldPath ? { fieldPath: parts.fieldPath } : {}) },
    type,
    reason,
    message,
    source: modern ? {} : { component: from, ...(host ? { host } : {}) },
    reportingComponent: from,
    reportingInstance: modern ? 'default-scheduler-k3s-master01' : (host ?? ''),
    ...(modern ? { action: 'Scheduling' } : {}),
    ...times,
  };
}

/** Nobody speaks of a pod before it is there. */
function notBefore({ kind, metadata: { creationTimestamp = '' } }: KubeObject, time: string): string {
  return kind === 'Pod' && creationTimestamp > time ? creationTimestamp : time;
}

function micro(time: string): string {
  return time.replace('Z', '.318220Z');
}

function nodeOf(about: KubeObject): string | undefined {
  if (about.kind === 'Node') return about.metadata.name;
  const spec = about['spec'] as { nodeName?: string } | undefined;
  return spec?.nodeName;
}
