import { exitCodes } from '../user-error';

/** How a command is told to stop. */
export interface StopSignal {
  signal: AbortSignal;
  /** Stops it as Ctrl-C does, for another reason. */
  stop(): void;
  /** Signals do again what they do without this. */
  release(): void;
}

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A signal that the first Ctrl-C aborts; the second ends this process at once, and its children by their leash. */
export function stopSignal(process_: Pick<NodeJS.Process, 'on' | 'off' | 'exit'> = process): StopSignal {
  const controller = new AbortController();
  let told = false;
  const onSignal = (): void => {
    if (told) process_.exit(exitCodes.interrupted);
    told = true;
    controller.abort();
  };
  for (const name of names) process_.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => controller.abort(),
    release: () => names.forEach((name) => process_.off(name, onSignal)),
  };
}
