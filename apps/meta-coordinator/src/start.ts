import { AuditLog, readApprovalKey } from '@larry/audit';
import { Coordination } from '@larry/coordination';
import { readJournalKey } from '@larry/coordinator';
import { EventFeed, EventPublisher } from '@larry/events';
import { EventServer } from '@larry/events/nest';
import { connectRedis, type RedisClient } from '@larry/redis';
import { ConfigurationError, createLogger, openConfiguredSource, type Logger } from '@larry/service';
import { startService, type ReadinessCheck } from '@larry/service/nest';
import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { accessMiddleware } from './access/access.middleware';
import { readTokens } from './access/tokens';
import { LastRunFile } from './converge/last-run';
import { ProcessValidator } from './converge/process-validator';
import { docsMiddleware } from './docs/docs.middleware';
import type { MetaEnvironment } from './environment';
import { MetaCoordinatorModule } from './meta-coordinator.module';
import { configuredSinks } from './mirrors/sinks';
import type { MetaParts } from './parts';

/** A running meta-coordinator. */
export interface RunningMeta {
  readonly app: INestApplication;
  readonly port: number;
  /** Hands the lease of a convergence back, ends the streams, closes every connection. */
  stop(): Promise<void>;
}

/** A probe comes every few seconds from each replica; the cluster is asked less often, and sooner where it did not answer. */
const clusterLookMs = { answered: 60_000, failed: 10_000 };

/** Starts the service. `replace` puts doubles in the place of parts, for tests. @throws ConfigurationError, or the errors of `@larry/redis` */
export async function startMetaCoordinator(env: MetaEnvironment, replace: Partial<MetaParts> = {}): Promise<RunningMeta> {
  const log = createLogger({ larry: 'meta-coordinator' }, env.LOG_LEVEL);
  const tokens = env.LARRY_TOKENS_FILE ? readTokens(env.LARRY_TOKENS_FILE, (message) => log.error({}, message)) : undefined;
  const approvalKey = env.LARRY_APPROVAL_PRIVATE_KEY ? configured('LARRY_APPROVAL_PRIVATE_KEY', () => readApprovalKey(env.LARRY_APPROVAL_PRIVATE_KEY ?? '', 'private')) : undefined;
  const journalKey = env.LARRY_JOURNAL_KEY ? configured('LARRY_JOURNAL_KEY', () => readJournalKey(env.LARRY_JOURNAL_KEY ?? '')) : undefined;
  const redis = await connectRedis({ url: env.REDIS_URL, prefix: env.LARRY_PREFIX, name: 'meta-coordinator', onError: (error) => log.warn({ error: error.message }, 'redis') });
  try {
    const parts: MetaParts = { ...(await openParts(env, log, redis)), ...(approvalKey ? { approvalKey } : {}), ...(journalKey ? { journalKey } : {}), ...replace };
    const { app, port } = await startService({
      module: MetaCoordinatorModule.forRoot(parts, readinessChecks(parts)),
      log,
      port: env.PORT,
      listen: env.LARRY_LISTEN,
      ...(env.LARRY_READY_FILE ? { readyFile: env.LARRY_READY_FILE } : {}),
      events: new EventServer({ redis, log }),
      prepare: (app) => prepare(app as NestExpressApplication, { listen: env.LARRY_LISTEN, ...(tokens ? { tokens } : {}) }),
    });
    return { app, port, stop: () => app.close() };
  } catch (error) {
    await redis.close();
    throw error;
  }
}

async function openParts(env: MetaEnvironment, log: Logger, redis: RedisClient): Promise<MetaParts> {
  return {
    env,
    log,
    redis,
    coordination: new Coordination(redis),
    feed: await EventFeed.open(redis, { log }),
    events: new EventPublisher(redis),
    sinks: await configuredSinks(env, log),
    audit: new AuditLog(env.LARRY_AUDIT_LOG),
    validator: new ProcessValidator({ programs: env.LARRY_WORKER_PROGRAMS, timeoutMs: env.LARRY_VALIDATION_TIMEOUT_MS }),
    lastRun: new LastRunFile(env.LARRY_STATE_DIR),
    openCluster: () => openConfiguredSource(env),
  };
}

/** In this order: access, then parsing, so that nothing is parsed for whoever may not send it. */
function prepare(app: NestExpressApplication, rules: Parameters<typeof accessMiddleware>[0]): void {
  app.disable('x-powered-by');
  app.use(accessMiddleware(rules));
  app.use(docsMiddleware(app));
  app.useBodyParser('json', { limit: '1mb' });
}

function readinessChecks(parts: MetaParts): ReadinessCheck[] {
  let looked: { answer: Promise<void>; until: number } | undefined;
  const look = async (): Promise<void> => (await parts.openCluster()).close();
  return [
    { name: 'redis', check: async () => void (await parts.redis.time()) },
    {
      name: 'cluster',
      check: () => {
        if (looked && Date.now() < looked.until) return looked.answer;
        const now = { answer: look(), until: Date.now() + clusterLookMs.answered };
        now.answer.catch(() => (now.until = Date.now() + clusterLookMs.failed));
        looked = now;
        return now.answer;
      },
    },
  ];
}

/** What a variable names, read. @throws ConfigurationError that names the variable */
function configured<T>(variable: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigurationError(`${variable}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
