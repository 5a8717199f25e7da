import type { Journal, JournalEntry } from './journal';
import type { KindRegistry } from './registry';
import type { Store } from './store';

/** What listens at the address of a pod that is played: its shape is the cluster's `PodNetwork`. */
export interface PodPorts {
  knows(address: string): boolean;
  at(address: string, port: number, now?: number): { http?: (path: string) => number; tls?: boolean; says?: string } | undefined;
}

/** What all parts of the server share. */
export interface ServerState {
  store: Store;
  kinds: KindRegistry;
  now: () => Date;
  journal: Journal;
  frozen: boolean;
  /** Who listens at pods' addresses; undefined where no pods are played. */
  network?: PodPorts;
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
