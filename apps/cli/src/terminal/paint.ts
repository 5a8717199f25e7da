/** Colours of the sixteen that every terminal has; text alone where there is no colour. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  /** White on red: what must not be overlooked. */
  alarm(text: string): string;
}

/** Select Graphic Rendition (ECMA-48, 8.3.117), or nothing. */
export function paint(colour: boolean): Paint {
  const sgr = (codes: string) => (text: string): string => (colour && text !== '' ? `\u001b[${codes}m${text}\u001b[0m` : text);
  return { bold: sgr('1'), dim: sgr('2'), red: sgr('31'), green: sgr('32'), yellow: sgr('33'), cyan: sgr('36'), alarm: sgr('1;37;41') };
}

/** Whether a stream gets colour: a terminal, and nobody said no (no-color.org). */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}
