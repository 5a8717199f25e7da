import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy, MicroserviceOptions } from '@nestjs/microservices';
import { renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { ConfigurationError } from './config';
import { NestLogger, type Logger } from './logging';

/** What a service is made of. */
export interface ServiceParts {
  module: DynamicModule | Type;
  log: Logger;
  port: number;
  listen: string;
  readyFile?: string;
  /** Server of the event channels; without one the service is plain HTTP. */
  events?: CustomTransportStrategy;
  /** Before it listens: documents, parsers. */
  prepare?(app: INestApplication): void | Promise<void>;
}

/**
 * Starts a hybrid application: HTTP and the event channels. SIGTERM and SIGINT close it, which runs every provider's
 * `onApplicationShutdown` (leases are handed back there).
 */
export async function startService(parts: ServiceParts): Promise<{ app: INestApplication; port: number }> {
  const app = await NestFactory.create(parts.module, { logger: new NestLogger(parts.log), abortOnError: false });
  // As a container's first process it cannot end itself by the signal again: the kernel ignores it there.
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: process.pid === 1 });
  if (parts.events) {
    app.connectMicroservice<MicroserviceOptions>({ strategy: parts.events });
    await app.startAllMicroservices();
  }
  await parts.prepare?.(app);
  await app.listen(parts.port, parts.listen);
  const { port } = app.getHttpServer().address() as AddressInfo;
  if (parts.readyFile) {
    const temporary = `${parts.readyFile}.${process.pid}`;
    writeFileSync(temporary, JSON.stringify({ port, pid: process.pid }));
    renameSync(temporary, parts.readyFile);
  }
  stopWithParent(app);
  parts.log.info({ port, address: parts.listen }, 'listening');
  return { app, port };
}

/** How long a service without its parent may take to hand back what it holds. */
const orphanLivesMs = 4000;

/** With `LARRY_LEASH=1` standard input is a leash: its end says that the process that started us is gone, however it went. */
function stopWithParent(app: INestApplication): void {
  if (process.env['LARRY_LEASH'] !== '1') return;
  const stop = (): void => {
    // With its parent its Redis may be gone too: what is tried again there must not keep this process.
    setTimeout(() => process.exit(1), orphanLivesMs).unref();
    void app.close().finally(() => process.exit(0));
  };
  process.stdin.once('end', stop).once('error', stop).resume();
}

/** Runs a service's main function; what it throws at start becomes one logged sentence and exit code 1 (2 for configuration). */
export function runService(main: () => Promise<unknown>): void {
  main().catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${JSON.stringify({ level: 'fatal', time: new Date().toISOString(), msg: 'cannot start', error: message })}\n`);
    process.exit(error instanceof ConfigurationError ? 2 : 1);
  });
}
