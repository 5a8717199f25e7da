import type { Finding } from './finding';
import type { Criterion, SkipReason, TaskResult } from './task';

/** Where the facts of a report come from, for people and programs. */
export interface ReportSource {
  type: 'live' | 'snapshot' | 'dump' | 'manifests';
  name: string;
  simulated: boolean;
  takenAt?: string;
  serverVersion?: string;
  /** The only namespaces that the source speaks about; absent when it speaks about all. */
  namespaces?: string[];
}

/** One task of a check. */
export interface CheckedTask {
  task: string;
  title: string;
  outcome: TaskResult['outcome'];
  skipReason?: SkipReason;
  summary: string;
  figures: Record<string, number | string>;
  criteria: Criterion[];
}

/** What `larry check --json` prints, and what every other output of it is drawn from. */
export interface CheckReport {
  kind: 'LarryCheckReport';
  version: 1;
  source: ReportSource;
  startedAt: string;
  endedAt: string;
  tasks: CheckedTask[];
  /** Every finding, worst first; those that an exception accepts carry `accepted`. */
  findings: Finding[];
  /** What could not be read: never counted as fine. */
  unknowns: { subject: string; reason: string }[];
  /** For folder sources: loaded + skipped without the `partial` ones = all files seen; a partial one is a document of a loaded file. */
  files: { loaded: number; skipped: { file: string; line?: number; reason: string; partial?: boolean }[] };
  /** Compared with the last check of the same source, when asked for. */
  since?: { previousAt: string; new: string[]; gone: { id: string; title: string }[] };
}
