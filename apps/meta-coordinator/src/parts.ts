import type { AuditLog } from '@larry/audit';
import type { Coordination } from '@larry/coordination';
import type { EventFeed, EventPublisher } from '@larry/events';
import type { ClusterReader } from '@larry/kube';
import type { RedisClient } from '@larry/redis';
import type { Logger } from '@larry/service';
import type { KeyObject } from 'node:crypto';
import type { LastRunFile } from './converge/last-run';
import type { Validator } from './converge/validator';
import type { MetaEnvironment } from './environment';
import type { ConfiguredSink } from './mirrors/sinks';

/** What the meta-coordinator works with; opened once by `startMetaCoordinator`. */
export interface MetaParts {
  readonly env: MetaEnvironment;
  readonly log: Logger;
  readonly redis: RedisClient;
  readonly coordination: Coordination;
  readonly feed: EventFeed;
  readonly events: EventPublisher;
  /** Where events are carried to, outside Redis. */
  readonly sinks: readonly ConfiguredSink[];
  readonly audit: AuditLog;
  /** Absent where no key is configured: then nothing can be approved here. */
  readonly approvalKey?: KeyObject;
  /** Seals results; absent where no key is configured: then a result in Redis is believed. */
  readonly journalKey?: Buffer;
  readonly validator: Validator;
  readonly lastRun: LastRunFile;
  /** Opens the configured source anew: what it reads is never older than this call. */
  openCluster(): Promise<ClusterReader>;
}

/** Injection token of {@link MetaParts}. */
export const PARTS = Symbol('meta-coordinator parts');
