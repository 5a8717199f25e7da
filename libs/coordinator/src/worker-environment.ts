import { serviceEnvironmentSchema } from '@larry/service';
import { z } from 'zod';

/** What a worker reads from its environment: what every service reads, and its work order. */
export const workerEnvironmentSchema = serviceEnvironmentSchema.extend({
  LARRY_RUN: z.string(),
  LARRY_TASK: z.string(),
  LARRY_CLAIM: z.string(),
  LARRY_ID: z.string(),
  LARRY_WORKER: z.string(),
  LARRY_PLANNED_NODE: z.string(),
  LARRY_ATTEMPT: z.coerce.number().int().positive(),
  /** The node that a Job's pod runs on; a process has none but the planned one. */
  LARRY_NODE: z.string().max(253).optional(),
});
export type WorkerEnvironment = z.infer<typeof workerEnvironmentSchema>;

/** What a validation reads: a service's environment and whose tasks they are. */
export const validationEnvironmentSchema = serviceEnvironmentSchema.extend({ LARRY_ID: z.string() });
