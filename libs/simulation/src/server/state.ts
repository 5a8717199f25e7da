import type { Json, KubeObject } from './kube-object';
import type { KindRegistry } from './registry';
import type { Store } from './store';

/** One accepted write. */
export interface JournalEntry {
  /** Counts from 1 without gaps, in the order of the writes. */
  seq: number;
  time: string;
  verb: 'create' | 'update' | 'patch' | 'delete';
  group: string;
  version: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name: string;
  user: string;
  manager: string;
  userAgent: string;
  /** The value of the object's annotation `larry.dev/change` after the write (before it, for a delete). */
  change?: string;
  /** The object's resourceVersion after the write; the same as before where the write changed nothing. */
  resourceVersion: string;
  /** False where the write was accepted and changed nothing. */
  changed: boolean;
}

/** What all parts of the server share. */
export interface ServerState {
  store: Store;
  kinds: KindRegistry;
  now: () => Date;
  journal: JournalEntry[];
  frozen: boolean;
}

/** Who asks, and how: what a write needs to know of its request. */
export interface Caller {
  user: string;
  groups: string[];
  manager: string;
  userAgent: string;
  dryRun: boolean;
  fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Fields that stood twice in the sent JSON. */
  duplicates: string[];
  /** Warnings for the client, sent as `Warning: 299` headers. */
  warnings: string[];
  verb: JournalEntry['verb'];
}

export const CHANGE_ANNOTATION = 'larry.dev/change';
export type { Json, KubeObject };
