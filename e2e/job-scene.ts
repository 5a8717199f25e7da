import { planTasks, type KubeObject, type Plan } from '@larry/contracts';
import { Coordination } from '@larry/coordination';
import type { TestRedis } from '@larry/redis/testing';
import { ApiClient, startSimulatedCluster, type SimulatedCluster } from '@larry/simulation';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Crew, testWorkerProgram } from './src/crew';
import { jobNamespace, jobTemplateText } from './src/job-template';
import { PodRunner, runnerObjects, type ImageOutcome, type RunnerPod } from './src/pod-runner';
import { startConverger } from './src/run';
import { countEffects, objectsFor, type EffectCounts } from './src/target';

/** A cluster whose workers are Jobs, a coordination under a prefix of its own, and a crew that launches them. */
export interface JobScene {
  readonly coordination: Coordination;
  readonly cluster: SimulatedCluster;
  readonly api: ApiClient;
  readonly crew: Crew;
  readonly runner: PodRunner;
  /** The Jobs that are there. */
  jobs(): readonly KubeObject[];
  /** Names of the Jobs that were ever created, by the API server's journal. */
  jobsMade(): string[];
  counts(run: string): EffectCounts;
  view(name: string): Promise<string | null>;
  end(): Promise<void>;
}

/** What differs between scenes. `image` decides by the task; by default every pod runs at once. */
export interface JobSceneOptions {
  /** 10 s by default: long enough for a machine that does other things too. */
  ttlMs?: number;
  env?: Record<string, string>;
  image?: (task: string, pod: RunnerPod) => ImageOutcome | undefined;
  objects?: readonly KubeObject[];
}

export const jobKind = { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true };
export const podKind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

/** Sets a scene for a plan on a running Redis. */
export async function aJobScene(redis: Pick<TestRedis, 'url' | 'client'>, plan: Plan, options: JobSceneOptions = {}): Promise<JobScene> {
  const { ttlMs = 10_000, image } = options;
  const tasks = planTasks(plan).filter((t) => t.id.startsWith('effects-'));
  const cluster = await startSimulatedCluster({ objects: [...runnerObjects(jobNamespace), ...objectsFor(tasks).map(withoutPods), ...(options.objects ?? [])] });
  const client = await redis.client();
  const coordination = new Coordination(client);
  const converger = await startConverger(coordination);
  const crew = new Crew({ redisUrl: redis.url, prefix: client.prefix, kubeconfig: cluster.kubeconfig, ttlMs });
  const template = path.join(crew.folder, 'job.yaml');
  const { LARRY_PREFIX: _, LARRY_LEASE_TTL_MS: __, ...workerEnv } = crew.env;
  writeFileSync(template, jobTemplateText({ ...workerEnv, HOME: crew.folder }));
  Object.assign(crew.env, { LARRY_LAUNCHER: 'job', LARRY_JOB_TEMPLATE: template, LARRY_NAMESPACE: jobNamespace, LARRY_LAUNCH_PATIENCE_MS: '20000', ...options.env });
  const runner = new PodRunner(cluster, (pod) => image?.(pod.metadata.labels?.['larry.dev/task'] ?? '', pod) ?? { program: testWorkerProgram });
  await runner.start();
  const api = new ApiClient({ url: cluster.url, token: cluster.adminToken, userAgent: 'test' });
  return {
    coordination,
    cluster,
    api,
    crew,
    runner,
    jobs: () => cluster.server.objects('jobs.batch', jobNamespace) as readonly KubeObject[],
    jobsMade: () => cluster.server.journal().filter((e) => e.resource === 'jobs' && e.verb === 'create').map((e) => e.name).sort(),
    counts: (run) => countEffects(cluster.server, run, tasks),
    view: (name) => client.commands.get(client.key(name)),
    end: async () => {
      await crew.stop();
      await converger.stop();
      await runner.stop();
      await client.close();
      api.close();
      await cluster.close();
    },
  };
}

/** The targets of effects: their own pods are of no interest here. */
function withoutPods(object: KubeObject): KubeObject {
  return object.kind === 'Deployment' ? { ...object, spec: { ...(object['spec'] as object), replicas: 0 } } : object;
}
