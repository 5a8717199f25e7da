import { runSummarySchema } from '@larry/contracts';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { aReport, aResult, aTaskReport } from '../../test/builders';
import { aggregate } from './aggregate';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'larry-aggregate-'));
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: unknown): string {
  const at = path.join(folder, name);
  writeFileSync(at, typeof content === 'string' ? content : JSON.stringify(content));
  return at;
}

const output = (ending = 'json'): string => path.join(folder, `out.${ending}`);
const read = (): ReturnType<typeof runSummarySchema.parse> => runSummarySchema.parse(JSON.parse(readFileSync(output(), 'utf8')));

describe('larry aggregate', () => {
  it('makes a valid summary of the three reports, in their order, and says what it does not know', () => {
    const scan = aResult({ task: 'scan', artifacts: { scope: { namespaces: ['a'] } } });
    const inventory = aResult({ task: 'count', artifacts: { inventory: { namespaces: ['a', 'b'], assets: [], counts: [] } } });
    aggregate({
      larry03Report: file('3.json', aReport({ larry: 'larry-03', tasks: [aTaskReport({ task: 'count', result: inventory })] })),
      larry01Report: file('1.json', aReport({ startedAt: '2026-01-02T03:00:00.000Z' })),
      report: [file('2.json', aReport({ larry: 'larry-02', status: 'failed', didWork: 0, tasks: [aTaskReport({ task: 'scan', result: scan })] }))],
      output: output(),
    });
    const summary = read();
    expect(summary.larrys.map((l) => l.larry)).toEqual(['larry-01', 'larry-02', 'larry-03']);
    expect(summary).toMatchObject({ run: 'run-1', status: 'failed', mode: 'unknown', didWork: { done: 2, of: 3 }, validations: [], startedAt: '2026-01-02T03:00:00.000Z' });
    expect(summary.crossChecks.find((c) => c.id === 'scanned-namespaces')).toMatchObject({ verdict: 'differs' });
    expect(summary.crossChecks.find((c) => c.id === 'asset-count')).toMatchObject({ verdict: 'unknown' });
    expect(summary.lessons[0]).toMatch(/no claim was looked at anew/);
  });

  it.each(['md', 'html', 'json'])('writes the format that .%s asks for', (ending) => {
    aggregate({ report: [file('1.json', aReport())], output: output(ending) });
    expect(readFileSync(output(ending), 'utf8')).toMatch({ md: /^# 3-Larry/, html: /^<!doctype html>/i, json: /^\{/ }[ending] ?? /never/);
  });

  it('marks nothing as looked at again', () => {
    aggregate({ report: [file('1.json', aReport())], output: output('md') });
    expect(readFileSync(output('md'), 'utf8')).toContain('Looked again: at nothing');
  });

  const good = aReport();
  it.each<[string, unknown, RegExp]>([
    ['is not there', undefined, /missing\.json cannot be read: there is no such file/],
    ['is empty', '', /bad\.json is not JSON/],
    ['is no object', '[]', /bad\.json is not the report of a Larry .*\(document\)/],
    ['is a summary', { ...good, kind: 'LarryRunSummary' }, /field "kind"/],
    ['lacks its tasks', { ...good, tasks: undefined }, /bad\.json .*field "tasks"/],
    ['claims what it has not seen', { ...good, tasks: [aTaskReport({ result: aResult({ criteria: [{ id: 'x', text: 'x', verdict: 'met' }] }) })] }, /field "tasks\.0\.result\.criteria\.0"/],
    ['is not final', { ...good, status: 'in_progress' }, /bad\.json is not final/],
  ])('refuses a file that %s with one sentence that names file and field', (_, content, sentence) => {
    const bad = content === undefined ? path.join(folder, 'missing.json') : file('bad.json', content);
    expect(() => aggregate({ report: [bad], output: output() })).toThrow(sentence);
    expect(readdirSync(folder)).not.toContain('out.json');
  });

  it.each([
    ['two reports of one Larry', {}, /both reports of larry-01/],
    ['reports of two runs', { larry: 'larry-02', run: 'run-2' }, /of run run-1 and .* of run run-2/],
    ['reports of two sources', { larry: 'larry-02', source: { type: 'live' as const, name: 'other', simulated: true } }, /different sources/],
  ])('refuses %s', (_, other, sentence) => {
    expect(() => aggregate({ report: [file('1.json', good), file('2.json', aReport(other))], output: output() })).toThrow(sentence);
  });

  it("refuses another Larry's report under a Larry's own option", () => {
    expect(() => aggregate({ larry02Report: file('1.json', good), output: output() })).toThrow(/is the report of larry-01, and was given as --larry-02-report/);
  });

  it('refuses to write what no ending names, and to aggregate nothing', () => {
    expect(() => aggregate({ report: [file('1.json', good)], output: path.join(folder, 'out.txt') })).toThrow(/ends neither/);
    expect(() => aggregate({ output: output() })).toThrow(/nothing to aggregate/);
  });
});
