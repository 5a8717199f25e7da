import type { Probe } from '../types';
import type { Verdict } from './probe';

/** What a container's run tells its unit. */
export interface RunEvents {
  wrote(lines: readonly string[]): void;
  ended(exitCode: number, reason?: string): void;
}

/** What runs in a container: a script that is played, or one of our own programs as a process. */
export interface ContainerRun {
  /** Asks it to end, and makes it after the grace period; `ended` follows. */
  stop(graceMs: number): void;
  /** Ends it at once, without a word. */
  dispose(): void;
  probe(probe: Probe): Verdict | Promise<Verdict>;
}

/** Starts a run that has been going on for `elapsedMs`. */
export type Begin = (events: RunEvents, elapsedMs: number) => ContainerRun;
