import { Coordination } from '@larry/coordination';
import { connectRedis } from '@larry/redis';
import { createLogger, openConfiguredSource, readEnvironment } from '@larry/service';
import type { PlaybookLibrary } from '@larry/playbook';
import { validateAnew, validationRequestSchema } from './validation';
import { runWorker, workerExitCodes } from './worker';
import { validationEnvironmentSchema, workerEnvironmentSchema } from './worker-environment';

/**
 * The main function of a Larry's worker program: one task by its environment, or with `LARRY_VALIDATE=1` the validation
 * of the tasks that standard input names, answered on standard output.
 */
export function runWorkerProgram(libraries: readonly PlaybookLibrary[]): void {
  const main = process.env['LARRY_VALIDATE'] === '1' ? validate(libraries) : work(libraries);
  main.then(
    (code) => process.exit(code),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      process.stderr.write(`${JSON.stringify({ level: 'error', time: new Date().toISOString(), msg: 'worker ended', error: message })}\n`);
      process.exit(workerExitCodes.tryAgain);
    },
  );
}

async function work(libraries: readonly PlaybookLibrary[]): Promise<number> {
  const environment = readEnvironment(workerEnvironmentSchema);
  const { LARRY_RUN: run, LARRY_ID: larry, LARRY_TASK: task, LARRY_WORKER: worker } = environment;
  const log = createLogger({ run, larry, task, worker }, environment.LOG_LEVEL);
  const redis = await connectRedis({ url: environment.REDIS_URL, prefix: environment.LARRY_PREFIX, name: `${larry}-${worker}` });
  try {
    return await runWorker({
      environment,
      coordination: new Coordination(redis),
      libraries,
      openCluster: () => openConfiguredSource(environment),
      log,
      stop: stopSignal(),
    });
  } finally {
    await redis.close();
  }
}

/** How long a worker without its coordinator may take to give its task back. */
const orphanLivesMs = 4000;

/** Told to end by SIGTERM or SIGINT, or, with `LARRY_LEASH=1`, by the end of its standard input: its coordinator is gone. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const orphaned = (): void => {
    // With its coordinator its Redis may be gone too: what is tried again there must not keep this process.
    setTimeout(() => process.exit(workerExitCodes.tryAgain), orphanLivesMs).unref();
    stop();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (process.env['LARRY_LEASH'] === '1') process.stdin.once('end', orphaned).once('error', orphaned).resume();
  return controller.signal;
}

async function validate(libraries: readonly PlaybookLibrary[]): Promise<number> {
  const environment = readEnvironment(validationEnvironmentSchema);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const request = validationRequestSchema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  // Standard output carries the answer alone; logs would break it.
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const cluster = await openConfiguredSource(environment);
  try {
    const signal = new AbortController().signal;
    const validations = await validateAnew(request, { larry: environment.LARRY_ID, libraries, cluster, ...(environment.LARRY_GIT_REPOSITORY ? { git: environment.LARRY_GIT_REPOSITORY } : {}), signal, log });
    await new Promise<void>((resolve) => process.stdout.write(JSON.stringify({ validations }), () => resolve()));
    return workerExitCodes.done;
  } finally {
    await cluster.close();
  }
}
