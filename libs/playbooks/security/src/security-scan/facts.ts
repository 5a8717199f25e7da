import type { SourceInfo } from '@larry/kube';
import type { LoadedExceptions } from './exceptions';
import type { ChartValues } from './helm-values';

/** What a scan saw, reduced to what the rules need: memory does not grow with compliant objects or with replicas. */
export interface ScanFacts {
  /** When the facts are from, ISO 8601 UTC: the snapshot's time, or when the listing ended. */
  at: string;
  /** Today, for expiries. */
  now: string;
  task: string;
  source: SourceInfo['type'];
  scope: Scope;
  /** Objects seen by kind, in the namespaces of the group. */
  counts: Record<string, number>;
  /** Of these, the objects that no controller makes: replicas come and go without anybody changing anything. */
  lasting: Record<string, number>;
  /** What could not be listed. */
  unlisted: { kind: string; namespace?: string; reason: string }[];
  /** What each family kept, by the family's id. */
  kept: Record<string, unknown[]>;
  /** Pods by what stands for them in findings, as `Kind namespace/name`. */
  podsOf: ReadonlyMap<string, PodNames>;
  /** Distinct images of the group's pods and pod templates. */
  images: string[];
  exceptions: LoadedExceptions;
  /** What the charts of the findings' releases let one set, by `namespace/release`. */
  chartValues: ReadonlyMap<string, ChartValues>;
}

/** The pods of one workload: all counted, the first few named. */
export interface PodNames {
  count: number;
  names: string[];
}

/** Which namespaces a scan covers. */
export interface Scope {
  /** Sorted. */
  namespaces: string[];
  /** Named in the options, and not there. */
  missing: string[];
  /** Set when the namespaces could not be listed. */
  unknown?: string;
}
