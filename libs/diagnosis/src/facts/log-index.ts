/** A log that was asked for. */
export interface LogFacts {
  namespace: string;
  pod: string;
  container: string;
  run: 'current' | 'previous';
  /** Oldest first; the tail only. */
  lines: string[];
}

/** Logs by container and run. */
export class LogIndex {
  private readonly logs = new Map<string, LogFacts>();
  private readonly missing = new Map<string, string>();

  add(log: LogFacts): void {
    this.logs.set(keyOfLog(log), log);
  }

  unavailable(log: Omit<LogFacts, 'lines'>, reason: string): void {
    this.missing.set(keyOfLog(log), reason);
  }

  get(namespace: string, pod: string, container: string, run: LogFacts['run']): LogFacts | undefined {
    return this.logs.get(keyOfLog({ namespace, pod, container, run }));
  }

  /** The runs of a container that are known and not empty, the newest first. */
  of(namespace: string, pod: string, container: string): LogFacts[] {
    return (['current', 'previous'] as const).flatMap((run) => this.get(namespace, pod, container, run) ?? []).filter((log) => log.lines.length > 0);
  }

  get count(): number {
    return this.logs.size;
  }
}

const keyOfLog = ({ namespace, pod, container, run }: Omit<LogFacts, 'lines'>): string => `${namespace}/${pod}/${container}:${run}`;
