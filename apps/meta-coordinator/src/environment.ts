import { modes } from '@larry/playbook';
import { serviceEnvironmentSchema } from '@larry/service';
import { z } from 'zod';
import { mirrorEnvironmentSchema } from './mirrors/sinks';

const list = z.string().transform((text) => text.split(',').map((part) => part.trim()).filter((part) => part !== ''));

const programs = z.string().transform((text, context): Record<string, string> => {
  const parsed = z.record(z.string(), z.string()).safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: 'must be JSON that names a program for each Larry, for example {"larry-01":"/opt/larry-01/worker.js"}' });
  return z.NEVER;
});

/** What the meta-coordinator reads from its environment, beside what every service reads. */
export const metaEnvironmentSchema = serviceEnvironmentSchema.extend(mirrorEnvironmentSchema.shape).extend({
  /** Who may change anything: JSON `{"name":"<sha-256 of the token, hex>"}`, or lines `name:<sha-256>`. Without it nothing can be changed. */
  LARRY_TOKENS_FILE: z.string().optional(),
  /** The private key (PEM file) that approvals are signed with; without it nothing can be approved here. */
  LARRY_APPROVAL_PRIVATE_KEY: z.string().optional(),
  /** Modes that a run over a real source may have, separated by commas. The simulated cluster takes every mode. */
  LARRY_MODES_ALLOWED: list.pipe(z.array(z.enum(modes))).default(['observe']),
  /** Where the last run's findings are kept for the next comparison. */
  LARRY_STATE_DIR: z.string().default('.larry/state'),
  /** The worker program of each Larry, asked to validate its own tasks: JSON. */
  LARRY_WORKER_PROGRAMS: programs.default({}),
  /** How long one Larry's validation may take, milliseconds. */
  LARRY_VALIDATION_TIMEOUT_MS: z.coerce.number().int().min(100).max(3_600_000).default(180_000),
});
export type MetaEnvironment = z.infer<typeof metaEnvironmentSchema>;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
