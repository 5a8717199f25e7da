import { openLive, serviceAccountFolder } from '@larry/kube';
import type { PlaybookLog } from '@larry/playbook';
import { ConfigurationError, serviceEnvironmentSchema } from '@larry/service';
import { z } from 'zod';
import type { WorkerLauncher } from '../launcher';
import { ProcessLauncher } from '../process-launcher';
import { JobLauncher } from './job-launcher';
import { ownerFromTokenFile } from './job-owner';
import { JobTemplateError, readJobTemplate } from './job-template';

/** What a coordinator reads from its environment. Names are documented in `docs/operations.md`. */
export const larryEnvironmentSchema = serviceEnvironmentSchema.extend({
  /** Folder of the workers' logs, where they are processes. */
  LARRY_LOG_DIR: z.string().default('.larry/logs'),
  /** Workers at the same time: of this replica, where they are processes; of all replicas together, where they are Jobs. */
  LARRY_MAX_WORKERS: z.coerce.number().int().min(1).max(64).default(8),
  /** With Jobs: the file with the Job that each worker's is made from. */
  LARRY_JOB_TEMPLATE: z.string().optional(),
  /** With Jobs: the namespace that they are made in, which is the coordinator's own. */
  LARRY_NAMESPACE: z.string().optional(),
  /** With Jobs: whether a worker may run on another node than the planned one. */
  LARRY_NODE_AFFINITY: z.enum(['preferred', 'required']).default('preferred'),
  /** With Jobs: milliseconds from a Job's creation until its worker runs: an image pull may take minutes. */
  LARRY_START_LIMIT_MS: z.coerce.number().int().min(1000).max(3_600_000).default(600_000),
  /** With Jobs: milliseconds that what people must mend (an image, a Secret, room on a node, a quota) is waited for. */
  LARRY_LAUNCH_PATIENCE_MS: z.coerce.number().int().min(500).max(3_600_000).default(120_000),
  /** With Jobs: requests to the API server a second, with a burst of twice as many. */
  LARRY_API_PER_SECOND: z.coerce.number().min(1).max(1000).default(20),
});
export type LarryEnvironment = z.infer<typeof larryEnvironmentSchema>;

/** What a launcher is opened for. */
export interface LauncherFor {
  larry: string;
  /** The built worker program; Jobs have it in their image. */
  workerProgram: string;
  log: PlaybookLog;
}

/**
 * The launcher that `LARRY_LAUNCHER` names. One of Jobs tries its template once, without making anything.
 * @throws ConfigurationError, JobLauncherError, ClusterUnavailableError in one sentence
 */
export async function openLauncher(env: LarryEnvironment, { larry, workerProgram, log }: LauncherFor): Promise<WorkerLauncher & { problem?: string }> {
  // Their own PORT and ready file would be the coordinator's.
  const common = { PORT: '0', LARRY_LEASE_TTL_MS: String(env.LARRY_LEASE_TTL_MS) };
  if (env.LARRY_LAUNCHER === 'process') return new ProcessLauncher({ program: workerProgram, env: { ...common, LARRY_READY_FILE: '' }, logFolder: env.LARRY_LOG_DIR });
  const { template, namespace } = jobPlaceOf(env);
  const cluster = await openLive({
    ...(env.LARRY_KUBECONFIG ? { kubeconfig: env.LARRY_KUBECONFIG } : {}),
    ...(env.LARRY_CONTEXT ? { context: env.LARRY_CONTEXT } : {}),
    rate: { perSecond: env.LARRY_API_PER_SECOND, burst: 2 * env.LARRY_API_PER_SECOND },
  });
  return JobLauncher.open({
    larry,
    template,
    namespace,
    cluster,
    log,
    nodeAffinity: env.LARRY_NODE_AFFINITY,
    // A kubeconfig may name another account than the pod's.
    ...(env.LARRY_KUBECONFIG ? {} : { owner: ownerFromTokenFile(`${serviceAccountFolder()}/token`, namespace) }),
    env: { ...common, ...(env.LARRY_PREFIX === '' ? {} : { LARRY_PREFIX: env.LARRY_PREFIX }) },
    limits: { startLimitMs: env.LARRY_START_LIMIT_MS, patienceMs: env.LARRY_LAUNCH_PATIENCE_MS },
  });
}

function jobPlaceOf({ LARRY_JOB_TEMPLATE: file, LARRY_NAMESPACE: namespace }: LarryEnvironment) {
  if (!file) throw new ConfigurationError('LARRY_LAUNCHER is job: LARRY_JOB_TEMPLATE must name the file with the Job that each worker is made from');
  if (!namespace) throw new ConfigurationError('LARRY_LAUNCHER is job: LARRY_NAMESPACE must name the namespace of the Jobs, which is the coordinator\'s own');
  try {
    return { template: readJobTemplate(file, namespace), namespace };
  } catch (error) {
    if (error instanceof JobTemplateError) throw new ConfigurationError(error.message);
    throw error;
  }
}
