import { z } from 'zod';

/** What every service reads from its environment. Names are documented in `docs/operations.md`. */
export const serviceEnvironmentSchema = z.object({
  /** `redis://`, `rediss://`, `redis-sentinel://…` or `redis-cluster://…`. */
  REDIS_URL: z.string().min(1, 'must name the Redis, for example redis://127.0.0.1:6379'),
  /** Credentials for an address that names none, as they are: they need no percent-encoding. */
  REDIS_USERNAME: z.string().optional(),
  REDIS_PASSWORD: z.string().optional(),
  /** Goes before every key and channel; empty so that the quick start's lines work. */
  LARRY_PREFIX: z.string().default(''),
  /** Where HTTP (health, metrics, API) listens; 0 takes any free port. */
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  /** The address HTTP listens on: loopback unless a pod says otherwise. */
  LARRY_LISTEN: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** What is read: `live`, or `manifests:DIR`, `snapshot:DIR`, `dump:DIR`. */
  LARRY_SOURCE: z
    .string()
    .regex(/^(live|(manifests|snapshot|dump):.+)$/, 'must be live, or manifests:DIR, snapshot:DIR, dump:DIR')
    .default('live'),
  /** The kubeconfig of a live source; without it KUBECONFIG, ~/.kube/config or the pod's own account. */
  LARRY_KUBECONFIG: z.string().optional(),
  LARRY_CONTEXT: z.string().optional(),
  /** A working clone of the Git repository that manifests come from; never fetched or pushed. In `ask` and `auto` branches are made in it. */
  LARRY_GIT_REPOSITORY: z.string().optional(),
  /** The append-only log of changes and approvals. */
  LARRY_AUDIT_LOG: z.string().default('.larry/audit.jsonl'),
  /** The public key (PEM file) by which approvals are verified; without it nothing can be approved. */
  LARRY_APPROVAL_PUBLIC_KEY: z.string().optional(),
  /** File with the secret that seals the journal of changes; without it nothing can be changed. Not in Redis. */
  LARRY_JOURNAL_KEY: z.string().optional(),
  /** How workers are launched: as processes of this machine, or as Kubernetes Jobs. */
  LARRY_LAUNCHER: z.enum(['process', 'job']).default('process'),
  /** Milliseconds that a lease lives. */
  LARRY_LEASE_TTL_MS: z.coerce.number().int().min(200).max(600_000).default(30_000),
  /** When set, the service writes `{"port":…,"pid":…}` here once it listens. */
  LARRY_READY_FILE: z.string().optional(),
  /** `1`: the end of standard input ends the service; set by the process that started it. */
  LARRY_LEASH: z.string().optional(),
});
export type ServiceEnvironment = z.infer<typeof serviceEnvironmentSchema>;

/** The environment does not fit; the sentence names the variable. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/** Reads an environment by a schema. Throws {@link ConfigurationError} that names every variable that does not fit. */
export function readEnvironment<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv = process.env): z.infer<S> {
  const given = Object.fromEntries(Object.entries(env).filter(([, v]) => v !== ''));
  const parsed = schema.safeParse({ ...given, ...withCredentials(given) });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
  throw new ConfigurationError(`the environment does not fit: ${problems.join('; ')}`);
}

/** An address that names credentials keeps them. */
function withCredentials({ REDIS_URL: url, REDIS_USERNAME: user = '', REDIS_PASSWORD: password }: NodeJS.ProcessEnv): { REDIS_URL?: string } {
  const [, scheme, rest] = /^([a-z-]+:\/\/)([^/@]*(?:\/.*)?)$/.exec(url ?? '') ?? [];
  if (password === undefined || scheme === undefined || rest === undefined) return {};
  return { REDIS_URL: `${scheme}${encodeURIComponent(user)}:${encodeURIComponent(password)}@${rest}` };
}
