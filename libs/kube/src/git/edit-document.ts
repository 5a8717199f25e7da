import { canonicalJson } from '@larry/contracts';
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, Scalar, stringify, type Document, type Node, type ToStringOptions } from 'yaml';
import { yamlParts } from '../manifest-documents';
import { belowString, embeddedMap } from './embedded-yaml';
import { mergedText } from './git-text';

/** One field of a document as it shall be. An element that is appended has `-` at the end of its path; a removed field has no value. */
export type FieldEdit = { path: (string | number)[] } & ({ set: unknown } | { remove: true });

/** The text with the field changed, or why that could not be done without touching more. */
export type Edited = { text: string } | { refused: string };

/**
 * Changes one field of one document of a file and leaves every other byte as it is: comments, quotes, order, indentation. A scalar is
 * replaced where it stands, and what is new is put after what is there. Anything else is made with the document's own nodes and carried
 * over as the difference of two renderings. Whatever the way, the result is parsed again and has to differ in this field alone.
 */
export async function editDocument(file: string, text: string, index: number, edit: FieldEdit): Promise<Edited> {
  const part = yamlParts(file, text)[index];
  if (!part || 'error' in part) return { refused: 'its document does not parse' };
  const { document } = part;
  if (document.has('sops')) return { refused: 'the file is encrypted with SOPS, whose checksum is over all fields: make the change with sops' };
  if (hasAnchor(document, edit.path)) return { refused: 'an anchor or alias of YAML stands there, and decides other fields too' };
  const before: unknown = document.toJS({ maxAliasCount: 100 });
  const below = belowString(before, edit.path);
  if (below) {
    const holder: unknown = document.getIn(below.outer, true);
    if (isScalar(holder) && holder.type === Scalar.BLOCK_FOLDED) return { refused: `${below.outer.join('.')} is a folded text (>): write it as a block (|)` };
    return editBelowString(file, text, index, edit, below);
  }
  const wanted = spelled(withEdit(before, edit));
  for (const way of [replacedBlock, replacedScalar, insertedLines, rerendered]) {
    const own = await way(file, part.text, document, edit);
    const edited = own === undefined ? undefined : spliced(text, part, own);
    if (edited !== undefined && wanted !== undefined && spelled(valueOf(file, edited, index)) === wanted) return { text: edited };
  }
  return { refused: 'it is formatted so that more than this field would change' };
}

/** Edits the text that a field holds as a file of its own, and the field to hold it. */
async function editBelowString(file: string, text: string, index: number, edit: FieldEdit, { outer, text: held, inner }: { outer: (string | number)[]; text: string; inner: (string | number)[] }): Promise<Edited> {
  if (!embeddedMap(held)) return { refused: `${outer.join('.')} does not hold the YAML of one map` };
  const edited = await editDocument('values.yaml', held, 0, { ...edit, path: inner });
  return 'refused' in edited ? edited : editDocument(file, text, index, { path: outer, set: edited.text });
}

/** Undefined for what YAML has and JSON has not: `.inf`, `.nan`. */
function spelled(value: unknown): string | undefined {
  try {
    return value === undefined ? undefined : canonicalJson(value);
  } catch {
    return undefined;
  }
}

function valueOf(file: string, text: string, index: number): unknown {
  const part = yamlParts(file, text)[index];
  return part && 'document' in part ? part.document.toJS({ maxAliasCount: 100 }) : undefined;
}

/** The lines of one document put back into their file; its first line, where that is the separator, has to be as it was. */
function spliced(text: string, part: { text: string; first: number }, own: string): string | undefined {
  const lines = text.split('\n');
  const count = part.text.split('\n').length;
  const at = part.first - 1;
  const isSeparator = lines[at] !== part.text.split('\n')[0];
  const [first, ...rest] = own.split('\n');
  if (isSeparator && first !== part.text.split('\n')[0]) return undefined;
  return [...lines.slice(0, at), isSeparator ? lines[at] : first, ...rest, ...lines.slice(at + count)].join('\n');
}

function hasAnchor(document: Document, path: readonly (string | number)[]): boolean {
  let node: unknown = document.contents;
  for (const step of [...path, undefined]) {
    if (isAlias(node) || (node as Node & { anchor?: string } | undefined)?.anchor !== undefined) return true;
    if (isMap(node) && node.items.some(({ key }) => isScalar(key) && key.value === '<<')) return true;
    if (step === undefined || !(isMap(node) || isSeq(node))) return false;
    node = node.get(step, true);
  }
  return false;
}

