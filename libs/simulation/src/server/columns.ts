import type { Kind } from './kinds';
import type { KubeObject } from './kube-object';
import { text } from './kube-object';

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
export const NAME: Column = { name: 'Name', format: 'name', description: 'Name of the object.', cell: (o) => o.metadata.name };
export const AGE: Column = { name: 'Age', description: 'Time since the object was created.', cell: (o, now) => since(o.metadata.creationTimestamp, now) };
const CREATED: Column = { name: 'Created At', type: 'date', description: 'When the object was created.', cell: (o) => o.metadata.creationTimestamp };

export function columnsOf(_kind: Kind): Column[] {
  return [NAME, CREATED];
}
