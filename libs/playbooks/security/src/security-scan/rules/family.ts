import type { KubeObject, ObjectRef, Owner, Severity } from '@larry/contracts';
import type { KindRef } from '@larry/kube';
import type { Fix } from '../fix';
import type { PodView } from '../pod-view';

/** One rule: what it says, how bad it is and why, and where that is written. */
export interface Rule {
  /** `pss-baseline/privileged`: the key of findings, exceptions and the baseline. */
  id: string;
  /** Plain English, without the object's name. */
  title: string;
  severity: Severity;
  /** Why this severity and not the next. */
  why: string;
  /** A section of a manual, a guide, a KEP or a CVE. */
  source: string;
}

/** One place of an object and what stands there. Secret values never stand here. */
export interface Sighting {
  at: string;
  value: string;
  /** The object it was seen in, when it is not the hit's own. */
  object?: ObjectRef;
}

/** An object that a rule speaks about, with what a remedy needs to know of it. */
export interface Subject {
  ref: ObjectRef;
  owner: Owner;
  /** Where it stands in a folder of manifests. */
  origin?: { file: string; line?: number };
}

/** A rule broken by an object. */
export interface Hit {
  rule: string;
  subject: Subject;
  /** What tells two hits of one rule on one object apart; part of the finding's id, so stable over runs. */
  key?: string;
  /** Replaces the rule's title where the object makes a better sentence. */
  title?: string;
  /** Replaces the rule's severity. */
  severity?: Severity;
  /** 0–1; 1 where the rule follows from the object alone. */
  confidence?: number;
  evidence: Sighting[];
  fix: Fix;
  /** Pods of one owner that Larry cannot read share it; their hits of one rule become one finding. */
  group?: string;
  also?: string[];
}

/** What all families know when they judge. */
export interface Ground {
  /** The namespaces of the group, sorted. */
  namespaces: readonly string[];
  /** Namespaces that other groups name. */
  elsewhere: readonly string[];
  /** Whether the group also takes what belongs to no namespace and what no other group names. */
  others: boolean;
  /** Kinds that could not be listed in at least one namespace. */
  unlisted: ReadonlySet<string>;
  /** Registries that images may come from; empty when not configured. */
  registries: readonly string[];
}

/**
 * A family of rules: a folder with this contract, listed in `families.ts`. While objects stream by, `inspect` and `sift`
 * keep the little that the rules need; `judge` decides, purely, when all have been seen.
 */
export interface RuleFamily<Kept = unknown> {
  /** The folder's name. */
  id: string;
  title: string;
  rules: readonly Rule[];
  /** Kinds it reads beside pods and what makes them. */
  reads: readonly KindRef[];
  /** Sees each pod template once, and each pod that no template of the cluster explains. */
  inspect?(pod: PodView): Kept | undefined;
  /** Sees each object of the kinds it reads once, and each Pod. */
  sift?(object: KubeObject, seen: Seen): Kept | undefined;
  /** Records with the same key are kept once: memory does not grow with replicas. */
  keyOf?(kept: Kept): string | undefined;
  judge(kept: readonly Kept[], ground: Ground): Hit[];
}

/** What is known of an object that streams by. */
export interface Seen {
  /** The namespace it is in; `default` for a manifest that names none, undefined for what has none. */
  namespace: string | undefined;
  subject(): Subject;
  /** For a pod: what stands for it in findings: its workload, or itself. */
  root?: string;
}

/** Types a family's parts against each other. */
export function defineFamily<Kept>(family: RuleFamily<Kept>): RuleFamily {
  return family as unknown as RuleFamily;
}
