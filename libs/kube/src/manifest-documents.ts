import { printable } from '@larry/contracts';
import { isMap, isSeq, LineCounter, parseDocument, YAMLParseError, type Document } from 'yaml';
import { JsonSplitter } from './records';
import { isRecord } from './untrusted-object';

/** A value of a manifest file with the line on which it begins, or the reason why it is none. */
export type ManifestValue = { value: unknown; line: number } | { reason: string; line: number };

/** What marks text as a template of a Helm chart rather than as YAML that happens to hold braces (alert rules, dashboards). */
const helmExpression = /\{\{-?\s*(?:[^{}]*\.(?:Values|Release|Chart|Capabilities|Files)\b|(?:include|template|define|tpl|toYaml)\s)/;
export const helmTemplateReason = 'Helm template: render it with helm template';

/** True for text that only Helm can read. `insideChart`: the file lies in the `templates` folder of a chart. */
export function isHelmTemplate(text: string, insideChart: boolean): boolean {
  return text.includes('{{') && (insideChart || helmExpression.test(text));
}

/**
 * The documents of a YAML file as kubectl reads them: separated by `---` lines, YAML 1.1 scalars (`yes` is true, `0644`
 * is octal), lists flattened later. One that does not parse gives its line and the parser's reason; the others go on.
 */
export function* yamlValues(text: string): Iterable<ManifestValue> {
  for (const part of splitYaml(text)) {
    const counter = new LineCounter();
    const parsed = parsePart(part.text, counter);
    if ('error' in parsed) {
      const line = part.line + (parsed.error instanceof YAMLParseError ? (parsed.error.linePos?.[0].line ?? 1) : 1) - 1;
      yield { line, reason: part.text.includes('{{') ? helmTemplateReason : `does not parse: ${firstLine(parsed.error.message)}` };
    } else if (parsed.document.contents !== null) {
      yield* valuesOf(parsed.document, part.line, counter);
    }
  }
}

/** One document of a file with its own text: `first` is the number of its first line, and `lineAt` of the node at a path. */
export type YamlPart = { text: string; first: number } & ({ document: Document; lineAt(path: (string | number)[]): number } | { error: Error });

/** The documents of a file for whoever changes them. A JSON file is one, as JSON is YAML. */
export function yamlParts(file: string, text: string): YamlPart[] {
  const parts = /\.json$/i.test(file) ? [{ text, line: 1 }] : [...splitYaml(text)];
  return parts.map(({ text: own, line: first }) => {
    const counter = new LineCounter();
    const parsed = parsePart(own, counter);
    if ('error' in parsed) return { text: own, first, ...parsed };
    const lineAt = (path: (string | number)[]): number => {
      const node = parsed.document.getIn(path, true) as { range?: [number, number, number] | null } | undefined;
      return first + (node?.range ? counter.linePos(node.range[0]).line : 1) - 1;
    };
    return { text: own, first, document: parsed.document, lineAt };
  });
}

/** The JSON values of a file, one after the other. */
export function* jsonValues(text: string): Iterable<ManifestValue> {
  const bytes = Buffer.from(text);
  const splitter = new JsonSplitter('values');
  const records = [...splitter.push(bytes), ...splitter.end()];
  let line = 1;
  let counted = 0;
  for (const { bytes: json, start } of records) {
    for (; counted < start; counted += 1) if (bytes[counted] === 0x0a) line += 1;
    yield* parseJson(json.toString(), line);
  }
  if (records.length === 0 || splitter.problem) yield { line, reason: `does not parse: ${splitter.problem ?? 'no JSON object'}` };
}

function* parseJson(json: string, line: number): Iterable<ManifestValue> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    yield { line, reason: `does not parse: ${firstLine((error as Error).message)}` };
    return;
  }
  const items = listItems(value);
  if (items === undefined) yield { value, line };
  else for (const item of items) yield { value: item, line };
}

function parsePart(text: string, counter: LineCounter): { document: Document } | { error: Error } {
  const options = {
    version: '1.1',
    lineCounter: counter,
    uniqueKeys: false,
    logLevel: 'silent',
    // kubectl's parser knows neither of these: `12:30` and a date stay text.
    customTags: (tags) => tags.filter((tag) => !isTimeTag(tag)),
  } satisfies Parameters<typeof parseDocument>[1];
  try {
    const document = parseDocument(text, options);
    const [error] = document.errors;
    return error ? { error } : { document };
  } catch (error) {
    // Nesting deeper than the stack.
    return { error: error as Error };
  }
}

function isTimeTag(tag: unknown): boolean {
  return isRecord(tag) && (tag['format'] === 'TIME' || tag['tag'] === 'tag:yaml.org,2002:timestamp');
}

function* valuesOf(document: Document, firstLineOfPart: number, counter: LineCounter): Iterable<ManifestValue> {
  const lineOf = (offset: number | undefined): number => firstLineOfPart + (offset === undefined ? 1 : counter.linePos(offset).line) - 1;
  const line = lineOf(document.contents?.range?.[0]);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    yield { line, reason: `does not parse: ${firstLine((error as Error).message)}` };
    return;
  }
  const items = listItems(value);
  if (items === undefined) {
    yield { value, line };
    return;
  }
  const nodes = isMap(document.contents) ? document.contents.get('items') : undefined;
  for (const [index, item] of items.entries()) {
    const node = isSeq(nodes) ? (nodes.items[index] as { range?: [number, number, number] } | undefined) : undefined;
    yield { value: item, line: node?.range ? lineOf(node.range[0]) : line };
  }
}

/** The objects of a `List` or of a typed list (`PodList`), whose elements carry no kind of their own. */
export function listItems(value: unknown): unknown[] | undefined {
  if (!isRecord(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List') || !Array.isArray(value['items'])) return undefined;
  const kind = value['kind'].slice(0, -'List'.length);
  const items: unknown[] = value['items'];
  if (kind === '') return items;
  return items.map((item) => (isRecord(item) ? { apiVersion: value['apiVersion'], kind, ...item } : item));
}

function* splitYaml(text: string): Iterable<{ text: string; line: number }> {
  let lines: string[] = [];
  let begin = 1;
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    const separator = /^(?:---(?:\s|$)|\.\.\.\s*$)/.test(line);
    if (separator) {
      if (holdsContent(lines)) yield { text: lines.join('\n'), line: begin };
      // What stands after the dashes belongs to the document: `--- # comment` or `--- {…}`.
      lines = [line.replace(/^(?:---|\.\.\.)/, '   ').trimEnd()];
      begin = number;
    } else lines.push(line);
  }
  if (holdsContent(lines)) yield { text: lines.join('\n'), line: begin };
}

function holdsContent(lines: string[]): boolean {
  return lines.some((line) => /^\s*[^\s#%]/.test(line));
}

function firstLine(message: string): string {
  return printable((message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''), 200);
}
