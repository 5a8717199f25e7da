import { modes } from '@larry/playbook';
import { z } from 'zod';

/** Body of `POST /runs`. */
export const beginRunSchema = z.strictObject({
  /** The plan document, as parsed from `plans/3-larry.yaml`. */
  plan: z.unknown(),
  mode: z.enum(modes).default('observe'),
  /** Categories of change that mode `auto` may make without asking. */
  allow: z.array(z.string().min(1).max(100)).max(100).default([]),
  /** The run's id; a new one by default. The same again is the same run. */
  run: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be 1 to 100 letters, digits and . _ -, and begin with a letter or digit')
    .optional(),
  /** Refuse a plan whose nodes the cluster does not have, instead of warning. */
  strictNodes: z.boolean().default(false),
});
export type BeginRun = z.infer<typeof beginRunSchema>;

/** Body of `POST /approvals/:digest`. */
export const decisionSchema = z.strictObject({ decision: z.enum(['granted', 'denied']) });
export type Decision = z.infer<typeof decisionSchema>;

/** The beginning of a digest, long enough to mean one. */
export const digestPrefixSchema = z.string().regex(/^[0-9a-f]{8,64}$/, 'a digest is 8 to 64 hex digits in lower case');
