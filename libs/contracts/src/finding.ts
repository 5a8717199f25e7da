import { z } from 'zod';
import { fileChangeSchema } from './git-branch';
import { helmUpgradeSchema } from './helm-upgrade';

/** Worst first. */
export const severities = ['critical', 'high', 'medium', 'low', 'info'] as const;
export const severitySchema = z.enum(severities);
export type Severity = z.infer<typeof severitySchema>;

/** Sorts worst first. */
export function compareSeverity(a: Severity, b: Severity): number {
  return severities.indexOf(a) - severities.indexOf(b);
}

export const objectRefSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string().optional(),
  name: z.string(),
  uid: z.string().optional(),
});

/** Who owns an object, and so where a change to it belongs. */
export const ownerSchema = z.discriminatedUnion('kind', [
  /** A Helm release; `valuePath` of a remedy speaks of its values. */
  z.object({ kind: z.literal('helm'), release: z.string(), namespace: z.string(), chart: z.string().optional() }),
  z.object({ kind: z.literal('flux'), resource: z.string() }),
  z.object({ kind: z.literal('argocd'), application: z.string() }),
  /** An AddOn of k3s: a manifest in the server's manifests folder. */
  z.object({ kind: z.literal('k3s-addon'), addon: z.string(), source: z.string().optional() }),
  z.object({ kind: z.literal('k3s-helmchart'), chart: z.string(), namespace: z.string() }),
  /** Another object: a Deployment for its ReplicaSet, an operator's custom resource. */
  z.object({ kind: z.literal('controller'), ref: objectRefSchema }),
  /** A file in a tree of manifests. */
  z.object({ kind: z.literal('manifest'), file: z.string(), line: z.number().int().positive().optional() }),
  /** Nothing claims it: whoever applied it last, by field manager. */
  z.object({ kind: z.literal('none'), lastManager: z.string().optional() }),
  /** No mark on the object says whose it is, and who wrote it the source does not hold (`not in dump`): never shown as nobody's. */
  z.object({ kind: z.literal('unknown'), reason: z.string() }),
]);
export type Owner = z.infer<typeof ownerSchema>;

/** One pointer to what was seen. `at` points into the object (`.spec.containers[0].image`), a log (`log:pgadmin:previous`) or an event. */
export const evidenceSchema = z.object({
  object: objectRefSchema,
  at: z.string().max(500),
  /** What stands there, redacted. */
  value: z.string().max(1000),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** The change of the live object that an owner's source has to bring about: RFC 6902 without tests. */
const wantedSchema = z.array(z.record(z.string(), z.unknown())).optional();

/** The exact change that mends a finding, at the layer that owns the object. */
export const remedySchema = z.discriminatedUnion('layer', [
  z.object({
    layer: z.literal('helm-value'),
    release: z.string(),
    namespace: z.string(),
    /** YAML for the release's values. */
    values: z.string(),
    /** What to type: `helm upgrade …`. */
    command: z.string().optional(),
    note: z.string().optional(),
    /** Set once the chart was rendered and this is what the values do. */
    upgrade: helmUpgradeSchema.optional(),
    wanted: wantedSchema,
  }),
  z.object({
    layer: z.literal('manifest'),
    file: z.string().optional(),
    line: z.number().int().positive().optional(),
    /** YAML that shows the fields as they should be. */
    yaml: z.string(),
    note: z.string().optional(),
    wanted: wantedSchema,
    /**
     * Set where the change belongs to what declares another object than the one at fault (the values of a HelmRelease): that object, and its
     * change, as `wanted`. A path that goes on below a string goes on in the YAML that the string holds.
     */
    declared: z.object({ object: objectRefSchema, wanted: z.array(z.record(z.string(), z.unknown())).min(1) }).optional(),
    /** A unified diff of that file, where it could be read. */
    diff: z.string().optional(),
    /** Set with the diff: what a commit of it is made of. */
    change: fileChangeSchema.optional(),
  }),
  z.object({
    layer: z.literal('patch'),
    target: objectRefSchema,
    patchType: z.enum(['json', 'merge', 'strategic']),
    patch: z.unknown(),
    /** What to type: `kubectl patch …`. */
    command: z.string(),
    note: z.string().optional(),
  }),
  /** No change of Larry's: a person has to do or decide something. */
  z.object({ layer: z.literal('none'), reason: z.string(), wanted: wantedSchema }),
]);
export type Remedy = z.infer<typeof remedySchema>;

/** Something that is wrong, with its evidence. */
export const findingSchema = z.object({
  /** Stable over runs: rule, object and field; the key for `--since last` and exceptions. */
  id: z.string().max(500),
  /** The rule that said so, `pss-baseline/host-namespaces`; described in the playbook's readme. */
  rule: z.string().max(200),
  task: z.string(),
  severity: severitySchema,
  title: z.string().max(500),
  object: objectRefSchema,
  owner: ownerSchema,
  evidence: z.array(evidenceSchema).min(1),
  remedy: remedySchema,
  /** 0–1; 1 where the rule follows from the object alone. */
  confidence: z.number().min(0).max(1),
  /** Sources of the rule: a section of a manual, a KEP, a CVE. */
  references: z.array(z.string()).default([]),
  /** Other objects hit by the same root cause (replicas, pods of a Deployment), as `Kind ns/name`. */
  also: z.array(z.string()).default([]),
  /** True when it was seen that something does not work now; a risk, or a manifest that would not start, is none. */
  broken: z.boolean().optional(),
  /** The remedy names what is meant by its name alone: a person says whether it is. */
  guess: z.literal(true).optional(),
  /** Set when an exception of the exceptions file covers it: shown apart, counted apart. */
  accepted: z.object({ owner: z.string(), reason: z.string(), expires: z.string() }).optional(),
});
export type Finding = z.infer<typeof findingSchema>;
