import { eventually } from '@larry/redis/testing';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { logLine, logs } from './logs';

let state: string;
let said: string;
beforeEach(() => {
  state = mkdtempSync(path.join(os.tmpdir(), 'larry-logs-'));
  mkdirSync(path.join(state, 'logs', 'workers'), { recursive: true });
  said = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(state, { recursive: true, force: true });
});

const log = (name: string, text: string): void => writeFileSync(path.join(state, 'logs', `${name}.log`), text);

describe('larry logs', () => {
  it.each([1, 2, 3, 100])('prints the last %i lines, also of a file longer than what is read at once', async (lines) => {
    const all = Array.from({ length: 50 }, (_, i) => `line ${i} ${'x'.repeat(4000)}`);
    log('larry-01', `${all.join('\n')}\n`);
    await logs('larry-01', { state, lines, raw: true });
    expect(said).toBe(`${all.slice(-lines).join('\n')}\n`);
  });

  it('keeps back a last line whose end is not written yet', async () => {
    log('larry-01', 'one\ntwo\nthr');
    await logs('larry-01', { state, lines: 10, raw: true });
    expect(said).toBe('one\ntwo\n');
  });

  it("finds a task's worker by the plan", async () => {
    log('workers/larry-01-cleanup-worker', 'working\n');
    await logs('fix-pgadmin-crashloop', { state, lines: 10 });
    expect(said).toBe('working\n');
  });

  it('follows what is appended until it is interrupted', async () => {
    log('larry-01', 'one\n');
    const following = logs('larry-01', { state, lines: 10, follow: true });
    appendFileSync(path.join(state, 'logs', 'larry-01.log'), 'two\n');
    await eventually(() => expect(said).toContain('two'));
    process.emit('SIGINT');
    await following;
    expect(said).toBe('one\ntwo\n');
  });

  it('says which logs there are, and that there are none', async () => {
    log('larry-01', 'one\n');
    await logs(undefined, { state, lines: 10 });
    expect(said).toMatch(/larry-01 +4 bytes/);
    await expect(logs('nobody', { state, lines: 10 })).rejects.toThrow(/no log of "nobody"; there are larry-01/);
    await expect(logs('review-prs', { state, lines: 10 })).rejects.toThrow(/review-prs has not been worked on here/);
    await expect(logs('x', { state: path.join(state, 'none'), lines: 10 })).rejects.toThrow(/there are no logs under/);
  });

  it.each([
    ['{"level":"info","time":"2026-01-02T03:04:05.000Z","msg":"started","run":"r","pid":1}', '2026-01-02T03:04:05.000Z info started run=r'],
    ['{"level":40,"time":1767323045000,"msg":"slow","ms":12}', '2026-01-02T03:04:05.000Z warn slow ms=12'],
    ['{"no":"message"}', '{"no":"message"}'],
    ['plain', 'plain'],
    ['\u001b[2J{"x', '{"x'],
  ])('%j reads as %j', (line, text) => expect(logLine(line).replace(/ {2,}/g, ' ')).toBe(text));
});
