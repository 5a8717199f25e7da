import { z } from 'zod';

/** An object's id in a repository: SHA-1 or SHA-256. */
const objectIdSchema = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

/** What an object is, without what tells two lives of it apart. */
const declaredSchema = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string().optional(), name: z.string() });

/** One field of one document of a file. It holds the new value, and nothing of what stands in the file. */
export const fileEditSchema = z.object({
  /** The document of the file, counted from 0. */
  document: z.number().int().nonnegative(),
  /** Where the field stands in the document. `-` at the end: after the last element of a list. A path that goes on below a string goes on in the YAML that the string holds. */
  path: z.array(z.union([z.string(), z.number().int().nonnegative()])).min(1),
  /** What it becomes. */
  set: z.unknown().optional(),
  /** It is taken away. */
  remove: z.literal(true).optional(),
});
export type FileEdit = z.infer<typeof fileEditSchema>;

/** How a file of the repository becomes another. The same file and the same edits give the same blob, so that the text itself is nowhere written down. */
export const fileChangeSchema = z.object({
  /** From the root of the repository, `/` between folders. */
  file: z.string().min(1).max(1000),
  /** The file's blob as it was read. */
  before: objectIdSchema,
  /** Its blob with the edits made. */
  after: objectIdSchema,
  /** The object whose declaration is edited: the one at fault, or the one that makes it (a HelmRelease). */
  declares: declaredSchema,
  edits: z.array(fileEditSchema).min(1),
});
export type FileChange = z.infer<typeof fileChangeSchema>;

/** A change of one file as a commit on a branch of its own. */
export const gitBranchSchema = fileChangeSchema.extend({
  /** Without `refs/heads/`. The same change of the same file has the same branch, whichever run makes it. */
  branch: z.string().regex(/^larry\/[a-z0-9]+(?:-[a-z0-9]+)*$/).max(120),
  /** The commit's message, without the trailer that names the change. */
  message: z.string().min(1).max(2000),
  /** What the object at fault will have once this has reached the cluster: RFC 6902 without tests. */
  wanted: z.array(z.record(z.string(), z.unknown())).min(1),
  /** The file's change for people: secrets struck out. */
  diff: z.string().max(8000),
});
export type GitBranch = z.infer<typeof gitBranchSchema>;
