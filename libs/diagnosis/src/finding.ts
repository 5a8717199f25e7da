import type { Evidence, ObjectRef, Owner, Remedy } from '@larry/contracts';
import type { CauseClass, CauseCode } from './cause-codes';

/** Another explanation that was looked at, and why it is not the one. */
export interface Alternative {
  cause: CauseCode;
  why: string;
}

/** One root cause. `namespace` is an empty string for what has none (a node). */
export interface DiagnosisFinding {
  namespace: string;
  kind: string;
  name: string;
  apiVersion: string;
  cause: CauseCode;
  class: CauseClass;
  /** One sentence for people. */
  title: string;
  /** 0 to 1; what rests on a message of the system itself is above 0.85, what only the configuration suggests below 0.75. */
  confidence: number;
  /** At least one; each points into an object, an event or a log. Redacted and printable. */
  evidence: Evidence[];
  alternatives: Alternative[];
  /** Objects that are unwell because of it, as `Kind ns/name`, nearest first. */
  symptoms: string[];
  /** How each symptom follows: `from` needs `to`, and `why` says how (`runs on`, `routes to`). One edge for each symptom; a tree. */
  chain: { from: string; to: string; why: string }[];
  owner: Owner;
  remedy: Remedy;
  /** The remedy names what is meant by its name alone: a person says whether it is. */
  guess?: true;
}

/** What the user wishes where a remedy leaves a choice. */
export interface Wishes {
  /** The e-mail address PgAdmin shall have; by default its name is kept and only the domain is replaced. */
  pgadminEmail?: string;
  /** The domain that replaces one PgAdmin refuses; `example.com` by default. */
  pgadminEmailDomain?: string;
}

/** What {@link diagnose} says of one set of facts. */
export interface DiagnosisReport {
  /** The moment that the facts speak of, ISO 8601. */
  at: string;
  /** Root causes, best first; empty when everything that could be seen is well. */
  findings: DiagnosisFinding[];
  /** What could not be read or judged. */
  unknowns: { subject: string; reason: string }[];
  /** How much was looked at. */
  figures: { workloads: number; pods: number; services: number; nodes: number; events: number; notRunning: number; starting: number };
}

/** A change of one object's own fields, before it is decided at which layer it belongs. */
export interface FieldChange {
  /** `Set …` in one sentence. */
  summary: string;
  /** JSON patch (RFC 6902) without tests. */
  patch: { op: 'add' | 'replace' | 'remove'; path: string; value?: unknown }[];
  note?: string;
  /** What it names is only likely to be what is meant. */
  guess?: boolean;
  /** YAML of a chart's values that make the same change, by the chart's name, for charts whose values are known. */
  chartValues?: Record<string, string>;
}

/** What a cause function proposes; the ranking decides whether it is a root. */
export interface Candidate {
  cause: CauseCode;
  /** The object whose field is wrong. */
  object: ObjectRef;
  title: string;
  confidence: number;
  evidence: Evidence[];
  alternatives?: Alternative[];
  /** Graph keys of what is unwell directly because of it; itself when it is a workload. */
  explains: string[];
  /** The change that mends it, or why there is none. */
  remedy: FieldChange | { none: string };
  /** Graph keys of what it says it waits for: when one of those has a cause of its own, this is a symptom. */
  blames?: string[];
  /** It may follow from anything it depends on (an error of an application, an unknown cause). */
  secondary?: boolean;
}
