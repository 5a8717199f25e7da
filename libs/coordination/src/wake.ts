import type { RedisClient } from '@larry/redis';

/** How often to look without being told, milliseconds. */
export const wakeEveryMs = 1000;

/**
 * Calls the listener when something may have changed: a message on either channel (whatever it says), a (re)subscription,
 * and every second. Never twice at once: what comes while it runs, runs it once more. Its errors go to `onError`, and
 * it is called again.
 */
export async function onWake(
  redis: RedisClient,
  listener: () => Promise<void>,
  options: { readonly everyMs?: number; readonly onError?: (error: unknown) => void } = {},
): Promise<{ wake(): void; stop(): Promise<void> }> {
  const subscriber = redis.subscriber();
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  const wake = (): void => {
    if (stopped) return;
    again = true;
    running ??= run();
  };
  const run = async (): Promise<void> => {
    while (again && !stopped) {
      again = false;
      await listener().catch((error: unknown) => options.onError?.(error));
    }
    running = undefined;
  };
  const timer = setInterval(wake, options.everyMs ?? wakeEveryMs);
  subscriber.onSubscribed(wake);
  // Not waited for: the timer wakes already, and Redis may be away.
  subscriber.subscribe(['larry:coordination', 'larry:alerts'], wake).catch((error: unknown) => options.onError?.(error));
  wake();
  return {
    wake,
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      subscriber.close();
      await running;
    },
  };
}
