/** One line of a container's output, with the time it was written (RFC 3339). */
export interface LogLine {
  time: string;
  line: string;
}

/** Where the kubelet puts what containers write; the simulated API server's store is one. */
export interface LogSink {
  /** Adds lines to life number `restart` of a container; a higher number begins a new life, even without lines. */
  append(namespace: string, pod: string, container: string, restart: number, lines: LogLine[]): void;
  /** Life number `restart` of a container is over: nobody waits for more of it. */
  end(namespace: string, pod: string, container: string, restart: number): void;
  /** A pod is gone. */
  forget(namespace: string, pod: string): void;
}

/** For API servers that do not take logs. */
export const noLogs: LogSink = { append: () => undefined, end: () => undefined, forget: () => undefined };
