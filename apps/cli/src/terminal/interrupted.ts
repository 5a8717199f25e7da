/** A signal that Ctrl-C, SIGTERM or a closed terminal aborts, so that what is open can be given back first. */
export function interruptSignal(): { signal: AbortSignal; release(): void } {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, abort);
  return {
    signal: stop.signal,
    release: () => {
      for (const name of signals) process.off(name, abort);
    },
  };
}
