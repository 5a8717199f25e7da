import { isDeepStrictEqual } from 'node:util';
import { redact, redacted, redactText, valueIn } from '@larry/contracts';
import { isScalar, visit } from 'yaml';
import { yamlParts, type YamlPart } from '../manifest-documents';
import { embeddedMap } from './embedded-yaml';

/**
 * The text of a manifest file for people: what its fields say is a secret struck out, line by line, so that lines keep their numbers. A
 * document that does not parse is struck out as a whole.
 */
export function maskedText(file: string, text: string): string {
  const lines = text.split('\n');
  for (const part of yamlParts(file, text)) {
    const own = maskedPart(part).split('\n');
    own.forEach((line, i) => {
      const at = part.first - 1 + i;
      // The dashes of a separator are not in the part's own text.
      if (i > 0 || lines[at] === part.text.split('\n')[0]) lines[at] = line;
      else if (line !== part.text.split('\n')[0]) lines[at] = `--- ${redacted}`;
    });
  }
  return lines.map((line) => redactText(line)).join('\n');
}

function maskedPart(part: YamlPart): string {
  if ('error' in part) return struckOut(part.text);
  let shown: unknown;
  let value: unknown;
  try {
    value = part.document.toJS({ maxAliasCount: 100 });
    shown = redact(value);
  } catch {
    return struckOut(part.text);
  }
  const ranges: [number, number][] = [];
  visit(part.document, {
    Scalar(key, node, path) {
      if (key === 'key' || !node.range) return;
      const at = pathOf([...path, node]);
      if (!isDeepStrictEqual(valueIn(value, ...at), valueIn(shown, ...at))) ranges.push([node.range[0], node.range[1]]);
    },
  });
  let text = part.text;
  for (const [start, end] of ranges.sort((a, b) => b[0] - a[0])) text = `${text.slice(0, start)}${struckOutValue(text.slice(start, end))}${text.slice(end)}`;
  return text;
}

/** The path to a node in the value that its document gives. */
function pathOf(nodes: readonly unknown[]): (string | number)[] {
  return nodes.flatMap((node, i): (string | number)[] => {
    const next = nodes[i + 1];
    if (next === undefined || typeof node !== 'object' || node === null) return [];
    if ('key' in node) return [String(isScalar(node.key) ? node.key.value : node.key)];
    if ('items' in node && Array.isArray(node.items) && !(typeof next === 'object' && next !== null && 'key' in next)) return [node.items.indexOf(next)];
    return [];
  });
}

const struckOut = (text: string): string => text.split('\n').map((line) => line.replace(/\S.*$/, redacted)).join('\n');

/** A block keeps its first line, which only says that it is one; where it holds YAML (values of a chart), what is no secret there as well. */
function struckOutValue(source: string): string {
  const [first = '', ...rest] = source.split('\n');
  const indent = /^ */.exec(rest.find((line) => line.trim() !== '') ?? '')?.[0].length ?? 0;
  const held = rest.map((line) => line.slice(indent)).join('\n');
  if (first.startsWith('|') && embeddedMap(held)) {
    const masked = maskedText('values.yaml', held).split('\n');
    return [first, ...rest.map((line, i) => `${line.slice(0, indent)}${masked[i] ?? ''}`)].join('\n');
  }
  return rest.length === 0 ? redacted : [/^[|>]/.test(first) ? first : redacted, struckOut(rest.join('\n'))].join('\n');
}
