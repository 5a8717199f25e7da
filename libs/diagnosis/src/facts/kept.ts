import { printable, type KubeObject } from '@larry/contracts';
import { EventIndex } from './event-index';
import type { Facts } from './model';
import { objectKey, ObjectIndex } from './object-index';
import { podFacts, type PodFacts } from './pod-facts';
import { slim } from './slim';

/** What is kept of everything that was read. */
export class Kept {
  readonly objects = new ObjectIndex();
  readonly events = new EventIndex();
  readonly unknowns: Facts['unknowns'] = [];
  readonly origins: Facts['origins'] = new Map();
  readonly pods: PodFacts[] = [];

  take(object: KubeObject, origin?: { file: string; line?: number }): void {
    if (object.kind === 'Event') return this.events.add(object);
    const kept = slim(object);
    this.objects.add(kept);
    if (origin) this.origins.set(objectKey(kept), origin);
    if (object.kind === 'Pod') this.pods.push(podFacts(kept));
  }

  unknown(kind: string, reason: string): void {
    this.objects.unknown(kind, reason);
    this.unknowns.push({ subject: `${kind} objects`, reason: printable(reason, 300) });
  }

  incomplete(kind: string, reason: string): void {
    this.objects.unknown(kind, reason);
    this.unknowns.push({ subject: `some ${kind} objects`, reason: printable(reason, 300) });
  }
}
