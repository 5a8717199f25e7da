import type { KubeObject } from '@larry/contracts';
import type { Activity } from './activity';
import { ApiError, type ApiClient } from './api-client';
import { timestamp, type Clock } from './clock';
import { kinds } from './kinds';

interface Recorded {
  name: string;
  namespace: string;
  count: number;
}

/**
 * Writes core/v1 Events as the real components do: the same event again raises `count` and moves
 * `lastTimestamp`. Writing is best effort: a failure is dropped, as in the real recorder.
 */
export class EventRecorder {
  private readonly known = new Map<string, Recorded>();
  private chain = Promise.resolve();
  private sequence = 0;

  constructor(
    private readonly api: ApiClient,
    private readonly clock: Clock,
    private readonly activity: Activity,
  ) {}

  record(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, component: string, extra: { host?: string; fieldPath?: string } = {}): void {
    const end = this.activity.begin();
    this.chain = this.chain
      .then(() => this.write(about, type, reason, message, component, extra))
      .catch(() => undefined)
      .finally(end);
  }

  private async write(about: KubeObject, type: string, reason: string, message: string, component: string, extra: { host?: string; fieldPath?: string }): Promise<void> {
    const id = [about.metadata.uid, extra.fieldPath, type, reason, message, component].join('|');
    const time = timestamp(this.clock.now());
    const known = this.known.get(id);
    if (known) {
      known.count += 1;
      try {
        await this.api.patch(kinds.events, { metadata: known }, { count: known.count, lastTimestamp: time });
        return;
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) throw error;
      }
    }
    const namespace = about.metadata.namespace ?? 'default';
    const name = `${about.metadata.name}.${(this.clock.now().getTime() * 1000 + this.sequence++).toString(16)}`;
    await this.api.create(kinds.events, eventOf(about, { name, namespace, type, reason, message, component, time, ...extra }), namespace);
    this.known.set(id, { name, namespace, count: 1 });
    if (this.known.size > 4096) this.known.delete(this.known.keys().next().value as string);
  }
}

function eventOf(about: KubeObject, e: { name: string; namespace: string; type: string; reason: string; message: string; component: string; time: string; host?: string; fieldPath?: string }): KubeObject {
  const { apiVersion, kind, metadata } = about;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: e.name, namespace: e.namespace },
    involvedObject: {
      apiVersion,
      kind,
      name: metadata.name,
      ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      ...(e.fieldPath ? { fieldPath: e.fieldPath } : {}),
    },
    reason: e.reason,
    message: e.message,
    type: e.type,
    count: 1,
    firstTimestamp: e.time,
    lastTimestamp: e.time,
    source: { component: e.component, ...(e.host ? { host: e.host } : {}) },
    reportingComponent: e.component,
    reportingInstance: e.host ?? '',
  };
}
