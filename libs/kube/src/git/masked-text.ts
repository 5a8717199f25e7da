import { isDeepStrictEqual } from 'node:util';
import { isSecretKey, redact, redacted, redactText, valueIn } from '@larry/contracts';
import { isAlias, isMap, isNode, isScalar, isSeq, visit, type Document, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { yamlParts, type YamlPart } from '../manifest-documents';
import { embeddedMap } from './embedded-yaml';

/**
 * The text of a manifest file for people: what its fields say is a secret struck out, line by line, so that lines keep their numbers. A
 * document that does not parse is struck out as a whole.
 */
export function maskedText(file: string, text: string): string {
  return masked(file, text, new Set());
}

/** @internal Whether a text for people holds, as a word of its own, what a manifest file has where secrets stand. */
export function showsSecretOf(file: string, text: string, shown: string): boolean {
  const secrets = new Set<string>();
  masked(file, text, secrets);
  return [...secrets].some((secret) => holdsWord(shown, secret));
}

/** Adds to `secrets` what it strikes out. */
function masked(file: string, text: string, secrets: Set<string>): string {
  const lines = text.split('\n');
  for (const part of yamlParts(file, text)) {
    const own = maskedPart(part, secrets).split('\n');
    own.forEach((line, i) => {
      const at = part.first - 1 + i;
      // The dashes of a separator are not in the part's own text.
      if (i > 0 || lines[at] === part.text.split('\n')[0]) lines[at] = line;
      else if (line !== part.text.split('\n')[0]) lines[at] = `--- ${redacted}`;
    });
  }
  return withoutPem(lines).map((line) => redactText(line)).join('\n');
}

function maskedPart(part: YamlPart, secrets: Set<string>): string {
  if ('error' in part) return struckOut(part.text);
  try {
    return new Mask(part.text, part.document, secrets).text();
  } catch {
    return struckOut(part.text);
  }
}

/** From and to, in UTF-16 units of the document's text, and what stands there for people. */
type Strike = [start: number, end: number, shown: string];

/** What a node gives, and what may be shown of it; `secret`: nothing may. `around`: whose comments go with it. */
interface Place {
  value: unknown;
  shown: unknown;
  secret: boolean;
  around: [number, number];
}

/** A document goes through once, each alias as what it stands for: what is a secret in one place is struck out where it is written. */
class Mask {
  private readonly sources = new Map<Node, Node | undefined>();
  private readonly strikes: Strike[] = [];
  private steps = 0;

  constructor(private readonly source: string, private readonly document: Document, private readonly secrets: Set<string>) {}

  text(): string {
    const anchors = new Map<string, Node>();
    visit(this.document, {
      Node: (_, node) => {
        if (isAlias(node)) this.sources.set(node, anchors.get(node.source));
        else if (node.anchor) anchors.set(node.anchor, node);
      },
    });
    const value: unknown = this.document.toJS({ maxAliasCount: 100 });
    this.node(this.document.contents, { value, shown: redact(value), secret: false, around: [0, 0] });
    let [out, at] = ['', 0];
    for (const [start, end, shown] of this.strikes.sort((a, b) => a[0] - b[0] || b[1] - a[1])) {
      if (end <= at) continue;
      out += this.source.slice(at, Math.max(at, start)) + (start < at ? struckOut(this.source.slice(at, end)) : shown);
      at = end;
    }
    return out + this.source.slice(at);
  }

  private node(node: unknown, place: Place): void {
    this.steps += 1;
    if (this.steps > mostSteps) throw new Error('too many aliases');
    if (isAlias(node)) this.node(this.sources.get(node), place);
    else if (isMap(node)) this.map(node, place);
    else if (isSeq(node)) node.items.forEach((item, i) => this.node(item, { ...place, value: valueIn(place.value, i), shown: valueIn(place.shown, i), around: isNode(item) && item.range ? [item.range[0], item.range[1]] : place.around }));
    else if (isScalar(node)) this.scalar(node, place);
  }

  private map(map: YAMLMap, place: Place): void {
    for (const pair of map.items) {
      const name = this.nameOf(pair);
      const at = { ...place, value: valueIn(place.value, name), shown: valueIn(place.shown, name), around: aroundPair(map, pair, name) };
      if (!place.secret && holdsSecrets(place.value, name, isAlias(pair.value))) this.whole(pair.value, at);
      else if (isMerge(name) && at.value === undefined) this.merged(pair.value, place);
      else this.node(pair.value, at);
    }
  }

  /** `<<` gives its members to the map that it stands in. */
  private merged(node: unknown, place: Place): void {
    const source = isAlias(node) ? this.sources.get(node) : node;
    if (isSeq(source)) for (const item of source.items) this.node(item, place);
    else this.node(source, place);
  }

  /** All that is written there goes, names and comments among it; what its aliases stand for, where that is written. */
  private whole(node: unknown, place: Place): void {
    const source = isAlias(node) ? this.sources.get(node) : node;
    if (isNode(source) && source.range && !isScalar(source)) {
      const [start, , end] = source.range;
      this.strikes.push([start, end, struckOut(this.source.slice(start, end))]);
    }
    this.comments(place.around);
    this.node(source, { ...place, secret: true });
  }

  private scalar(node: Scalar, { value, shown, secret, around }: Place): void {
    if (!node.range || (!secret && isDeepStrictEqual(value, shown))) return;
    const [start, end] = node.range;
    const written = this.source.slice(start, end);
    const inner = secret || shown === redacted ? undefined : embedded(written);
    if (!inner) this.remember(node, secret ? redacted : shown);
    this.strikes.push([start, end, inner ? inner(this.secrets) : struckOutValue(written)]);
    this.comments(around);
    this.comments([start, end]);
  }

  /** What may be shown of a text is no secret. */
  private remember({ value, source }: Scalar, shown: unknown): void {
    const kept = new Set(String(shown).split('\n').map((line) => line.trim()));
    for (const text of [String(value), source ?? '']) {
      const lines = text.split('\n').map((line) => line.trim());
      const least = lines.filter((line) => line !== '').length > 1 ? 12 : 4;
      for (const line of lines) if (line.length >= least && !kept.has(line) && !/^(?:true|false|null|none)$/i.test(line)) this.secrets.add(line);
    }
  }

  /** Up to the end of the last line. */
  private comments([start, end]: [number, number]): void {
    const from = this.source.lastIndexOf('\n', start - 1) + 1;
    const lineEnd = this.source.indexOf('\n', Math.max(start, end - 1));
    const text = this.source.slice(from, lineEnd < 0 ? undefined : lineEnd);
    for (const match of text.matchAll(/(?<=^|\s)#.*$/gm)) this.strikes.push([from + match.index, from + match.index + match[0].length, `# ${redacted}`]);
  }

  private nameOf({ key }: Pair): string {
    const node = isAlias(key) ? this.sources.get(key) : key;
    return isScalar(node) ? String(node.value ?? '') : String(node);
  }
}

/** Of a document without aliases that stand for much, all are within it: 8 MiB of text. */
const mostSteps = 10_000_000;

const isMerge = (name: string): boolean => name === '<<' || name === 'Symbol(<<)';

/** Whatever stands there is a secret: the data of a Secret, and what an alias brings to a secret's name. */
function holdsSecrets(map: unknown, name: string, alias: boolean): boolean {
  if (alias && isSecretKey(name)) return true;
  return (name === 'data' || name === 'stringData') && (valueIn(map, 'kind') === 'Secret');
}

/** A `value` has the comments of the whole element that it is the value of. */
function aroundPair(map: YAMLMap, { key, value }: Pair, name: string): [number, number] {
  const start = isNode(key) && key.range ? key.range[0] : 0;
  const end = isNode(value) && value.range ? value.range[1] : start;
  return name === 'value' && map.range ? [map.range[0], map.range[1]] : [start, end];
}

/** Where the secret begins and ends with other words than its own. */
function holdsWord(text: string, word: string): boolean {
  const isPart = (c: string | undefined): boolean => c !== undefined && /[A-Za-z0-9]/.test(c);
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) if (!isPart(text[at - 1]) && !isPart(text[at + word.length])) return true;
  return false;
}

/** A PEM block from its first line to its last; one without an end takes the rest with it. */
function withoutPem(lines: readonly string[]): string[] {
  let inside = false;
  return lines.map((line) => {
    const begins = line.lastIndexOf('-----BEGIN ');
    const ends = line.lastIndexOf('-----END ');
    const strike = inside;
    inside = begins > ends || (inside && ends < 0);
    return strike ? struckOut(line) : line;
  });
}

const struckOut = (text: string): string => text.split('\n').map((line) => line.replace(/\S.*$/, redacted)).join('\n');

/** Where a block holds YAML (values of a chart), what is no secret there stays as well. */
function embedded(source: string): ((secrets: Set<string>) => string) | undefined {
  const [first = '', ...rest] = source.split('\n');
  const indent = Math.min(...rest.filter((line) => line.trim() !== '').map((line) => line.search(/[^ ]/)));
  const held = rest.map((line) => line.slice(indent)).join('\n');
  if (!first.startsWith('|') || !embeddedMap(held)) return undefined;
  return (secrets) => [headOf(first), ...masked('values.yaml', held, secrets).split('\n').map((line, i) => `${(rest[i] ?? '').slice(0, indent)}${line}`)].join('\n');
}

/** A block keeps what says that it is one. */
function struckOutValue(source: string): string {
  const [first = '', ...rest] = source.split('\n');
  return rest.length === 0 ? redacted : [/^[|>]/.test(first) ? headOf(first) : redacted, struckOut(rest.join('\n'))].join('\n');
}

const headOf = (first: string): string => /^[|>][\d+-]*/.exec(first)?.[0] ?? redacted;
