import { z } from 'zod';

/** One value of a chart: where it stands among the release's values, and what it becomes. */
export const helmValueSchema = z.object({ path: z.array(z.union([z.string(), z.number().int().nonnegative()])).min(1), value: z.unknown() });
export type HelmValue = z.infer<typeof helmValueSchema>;

/** One field of what a release renders, as it is and as it becomes. */
export const renderedChangeSchema = z.object({
  /** `Deployment ns/name`. */
  object: z.string().max(600),
  /** JSON pointer into the rendered object. */
  path: z.string().max(1000),
  /** Absent where nothing stands. */
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});
export type RenderedChange = z.infer<typeof renderedChangeSchema>;

/** `helm upgrade` of one release: other values for the chart that it has, and what that changes in what it renders; nothing else. */
export const helmUpgradeSchema = z.object({
  release: z.string(),
  namespace: z.string(),
  /** The revision that was read: a release that has another by then is not upgraded. */
  revision: z.number().int().positive(),
  set: z.array(helmValueSchema).min(1),
  rendered: z.array(renderedChangeSchema).min(1),
});
export type HelmUpgrade = z.infer<typeof helmUpgradeSchema>;
