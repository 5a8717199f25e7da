import { canonicalJson, describeRef, plannedChangeSchema, printable, redact, redactText, stripControl, type FileEdit, type KubeObject, type PlannedChange } from '@larry/contracts';
import { z } from 'zod';
import { digestOf } from './digest';
import { gitLines } from './git-diff';
import { helmLines } from './helm-diff';
import type { PatchOperation } from './json-patch';
import { pointerParts, toPointer, valueAt } from './json-pointer';

const requestedChangeSchema = z.strictObject({
  change: plannedChangeSchema,
  /** Of the object as it was observed; null where there was none. */
  uid: z.string().nullable(),
  /** Each pointer of `depends` with what stood there; null where nothing did. */
  observed: z.array(z.tuple([z.string(), z.unknown()])),
});

/** What a task waits for a person with: exactly what its digest is made of, and a summary that no digest covers. */
export const approvalRequestSchema = z.strictObject({
  /** The task's own words. Not bound to the digest: nothing is to be decided by it. */
  summary: z.string(),
  /** Each change may be decided by itself. Not bound to the digest either: who applies them knows it of the playbook. */
  apart: z.literal(true).optional(),
  changes: z.array(requestedChangeSchema).min(1),
});
export type ApprovalRequest = z.infer<typeof approvalRequestSchema>;
export type RequestedChange = ApprovalRequest['changes'][number];

/** @internal The inputs of `changeDigest`, as a request carries them: without members that are undefined. */
export function requestedChange(change: PlannedChange, live: KubeObject | undefined): RequestedChange {
  const observed = change.depends.map((pointer): [string, unknown] => [pointer, valueAt(live, pointer) ?? null]);
  return { change, uid: live?.metadata.uid ?? null, observed };
}

/**
 * What one approval of several changes is bound to: the digest of the one, or of the ordered list of all. A list and a
 * change are never the same JSON, so that neither passes for the other.
 */
export function approvalDigest(digests: readonly string[]): string {
  const [first] = digests;
  return digests.length === 1 && first !== undefined ? first : digestOf(digests);
}

/** The digest that a request belongs to, made from its content alone. Pure. */
export function digestOfRequest({ changes }: ApprovalRequest): string {
  return approvalDigest(changes.map((requested) => digestOf(requested)));
}

/** How much of a request people are shown, in UTF-16 units; what is cut is said. */
const maxDiff = 24_000;

/** What a request would change, for people: each change with its object and its lines; redacted and safe to print. Pure. */
export function requestDiff({ changes, apart }: ApprovalRequest): string {
  return shortened(changes.flatMap((requested, i) => [...place(i, changes.length, apart ? requested : undefined), ...linesOf(requested)]).join('\n'));
}

/** One change of those that a request lets be decided one by one, with its digest. */
export interface SingleChange {
  digest: string;
  requested: RequestedChange;
  /** As {@link requestDiff} shows it among the others. */
  diff: string;
}

/** The changes of a request that may each be decided by itself, in order; none where they are decided together. Pure. */
export function singleChanges({ changes, apart }: ApprovalRequest): SingleChange[] {
  if (!apart) return [];
  return changes.map((requested, i) => ({ digest: digestOf(requested), requested, diff: shortened([...place(i, changes.length, requested), ...linesOf(requested)].join('\n')) }));
}

/** Which of several it is; with the digest by which it may be decided alone. */
function place(i: number, of: number, alone: RequestedChange | undefined): string[] {
  return of > 1 ? [`change ${i + 1} of ${of}${alone ? `, ${digestOf(alone).slice(0, 12)}` : ''}:`] : [];
}

function shortened(all: string): string {
  if (all.length <= maxDiff) return all;
  return `(only the first ${maxDiff} of ${all.length} characters are shown: deny it if you cannot look at the rest elsewhere)\n${all.slice(0, maxDiff)}`;
}

function linesOf({ change, observed }: RequestedChange): string[] {
  const { verb, target, summary, object, patch, helm, git } = change;
  const head = [printable(`${verb} ${describeRef(target)}: ${summary}`, 900)];
  if (verb === 'delete') return head;
  if (verb === 'helm-upgrade') return [...head, ...(helm ? helmLines(helm) : [])];
  if (verb === 'git-branch') return [...head, ...(git ? gitLines(git) : [])];
  if (verb === 'create') return [...head, `+ ${line(redact(object))}`];
  return [...head, ...((patch ?? []) as PatchOperation[]).flatMap((operation) => linesOfOperation(operation, observed))];
}

function linesOfOperation(operation: PatchOperation, observed: RequestedChange['observed']): string[] {
  const path = String(operation.path);
  const op = printable(operation.op, 20);
  const read = observed.find(([pointer]) => path === pointer || path.startsWith(`${pointer}/`));
  const before = read ? (valueAt(read[1], path.slice(read[0].length)) ?? null) : undefined;
  const was = before === undefined ? '- (what stands there)' : `- ${line(named(path, before))}`;
  return [
    `${op === 'add' || op === 'replace' || op === 'remove' ? '' : `${op} `}${printable(path, 1000)}`,
    ...(op === 'add' && (before ?? null) === null ? [] : [was]),
    ...(op === 'remove' ? [] : [`+ ${line(named(path, operation.value))}`]),
  ];
}

/** An edit of a file, so that its path says of its value what it is. */
const asOperation = ({ path, set }: FileEdit): Record<string, unknown> => ({ op: 'add', path: toPointer(path.map(String)), ...(set === undefined ? {} : { value: set }) });

/** JSON on one line. */
const line = (value: unknown): string => stripControl(canonicalJson(value ?? null)).replace(/\s+/g, ' ');

/** @internal A value, redacted by what its path says of it. */
export const named = (path: string, value: unknown): unknown => redact({ op: 'add', path, value }).value;

/**
 * @internal True where a request would carry a secret's value: it may not lie in Redis, and a person could not be shown
 * what they decide on. Whatever stands in a Secret is one, but for its metadata.
 */
export function holdsSecret({ change, observed }: RequestedChange): boolean {
  const operations = [...(change.patch ?? []), ...(change.git?.wanted ?? []), ...(change.git?.edits ?? []).map(asOperation)] as PatchOperation[];
  const inSecret = change.target.kind === 'Secret';
  const places = [...operations.filter((o) => o.value !== undefined).map((o) => String(o.path)), ...observed.filter(([, value]) => value !== null).map(([p]) => p)];
  if (inSecret && (change.object !== undefined || places.some((path) => pointerParts(path)[0] !== 'metadata'))) return true;
  const texts = [change.git?.message ?? '', ...(change.git?.diff ?? '').split('\n').map((shown) => shown.slice(1))];
  if (texts.some((text) => redactText(text) !== text)) return true;
  const readings = observed.map(([path, value]) => ({ op: 'test', path, value }));
  return [change.object ?? null, change.helm ?? null, operations, readings].some((part) => canonicalJson(redact(part)) !== canonicalJson(part));
}
