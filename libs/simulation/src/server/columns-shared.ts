import type { Fields, KubeObject } from './kube-object';
import { at, list, text } from './kube-object';

/** A column of `kubectl get`. */
export interface Column {
  name: string;
  type?: string;
  format?: string;
  /** 0 is always shown, 1 with `-o wide`. */
  priority?: number;
  description?: string;
  cell: (object: KubeObject, now: Date) => unknown;
}

/** An age as kubectl writes it: two units at most, seconds up to two minutes. */
export function duration(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 0) return s >= -1 ? '0s' : '<invalid>';
  if (s < 120) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 10) return s % 60 === 0 ? `${m}m` : `${m}m${s % 60}s`;
  if (m < 180) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 8) return m % 60 === 0 ? `${h}h` : `${h}h${m % 60}m`;
  if (h < 48) return `${h}h`;
  const d = Math.floor(h / 24);
  if (h < 192) return h % 24 === 0 ? `${d}d` : `${d}d${h % 24}h`;
  if (d < 730) return `${d}d`;
  const y = Math.floor(d / 365);
  if (d < 8 * 365) return d % 365 === 0 ? `${y}y` : `${y}y${d % 365}d`;
  return `${y}y`;
}

export const since = (time: unknown, now: Date): string => (text(time) ? duration(now.getTime() - Date.parse(text(time))) : '<unknown>');

export const col = (name: string, cell: Column['cell'], more: Partial<Column> = {}): Column => ({ name, cell, description: `${name} of the object.`, ...more });
export const wide = (name: string, cell: Column['cell'], more: Partial<Column> = {}): Column => col(name, cell, { priority: 1, ...more });
export const count = (name: string, ...path: string[]): Column => col(name, (o) => at(o, ...path) ?? 0, { type: 'integer' });

export const NAME: Column = col('Name', (o) => o.metadata.name, { format: 'name' });
export const AGE: Column = col('Age', (o, now) => since(o.metadata.creationTimestamp, now), { description: 'Time since the object was created.' });
export const CREATED: Column = col('Created At', (o) => o.metadata.creationTimestamp, { type: 'date', description: 'When the object was created.' });

const containersOf = (o: KubeObject, ...path: string[]): Fields[] => list(at(o, ...path, 'containers'));
/** Names and images of a template's containers, and the selector: what `-o wide` adds to workloads. */
export const templateColumns = (...path: string[]): Column[] => [
  wide('Containers', (o) => containersOf(o, ...path).map((c) => text(c['name'])).join(',')),
  wide('Images', (o) => containersOf(o, ...path).map((c) => text(c['image'])).join(',')),
];
