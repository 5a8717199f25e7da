import { readFile, stat } from 'node:fs/promises';
import { printable, type Finding } from '@larry/contracts';
import { isMap, isNode, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { fitsGlob } from './glob';

const maxFileBytes = 1024 * 1024;
const glob = z.string().min(1).max(253);

/** One accepted risk: which rule, on which objects, who answers for it, why, and until when. `*` and `?` are wildcards. */
export const exceptionSchema = z.strictObject({
  rule: glob,
  object: z
    .strictObject({ kind: glob.optional(), namespace: glob.optional(), name: glob.optional() })
    .refine((o) => Object.keys(o).length > 0, { message: 'name at least one of kind, namespace and name' }),
  owner: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(1000),
  /** The last day on which it covers, UTC. */
  expires: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day, such as 2027-01-31')
    .refine(isDay, 'is no day of the calendar'),
});
export type Exception = z.infer<typeof exceptionSchema>;

/** The exceptions that could be read, and what is wrong with the others. */
export interface LoadedExceptions {
  entries: Exception[];
  /** Each names the file and line, or the entry, and says what to do. */
  problems: string[];
}

/** Reads an exceptions file, or takes the entries of the options. Never throws: what cannot be read covers nothing and is said. */
export async function loadExceptions(given: string | Exception[] | undefined): Promise<LoadedExceptions> {
  if (given === undefined) return { entries: [], problems: [] };
  if (typeof given !== 'string') return { entries: given, problems: [] };
  try {
    if ((await stat(given)).size > maxFileBytes)
      return failed(`exceptions file ${printable(given)}: larger than 1 MiB, split it or check the path`);
    return parseExceptions(await readFile(given, 'utf8'), given);
  } catch (error) {
    return failed(
      `exceptions file ${printable(given)} cannot be read (${printable((error as NodeJS.ErrnoException).code ?? String(error))}): check the path`,
    );
  }
}

/** Parses the text of an exceptions file: a YAML list. Entries that are wrong are named with file, line and field; the others count. */
export function parseExceptions(text: string, file: string): LoadedExceptions {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const name = printable(file);
  const broken = document.errors[0];
  if (broken)
    return failed(
      `${name}:${lines.linePos(broken.pos[0]).line}: not YAML (${printable(broken.message.split('\n')[0])})`,
    );
  if (document.contents === null) return { entries: [], problems: [] };
  if (!isSeq(document.contents))
    return failed(`${name}:1: must be a list of exceptions, each with rule, object, owner, reason and expires`);
  const loaded: LoadedExceptions = { entries: [], problems: [] };
  const raw: unknown[] = plain(document);
  raw.forEach((entry, index) => {
    const checked = exceptionSchema.safeParse(entry);
    if (checked.success) loaded.entries.push(checked.data);
    for (const issue of checked.error?.issues ?? []) {
      const path = issue.path.filter((p) => typeof p !== 'symbol');
      loaded.problems.push(
        `${name}:${lineOf(document, lines, [index, ...path])}: ${path.length > 0 ? `${path.join('.')}: ` : ''}${printable(issue.message)}`,
      );
    }
  });
  return loaded;
}

/** The exception that covers a finding today, if there is one; an expired one is returned apart. */
export function coveringException(
  exceptions: readonly Exception[],
  finding: Finding,
  at: string,
): { valid?: Exception; expired?: Exception } {
  const fitting = exceptions.filter((e) => covers(e, finding));
  const valid = fitting.find((e) => !isExpired(e, at));
  const expired = fitting.find((e) => isExpired(e, at));
  return { ...(valid ? { valid } : {}), ...(expired ? { expired } : {}) };
}

/** Whether an exception is over at an instant (ISO 8601, UTC): the day that it names still counts. */
export function isExpired(exception: Exception, at: string): boolean {
  return at.slice(0, 10) > exception.expires;
}

function covers({ rule, object }: Exception, finding: Finding): boolean {
  const ref = finding.object;
  const fits = (pattern: string | undefined, text: string) => pattern === undefined || fitsGlob(pattern, text);
  return (
    fitsGlob(rule, finding.rule) &&
    fits(object.kind, ref.kind) &&
    fits(object.namespace, ref.namespace ?? '') &&
    fits(object.name, ref.name)
  );
}

function plain(document: Document): unknown[] {
  try {
    // Aliases are of no use here, and a few lines of them can grow without end.
    return document.toJS({ maxAliasCount: 0 }) as unknown[];
  } catch {
    return [{}];
  }
}

/** The line of the deepest part of the path that exists. */
function lineOf(document: Document, lines: LineCounter, path: (string | number)[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    const parent = document.getIn(path.slice(0, depth - 1), true);
    const key = isMap(parent)
      ? parent.items.find((item) => String(item.key) === String(path[depth - 1]))?.key
      : undefined;
    if (isNode(key) && key.range) return lines.linePos(key.range[0]).line;
  }
  return 1;
}

function failed(problem: string): LoadedExceptions {
  return { entries: [], problems: [problem] };
}

function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