function isSimple(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** The lines of a literal block (`|`) that differ; all others, comments and chomping stay as they are. */
function replacedBlock(_file: string, text: string, document: Document, edit: FieldEdit): string | undefined {
  const node: unknown = document.getIn(edit.path, true);
  if (!('set' in edit) || typeof edit.set !== 'string' || !isScalar(node) || node.type !== Scalar.BLOCK_LITERAL || !node.range) return undefined;
  const [head = '', ...body] = text.slice(node.range[0], node.range[1]).split('\n');
  const [before, after] = [String(node.value).split('\n'), edit.set.split('\n')];
  const first = before.findIndex((line) => line.trim() !== '');
  const indent = (body[first] ?? '').slice(0, (body[first] ?? '').length - (before[first] ?? '').length);
  let [start, end] = [0, 0];
  while (start < Math.min(before.length, after.length) && before[start] === after[start]) start += 1;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const changed = after.slice(start, after.length - end).map((line) => (line === '' ? '' : `${indent}${line}`));
  return `${text.slice(0, node.range[0])}${[head, ...body.slice(0, start), ...changed, ...body.slice(before.length - end)].join('\n')}${text.slice(node.range[1])}`;
}

function replacedScalar(file: string, text: string, document: Document, edit: FieldEdit): string | undefined {
  if (!('set' in edit) || !isSimple(edit.set) || edit.path.at(-1) === '-') return undefined;
  const node = document.getIn(edit.path, true);
  if (!isScalar(node) || !node.range || node.tag?.startsWith('!')) return undefined;
  const [start, end] = node.range;
  if (start === end || node.type === Scalar.BLOCK_FOLDED || node.type === Scalar.BLOCK_LITERAL) return undefined;
  return `${text.slice(0, start)}${scalarText(edit.set, node.type, file)}${text.slice(end)}`;
}

/** Quoted as the one before it was; plain where YAML reads that back as the same. */
function scalarText(value: string | number | boolean, type: string | undefined, file: string): string {
  if (typeof value !== 'string') return String(value);
  if (type === Scalar.QUOTE_DOUBLE || /\.json$/i.test(file) || /[\n\r\t]/.test(value)) return JSON.stringify(value);
  if (type === Scalar.QUOTE_SINGLE) return `'${value.replaceAll("'", "''")}'`;
  return stringify([value], { version: '1.1', lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trim().slice(1, -1);
}

/** What is new in a block of YAML comes after the block's last line, indented as the block is. */
function insertedLines(file: string, text: string, document: Document, edit: FieldEdit): string | undefined {
  if (!('set' in edit) || /\.json$/i.test(file)) return undefined;
  const depth = edit.path.findIndex((_, i) => !document.hasIn(edit.path.slice(0, i + 1)));
  const block = document.getIn(edit.path.slice(0, depth), true);
  if (depth < 0 || !(isMap(block) || isSeq(block)) || block.flow || block.items.length === 0) return undefined;
  const [step, ...below] = edit.path.slice(depth);
  const value = below.reduceRight<unknown>((inner, key) => ({ [key]: inner }), edit.set);
  const first = startOf(block.items[0]);
  const last = endOf(block);
  if (first === undefined || last === undefined || (isSeq(block) && (step !== '-' || below.length > 0))) return undefined;
  const lineStart = text.lastIndexOf('\n', first - 1) + 1;
  const column = isSeq(block) ? text.lastIndexOf('-', first - 1) - lineStart : first - lineStart;
  const lines = stringify(isSeq(block) ? [value] : { [String(step)]: value }, { ...nearestStyle(text, document), version: '1.1' });
  const indented = lines.replace(/^(?=.)/gm, ' '.repeat(Math.max(0, column)));
  const lineEnd = text[last - 1] === '\n' ? last : text.indexOf('\n', last) + 1;
  const ended = lineEnd > 1 && text[lineEnd - 2] === '\r' ? indented.replaceAll('\n', '\r\n') : indented;
  return lineEnd === 0 ? `${text}\n${indented.replace(/\n$/, '')}` : `${text.slice(0, lineEnd)}${ended}${text.slice(lineEnd)}`;
}

function startOf(item: unknown): number | undefined {
  const node = isPair(item) ? item.key : item;
  return isNode(node) ? node.range?.[0] : undefined;
}

/** The end of the last thing that a block holds; comments after it are not its own. */
function endOf(node: unknown): number | undefined {
  if ((isMap(node) || isSeq(node)) && !node.flow && node.items.length > 0) return endOf(node.items.at(-1));
  if (isPair(node)) return isNode(node.value) && node.value.range ? endOf(node.value) : endOf(node.key);
  return isNode(node) ? node.range?.[1] : undefined;
}

async function rerendered(file: string, text: string, document: Document, edit: FieldEdit): Promise<string | undefined> {
  const style = nearestStyle(text, document);
  const render = /\.json$/i.test(file) ? jsonStyle(text) : (changed: Document): string => changed.toString(style);
  const before = render(document);
  try {
    if ('remove' in edit) document.deleteIn(edit.path);
    else if (edit.path.at(-1) === '-') document.addIn(edit.path.slice(0, -1), document.createNode(edit.set));
    else document.setIn(edit.path, document.createNode(edit.set));
  } catch {
    return undefined;
  }
  return mergedText({ own: text, before, after: render(document) });
}

function jsonStyle(text: string): (document: Document) => string {
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? 2;
  return (document) => `${JSON.stringify(document.toJS({ maxAliasCount: 100 }), null, indent)}${text.endsWith('\n') ? '\n' : ''}`;
}

/** Of the ways to write YAML the one that comes nearest to how the file is written. */
function nearestStyle(text: string, document: Document): ToStringOptions {
  const styles: ToStringOptions[] = [2, 4].flatMap((indent) => [true, false].flatMap((indentSeq) => [true, false].map((flowCollectionPadding) => ({ indent, indentSeq, flowCollectionPadding, lineWidth: 0 }))));
  const lines = new Set(text.split('\n'));
  const distance = (style: ToStringOptions): number => document.toString(style).split('\n').filter((line) => !lines.has(line)).length;
  const [nearest] = styles.map((style) => ({ style, distance: distance(style) })).sort((a, b) => a.distance - b.distance);
  return nearest?.style ?? {};
}

/** A copy of a value with one field changed. */
export function withEdit(value: unknown, { path, ...edit }: FieldEdit): unknown {
  const below = belowString(value, path);
  if (below) return withEdit(value, { path: below.outer, set: stringify(withEdit(embeddedMap(below.text) ?? {}, { ...edit, path: below.inner } as FieldEdit)) });
  const copy = structuredClone(value);
  let at = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) at = (at[step] ??= {}) as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  if ('remove' in edit) {
    if (Array.isArray(at)) at.splice(Number(last), 1);
    else delete at[last];
  } else if (last === '-' && Array.isArray(at)) at.push(edit.set);
  else at[last] = edit.set;
  return copy;
}
