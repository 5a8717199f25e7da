import { printable } from '@larry/contracts';

/** One line on standard error that is written over, in a terminal; nothing elsewhere. */
export function progressLine(): { show(text: string): void; clear(): void } {
  const { stderr } = process;
  if (!stderr.isTTY) return { show: () => undefined, clear: () => undefined };
  let last = 0;
  return {
    show(text) {
      const now = Date.now();
      if (now - last < 80) return;
      last = now;
      stderr.write(`\r\u001b[2K${printable(text, Math.max(20, (stderr.columns ?? 80) - 1))}`);
    },
    clear: () => void stderr.write('\r\u001b[2K'),
  };
}
