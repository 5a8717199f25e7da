import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Coordination } from '@larry/coordination';
import { EventServer } from '@larry/events/nest';
import type { PlaybookLibrary } from '@larry/playbook';
import { connectRedis, type RedisClient } from '@larry/redis';
import { createLogger, openConfiguredSource, readEnvironment } from '@larry/service';
import { createMetrics, ServiceModule, startService } from '@larry/service/nest';
import { Gauge } from 'prom-client';
import { ALERT_LOG, AlertsController } from './alerts.controller';
import { larryEnvironmentSchema, openLauncher, type LarryEnvironment } from './jobs/launcher-environment';
import { LarryEngine, type LarryEngineOptions } from './larry-engine';

/** What makes one Larry. */
export interface LarryServiceOptions {
  id: string;
  libraries: readonly PlaybookLibrary[];
  /** The built worker program beside the service's own. */
  workerProgram: string;
  extraViews?: LarryEngineOptions['extraViews'];
}

/** Hands the leases back before the process ends. */
class EngineShutdown implements OnApplicationShutdown {
  constructor(
    private readonly engine: LarryEngine,
    private readonly redis: RedisClient,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.engine.stop();
    await this.redis.close();
  }
}

@Module({})
class LarryModule {}

/** A Larry that listens. */
export interface RunningLarry {
  port: number;
  /** Hands the leases back and ends the service, not the process. */
  stop(): Promise<void>;
}

/** Starts one Larry as a NestJS service: health, metrics, the event channels, and its engine. */
export async function startLarryService(options: LarryServiceOptions): Promise<RunningLarry> {
  const env = readEnvironment(larryEnvironmentSchema);
  const log = createLogger({ larry: options.id }, env.LOG_LEVEL);
  const redis = await connectRedis({ url: env.REDIS_URL, prefix: env.LARRY_PREFIX, name: options.id, onError: (error) => log.warn({ error: error.message }, 'redis') });
  const coordination = new Coordination(redis);
  const launcher = await openLauncher(env, { larry: options.id, workerProgram: options.workerProgram, log });
  const engine = new LarryEngine({
    larry: options.id,
    coordination,
    launcher,
    log,
    ttlMs: env.LARRY_LEASE_TTL_MS,
    maxWorkers: env.LARRY_MAX_WORKERS,
    ...(options.extraViews ? { extraViews: options.extraViews } : {}),
  });
  const metrics = createMetrics({ larry_id: options.id });
  new Gauge({ name: 'larry_workers_active', help: 'Workers that this replica runs now', registers: [metrics], collect() { this.set(engine.activeWorkers); } });
  const service = ServiceModule.forRoot({
    checks: [
      { name: 'redis', check: async () => void (await redis.time()) },
      { name: 'cluster', check: () => clusterAnswers(env, launcher) },
    ],
    metrics,
  });
  const module: DynamicModule = {
    module: LarryModule,
    imports: [service],
    controllers: [AlertsController],
    providers: [
      { provide: EngineShutdown, useValue: new EngineShutdown(engine, redis) },
      { provide: ALERT_LOG, useValue: log },
    ],
  };
  const { app, port } = await startService({ module, log, port: env.PORT, listen: env.LARRY_LISTEN, ...(env.LARRY_READY_FILE ? { readyFile: env.LARRY_READY_FILE } : {}), events: new EventServer({ redis, log }) });
  await engine.start();
  return { port, stop: () => app.close() };
}

/** Where workers are Jobs their watches tell; a probe every ten seconds would be most of an idle coordinator's requests. */
async function clusterAnswers(env: LarryEnvironment, launcher: { problem?: string }): Promise<void> {
  if (env.LARRY_LAUNCHER === 'process') return (await openConfiguredSource(env)).close();
  if (launcher.problem) throw new Error(launcher.problem);
}
