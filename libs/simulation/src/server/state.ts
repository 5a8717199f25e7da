import type { Journal, JournalEntry } from './journal';
import type { KindRegistry } from './registry';
import type { Store } from './store';

/** What all parts of the server share. */
export interface ServerState {
  store: Store;
  kinds: KindRegistry;
  now: () => Date;
  journal: Journal;
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
