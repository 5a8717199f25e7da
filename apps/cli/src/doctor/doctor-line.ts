import { printable } from '@larry/contracts';
import type { Paint } from '../terminal/paint';

/** How one thing stands. `unknown`: it could not be looked at, which is never counted as fine. */
export type DoctorLevel = 'ok' | 'warn' | 'fail' | 'unknown';

/** One line of `larry doctor`. */
export interface DoctorLine {
  subject: string;
  level: DoctorLevel;
  /** What was seen. */
  seen: string;
  /** What to do, unless it is fine. */
  todo?: string;
}

/** A line as people read it; safe to print. */
export function doctorText({ subject, level, seen, todo }: DoctorLine, pen: Paint): string {
  const colours = { ok: pen.green, warn: pen.yellow, fail: pen.red, unknown: pen.cyan };
  const head = `${colours[level](level.padEnd(7))} ${subject.padEnd(16)} ${printable(seen, 400)}`;
  return todo ? `${head}\n${' '.repeat(25)}→ ${printable(todo, 400)}` : head;
}

/** Looks at something; what goes wrong in looking becomes an `unknown` line, so that the others are still looked at. */
export async function looked(subject: string, look: () => Promise<DoctorLine[]> | DoctorLine[]): Promise<DoctorLine[]> {
  try {
    return await look();
  } catch (error) {
    return [{ subject, level: 'unknown', seen: error instanceof Error ? error.message : String(error) }];
  }
}
