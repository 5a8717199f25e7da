import type { WriteStream } from 'node:tty';

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';

/** The whole screen of a terminal, given back as it was (xterm, *Alternate Screen Buffer*). */
export interface AlternateScreen {
  readonly columns: number;
  readonly rows: number;
  /** Replaces what is shown. */
  show(text: string): void;
  /** Gives the screen back; also done when the process exits without calling it. */
  close(): void;
}

/** Takes the screen. `onResize` is called when the terminal has another size. */
export function alternateScreen(stream: WriteStream, onResize: () => void): AlternateScreen {
  let open = true;
  const restore = (): void => {
    if (open) stream.write(leave);
    open = false;
  };
  const resized = (): void => {
    stream.write('\u001b[2J');
    onResize();
  };
  process.once('exit', restore);
  stream.on('resize', resized);
  stream.write(enter);
  return {
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
    show(text) {
      // Each line clears what it leaves of its row, so that nothing flickers as a cleared screen would.
      if (open) stream.write(`\u001b[H${text.split('\n').join('\u001b[K\r\n')}\u001b[K\u001b[J`);
    },
    close() {
      stream.off('resize', resized);
      process.off('exit', restore);
      restore();
    },
  };
}
