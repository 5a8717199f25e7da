import { larryReportSchema, printable, runSummarySchema, type LarryReport, type RunSummary } from '@larry/contracts';
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { UserError } from '../user-error';

/** The report of one Larry from a file. Throws a {@link UserError} that names the file and the field. */
export function readLarryReport(file: string): LarryReport {
  return read(file, larryReportSchema, 'the report of a Larry (larry-01-final.json)');
}

/** A run's summary from a file. Throws a {@link UserError} that names the file and the field. */
export function readRunSummary(file: string): RunSummary {
  return read(file, runSummarySchema, 'the summary of a run (3-LARRY-EXECUTION-SUMMARY.json)');
}

function read<S extends z.ZodType>(file: string, schema: S, what: string): z.infer<S> {
  const parsed = schema.safeParse(jsonOf(file));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const more = parsed.error.issues.length > 1 ? ` (and ${parsed.error.issues.length - 1} more)` : '';
  throw new UserError(`${file} is not ${what}: field "${printable(issue?.path.join('.') || '(document)', 200)}": ${printable(issue?.message ?? '', 300)}${more}`);
}

function jsonOf(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(`${file} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${printable(error instanceof Error ? error.message : String(error), 300)}`);
  }
}
