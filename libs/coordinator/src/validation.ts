import { taskResultSchema, type Criterion, type Validation, type Verdict } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { findPlaybook, type PlaybookLibrary, type PlaybookLog } from '@larry/playbook';
import { z } from 'zod';
import { playbookContext } from './playbook-context';

/** What a Larry is asked to validate: standard input of a worker program that was started with `LARRY_VALIDATE=1`. */
export const validationRequestSchema = z.object({
  run: z.string(),
  tasks: z.array(z.object({ task: z.string(), options: z.record(z.string(), z.unknown()), result: taskResultSchema })),
});
export type ValidationRequest = z.infer<typeof validationRequestSchema>;

const worst: Record<Verdict, number> = { met: 0, provisional: 1, unknown: 2, 'not-met': 3 };

/** The criteria that do not hold any more as they were claimed: their verdict is worse, or they are not spoken of. */
export function turnedCriteria(claimed: readonly Criterion[], now: readonly Criterion[]): string[] {
  return claimed
    .filter((before) => {
      const after = now.find((c) => c.id === before.id);
      return worst[after?.verdict ?? 'unknown'] > worst[before.verdict];
    })
    .map((c) => c.id);
}

/** Looks anew at what tasks claimed. One task's trouble is its own: it is said as a problem, and the others go on. */
export async function validateAnew(
  request: ValidationRequest,
  parts: { larry: string; libraries: readonly PlaybookLibrary[]; cluster: ClusterReader; git?: string; signal: AbortSignal; log: PlaybookLog },
): Promise<Validation[]> {
  const results = new Map(request.tasks.map((t) => [t.task, t.result]));
  const validations: Validation[] = [];
  for (const { task, options, result } of request.tasks) {
    const base = { task, larry: parts.larry, at: new Date().toISOString() };
    const known = findPlaybook(parts.libraries, task);
    if (!known || !('playbook' in known)) {
      validations.push({ ...base, criteria: [], turned: [], problem: 'this Larry has no playbook for it' });
      continue;
    }
    const parsed = known.playbook.options.safeParse(options);
    const context = playbookContext({ ...parts, run: request.run, task, options: (parsed.data ?? options) as Record<string, unknown>, results, progress: () => undefined });
    try {
      const criteria = await known.playbook.validate(context, result);
      validations.push({ ...base, criteria, turned: turnedCriteria(result.criteria, criteria) });
    } catch (error) {
      const problem = `could not be observed anew: ${error instanceof Error ? error.message : String(error)}`;
      validations.push({ ...base, criteria: [], turned: [], problem });
    }
  }
  return validations;
}
