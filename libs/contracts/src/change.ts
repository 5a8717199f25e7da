import { z } from 'zod';
import { objectRefSchema } from './finding';
import { gitBranchSchema } from './git-branch';
import { helmUpgradeSchema } from './helm-upgrade';

/** The annotation that every change of Larry's leaves on its object, in the same request. */
export const changeAnnotation = 'larry.dev/change';

/** One reversible step of a plan, before it is applied. Each is a JSON patch of one object, its creation or deletion, the upgrade of the Helm release that owns it, or a commit on a branch of the repository that it is applied from. */
export const plannedChangeSchema = z.object({
  /** Unique within the task and the same in every attempt: the last part of the change's id. */
  step: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  summary: z.string().max(500),
  verb: z.enum(['patch', 'create', 'delete', 'helm-upgrade', 'git-branch']),
  target: objectRefSchema,
  /** For `patch`: RFC 6902 operations without the `test`s, which the engine derives from `depends`. */
  patch: z.array(z.record(z.string(), z.unknown())).optional(),
  /** For `create`: the object. */
  object: z.record(z.string(), z.unknown()).optional(),
  /** For `helm-upgrade`: the values and what they change; `target` is the object that it mends. */
  helm: helmUpgradeSchema.optional(),
  /** For `git-branch`: the file's change; `target` is the object that it mends once somebody has merged it. */
  git: gitBranchSchema.optional(),
  /** JSON pointers to the fields that the diagnosis read; the change applies only while they are as read. */
  depends: z.array(z.string()),
  /** The step that this one belongs to: it is not made unless that was, in this attempt or an earlier one. */
  after: z.string().optional(),
  /** The kind of change, as the configuration of mode `auto` lists them: `workload-env`, … */
  category: z.string(),
  /** Always asks a person, also in mode `auto` (moving a database). */
  alwaysAsk: z.boolean().default(false),
});
export type PlannedChange = z.infer<typeof plannedChangeSchema>;

/** What became of a change. */
export const changeOutcomes = [
  'proposed',
  'dry-run-only',
  'unverified-no-patch-right',
  'awaiting-approval',
  'applied',
  'adopted',
  'verified',
  'provisional',
  'rolled-back',
  'superseded',
  'refused',
  'outcome-unknown',
] as const;

/** A change with what became of it, as reported. */
export const appliedChangeSchema = z.object({
  /** `<run>/<task>/<step>`. */
  id: z.string(),
  summary: z.string(),
  target: objectRefSchema,
  /** The Helm release that was upgraded for it: its mark is in the release's record, not on the object. */
  helm: z.object({ release: z.string(), namespace: z.string() }).optional(),
  /** The branch that holds it: nothing in the cluster changes until somebody merges it. The commit is there once it was made. */
  git: gitBranchSchema.pick({ branch: true, file: true, before: true, after: true, wanted: true }).extend({ commit: z.string().optional() }).optional(),
  outcome: z.enum(changeOutcomes),
  reason: z.string().optional(),
  /** Digest (sha-256, hex) of the change and of what was observed; what an approval is bound to. */
  digest: z.string(),
  /** The change as people read it, redacted. */
  diff: z.string().max(8000),
  approvedBy: z.string().optional(),
});
export type AppliedChange = z.infer<typeof appliedChangeSchema>;

const inEffect: ReadonlySet<AppliedChange['outcome']> = new Set(['applied', 'adopted', 'verified', 'provisional']);

/** Whether a change was made and not taken back, as far as is known. */
export function isInEffect({ outcome }: Pick<AppliedChange, 'outcome'>): boolean {
  return inEffect.has(outcome);
}
