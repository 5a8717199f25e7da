import { Coordination, type RunSnapshot } from '@larry/coordination';
import type { RedisClient } from '@larry/redis';
import { eventually, testRedis } from '@larry/redis/testing';
import { childPrelude } from '@larry/service/testing';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { aPlanOf } from './builders';
import { startLarryService, type LarryServiceOptions } from './larry-service';
import { writeRunDocument } from './run-document';
import { runSpecOf } from './run-plan';

/** A Larry that was started by {@link startLarryForTest}. */
export interface LarryUnderTest {
  url: string;
  redis: RedisClient;
  coordination: Coordination;
  /** Begins a run of these tasks of its own in mode `observe`, and waits until its phase has ended. */
  run(tasks: readonly ({ id: string } & Record<string, unknown>)[]): Promise<RunSnapshot>;
  stop(): Promise<void>;
}

/**
 * Starts one Larry in this process, over a real Redis and a folder with this manifest; its workers are processes that run
 * `library` (`@larry/playbooks-security securityPlaybooks`) from the sources. Changes `process.env` of the test.
 */
export async function startLarryForTest(larry: LarryServiceOptions, library: { package: string; name: string }, manifest: string): Promise<LarryUnderTest> {
  const folder = mkdtempSync(path.join(tmpdir(), `${larry.id}-`));
  mkdirSync(path.join(folder, 'manifests'));
  writeFileSync(path.join(folder, 'manifests', 'a.yaml'), manifest);
  const workerProgram = path.join(folder, 'worker.js');
  writeFileSync(workerProgram, workerOf(library));
  const servers = await testRedis();
  const redis = await servers.client();
  Object.assign(process.env, {
    REDIS_URL: servers.url,
    LARRY_PREFIX: redis.prefix,
    PORT: '0',
    LOG_LEVEL: 'silent',
    LARRY_SOURCE: `manifests:${path.join(folder, 'manifests')}`,
    LARRY_AUDIT_LOG: path.join(folder, 'audit.jsonl'),
    LARRY_LOG_DIR: path.join(folder, 'logs'),
  });
  const running = await startLarryService({ ...larry, workerProgram });
  const coordination = new Coordination(redis);
  return {
    url: `http://127.0.0.1:${running.port}`,
    redis,
    coordination,
    run: (tasks) => runOf(coordination, larry.id, tasks),
    stop: async () => {
      await running.stop();
      await servers.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Its working directory is the repository, as the test's own. */
function workerOf(library: { package: string; name: string }): string {
  const fromRepository = `const { createRequire } = require('node:module'); require = createRequire(process.cwd() + '/package.json');`;
  return `${fromRepository}${childPrelude}
require('@larry/coordinator').runWorkerProgram([require(${JSON.stringify(library.package)})[${JSON.stringify(library.name)}]]);`;
}

async function runOf(coordination: Coordination, larry: string, tasks: readonly ({ id: string } & Record<string, unknown>)[]): Promise<RunSnapshot> {
  const plan = aPlanOf(larry, tasks);
  const run = 'run-test';
  await writeRunDocument(coordination, { run, mode: 'observe', plan, allow: [] });
  await coordination.createRun(runSpecOf(plan, run, 'observe'));
  let snapshot: RunSnapshot | undefined;
  await eventually(async () => {
    snapshot = await coordination.snapshot();
    const phase = snapshot?.run.phases.find((p) => p.larry === larry);
    if (phase?.status !== 'completed' && phase?.status !== 'failed') throw new Error(`the phase is ${phase?.status ?? 'not there'}`);
  }, 60_000);
  return snapshot as RunSnapshot;
}
