import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { eventNames } from '@larry/contracts';
import { loadScripts } from '@larry/redis';
import { refusals } from './outcomes';

const FOLDER = path.join(__dirname, 'lua');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.lua'));
const whole = loadScripts(FOLDER);

/** The lines of one part of a header, `1 NAME  text` each. */
function section(source: string, title: string): string[] {
  const lines = source.split('\n');
  const begin = lines.indexOf(`-- ${title}`);
  const end = lines.findIndex((line, i) => i > begin && !/^--\s{2,}/.test(line));
  return begin < 0 ? [] : lines.slice(begin + 1, end).map((line) => line.replace(/^--\s+/, ''));
}

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

/** The body with its includes: without the header's comments, and of the includes only the functions that are called. */
function bodyOf(file: string): { source: string; own: string; body: string } {
  const source = readFileSync(path.join(FOLDER, file), 'utf8');
  const name = file.replace(/-\d+\.lua$/, '');
  const code = (whole[name]?.lua ?? '').replace(/^\s*--.*$/gm, '');
  return { source, own: source.replace(/^\s*--.*$/gm, ''), body: withoutUncalled(code) };
}

/** Removes local functions that nothing calls, until none is left: an include holds more than one script needs. */
function withoutUncalled(code: string): string {
  for (const match of code.matchAll(/^local function (\w+)[^]*?^end$/gm)) {
    const rest = code.replace(match[0], '');
    if (!new RegExp(`\\b${match[1]}\\(`).test(rest)) return withoutUncalled(rest);
  }
  return code;
}

const saidEvents = (source: string): string[] => sorted(all(all(source, /^-- Events: (.*)$/gm)[0] ?? '', /\b([a-z]+_[a-z_]+)\b/g));
const emittedEvents = (code: string): string[] => sorted(all(code, /'([a-z_]+)'/g).filter((word) => (eventNames as string[]).includes(word)));

describe.each(['ending', 'retry'])('the include %s', (name) => {
  it('names every event that it emits', () => {
    const source = readFileSync(path.join(FOLDER, 'includes', `${name}.lua`), 'utf8');
    expect(saidEvents(source)).toEqual(emittedEvents(source.replace(/^\s*--.*$/gm, '')));
  });
});

describe.each(files)('the script %s', (file) => {
  const { source, own, body } = bodyOf(file);
  const [, name, numberOfKeys] = /^(.*)-(\d+)\.lua$/.exec(file) ?? [];

  it('begins with its flags and its own name', () => {
    expect(source).toMatch(/^#!lua( flags=(allow-oom|no-writes))?\n-- [a-z-]+: .*\.\n/);
    expect(all(source, /^-- ([a-z-]+): /gm)[0]).toBe(name);
  });

  it('names in its header the keys that its file name counts and its body takes, in order', () => {
    const header = section(source, 'KEYS').map((line) => line.split(/\s+/));
    expect(header).toHaveLength(Number(numberOfKeys));
    expect(header.map(([n]) => n)).toEqual(header.map((_, i) => String(i + 1)));
    const [, names = '', values = ''] = /^local ([A-Z, ]+) = (KEYS.*)$/m.exec(own) ?? [];
    expect(names.split(', ')).toEqual(header.map(([, key]) => key));
    expect(values.split(', ')).toEqual(header.map((_, i) => `KEYS[${i + 1}]`));
  });

  it('names every argument that its body takes', () => {
    const numbers = section(source, 'ARGV').filter((line) => /^\d/.test(line)).map((line) => line.split(/\s+/)[0]);
    expect(numbers).toEqual(numbers.map((_, i) => String(i + 1)));
    expect(sorted(all(own, /ARGV\[(\d+)\]/g))).toEqual(sorted(numbers as string[]));
  });

  it('names every code that it returns, and each negative one has its outcome', () => {
    const said = sorted(section(source, 'Returns').flatMap((line) => all(line, /^\{(-?\d+)/g)));
    const negative = [...all(body, /\{ (-\d+)/g), ...all(body, /return (-\d+)/g), ...all(body, /(?:and|or) (-\d+)/g)];
    expect(said.filter((code) => code.startsWith('-'))).toEqual(sorted(negative));
    for (const code of negative) expect(refusals).toHaveProperty([code]);
  });

  it('names every event that it emits itself, and every include that emits more', () => {
    expect(saidEvents(source)).toEqual(emittedEvents(own));
    const line = all(source, /^-- Events: (.*)$/gm)[0] ?? '';
    if (/\bend_task\(/.test(body)) expect(line).toContain('ending');
    if (/\bback_to_ready\(/.test(body)) expect(line).toContain('retry');
  });

  it('keeps all its keys in one slot, or has one key', () => {
    const keys = section(source, 'KEYS').map((line) => line.split(/\s+/)[2] ?? '');
    if (keys.length > 1) expect(keys.every((key) => key.startsWith('{larry}:'))).toBe(true);
  });
});

it('lets running work end on a full Redis, and begins nothing new there', () => {
  const allowed = files.filter((file) => readFileSync(path.join(FOLDER, file), 'utf8').startsWith('#!lua flags=allow-oom'));
  expect(allowed).toEqual(expect.arrayContaining(['renew-4.lua', 'settle-7.lua', 'outcome-4.lua', 'relock-1.lua']));
  expect(allowed).not.toEqual(expect.arrayContaining(['claim-7.lua']));
  expect(allowed).not.toEqual(expect.arrayContaining(['create-7.lua']));
});
