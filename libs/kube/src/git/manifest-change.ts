import { printable, redact, redacted, redactText, shownLine, valueIn, type FileEdit, type KubeObject } from '@larry/contracts';
import { isDeepStrictEqual } from 'node:util';
import type { Declaration } from './declarations';
import { editDocument, withEdit, type FieldEdit } from './edit-document';
import { embeddedMap, valueThrough } from './embedded-yaml';
import { unifiedHunks } from './git-text';
import { maskedText, showsSecretOf } from './masked-text';
import { sameQuantity } from './same-value';

/** A step of the change that the live object wants: RFC 6902 without tests. */
export interface WantedStep {
  op: string;
  path: string;
  value?: unknown;
}

/** A manifest file with the change in it, the edits that make it, and its unified diff; or why there is none. */
export type ManifestChange = { text: string; edits: FileEdit[]; diff: string } | { none: string };

type Path = (string | number)[];

/**
 * Brings a change of a live object into the file that declares it. A field that the file has must be what runs, else somebody else decides
 * it; elements of lists are found by their names. `patched`: Kustomize changes what the file declares, so that a field that the file does
 * not have may come from there.
 */
export async function changeManifest(text: string, { file, line, document, at, value }: Declaration, patched: boolean, live: KubeObject, wanted: readonly WantedStep[]): Promise<ManifestChange> {
  const where = `${file}:${line}`;
  let changed = text;
  let declared = value;
  const edits: FileEdit[] = [];
  for (const step of wanted) {
    const edit = editFor(declared, live, step, patched);
    if ('none' in edit) return { none: `${where}: ${edit.none}` };
    const inFile = { ...edit, path: [...at, ...edit.path] };
    const result = await editDocument(file, changed, document, inFile);
    if ('refused' in result) return { none: `${where}, ${printable(step.path, 200)}: ${result.refused}` };
    edits.push({ document, ...inFile });
    changed = result.text;
    declared = withEdit(declared, edit);
  }
  const hunks = await unifiedHunks(maskedText(file, text), maskedText(file, changed));
  if (hunks === '') return { none: `${where}: the change is in a value that is not shown` };
  const shown = redactText(file);
  const diff = `--- a/${shown}\n+++ b/${shown}\n${ownLines(hunks)}`;
  if ([text, changed].some((version) => showsSecretOf(file, version, diff))) return { none: `${where}: ${secretElsewhere}` };
  return { text: changed, edits, diff };
}

/** Makes the edits of a planned change once more; the same text gives the same text. Undefined where one of them does not fit. Pure. */
export async function editedText(file: string, text: string, edits: readonly FileEdit[]): Promise<string | undefined> {
  let changed = text;
  for (const { document, path, ...edit } of edits) {
    const result = await editDocument(file, changed, document, edit.remove ? { path, remove: true } : { path, set: edit.set });
    if ('refused' in result) return undefined;
    changed = result.text;
  }
  return changed;
}

/** @internal Why a change is not shown, nor made. */
export const secretElsewhere = 'a secret value of the file stands beside the change as well, where nothing says that it is one: change it by hand';

/** No line of a file passes for another one of the diff, whatever breaks and controls are in it. The `\r` of a Windows line end stays. */
function ownLines(hunks: string): string {
  return hunks.split('\n').map((line) => `${shownLine(line)}${line.endsWith('\r') ? '\r' : ''}`).join('\n');
}

/** True where a diff leaves out what it must not show, so that no program can apply it. */
export const isMasked = (diff: string): boolean => diff.includes(redacted);

function editFor(declared: unknown, live: KubeObject, { op, path, value }: WantedStep, patched: boolean): FieldEdit | { none: string } {
  const steps = path.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const place = placeIn(declared, live, steps);
  const shown = printable(path, 200);
  if ('none' in place) return { none: `${shown}: ${place.none}` };
  if (place.path.at(-1) === '-') return { path: place.path, set: value };
  const [here, running] = [valueThrough(declared, place.path), valueThrough(live, steps)];
  if (op === 'remove') {
    if (here === undefined) return { none: `${shown} is not in it, so that it comes from elsewhere` };
    return same(steps, here, running) ? { path: place.path, remove: true } : { none: notWhatRuns(shown, here, running) };
  }
  if (op !== 'add' && op !== 'replace') return { none: `${shown}: ${printable(op, 20)} is not made in files` };
  if (here === undefined) return patched && running !== undefined ? { none: `${shown} is not in it, and Kustomize changes what it declares: look there` } : { path: place.path, set: value };
  if (isDeepStrictEqual(here, value)) return { none: `${shown} is so already: it has not reached the cluster, or something changed it there` };
  return same(steps, here, running) ? { path: place.path, set: value } : { none: notWhatRuns(shown, here, running) };
}

/** What the API server made of a field counts as the field: quantities are written in its own way, and a snapshot's secrets are struck out. */
function same(steps: readonly string[], here: unknown, running: unknown): boolean {
  if (isDeepStrictEqual(here, running) || isDeepStrictEqual(redact({ here }).here, running)) return true;
  return steps.includes('resources') && sameQuantity(here, running);
}

function notWhatRuns(shown: string, here: unknown, running: unknown): string {
  const text = (value: unknown): string => printable(redact({ [shown.split('/').at(-1) ?? '']: value })[shown.split('/').at(-1) ?? ''], 80);
  return `${shown} is ${text(here)} there and ${running === undefined ? 'not set' : text(running)} in the cluster: an overlay or somebody else decides it, or the last sync has not come yet`;
}

/** Where a field of the live object stands in what a file declares. */
function placeIn(declared: unknown, live: unknown, steps: readonly string[]): { path: Path } | { none: string } {
  const path: Path = [];
  let [here, running]: [unknown, unknown] = [declared, live];
  for (const [i, step] of steps.entries()) {
    const last = i === steps.length - 1;
    if (typeof running === 'string') {
      if (typeof here !== 'string') return { none: 'the text is not in it, so that it comes from elsewhere' };
      [here, running] = [embeddedMap(here), embeddedMap(running)];
      if (!here || !running) return { none: 'the text there is not the YAML of one map' };
    }
    if (Array.isArray(running)) {
      if (!Array.isArray(here)) return { none: 'the list is not in it, so that it comes from elsewhere' };
      const index = last && (step === '-' || Number(step) === running.length) ? '-' : indexIn(here, running, Number(step));
      if (index === undefined) return { none: 'the element is not in it, so that it comes from elsewhere' };
      path.push(index);
      [here, running] = [here[Number(index)], running[Number(step)]];
    } else {
      path.push(step);
      [here, running] = [valueIn(here, step), valueIn(running, step)];
      if (!last && here !== undefined && (typeof here !== 'object' || here === null) && !(typeof here === 'string' && typeof running === 'string')) return { none: 'what stands there is of another form' };
    }
  }
  return { path };
}

/** Lists are in another order and have more elements once webhooks have seen them: a name tells, else the whole list has to be the same length. */
function indexIn(here: readonly unknown[], running: readonly unknown[], index: number): number | undefined {
  const name = valueIn(running[index], 'name');
  if (typeof name === 'string') {
    const found = here.flatMap((element, i) => (valueIn(element, 'name') === name ? [i] : []));
    return found.length === 1 ? found[0] : undefined;
  }
  return here.length === running.length && index < here.length ? index : undefined;
}
