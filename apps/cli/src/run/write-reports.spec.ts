import { runSummarySchema } from '@larry/contracts';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { aReport, aSummary } from '../../test/builders';
import { UserError } from '../user-error';
import { writeReports } from './write-reports';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'larry-reports-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const names = ['larry-01-final.json', 'larry-02-final.json', '3-LARRY-EXECUTION-SUMMARY.json', '3-LARRY-EXECUTION-SUMMARY.md', '3-LARRY-EXECUTION-SUMMARY.html'];

describe('the reports of a run', () => {
  it('are written under the names of the quick start, into a folder that is made for them', () => {
    const target = path.join(folder, 'coordination', 'reports');
    expect(writeReports(aSummary(), target)).toEqual(names.map((n) => path.join(target, n)));
    expect(readdirSync(target).sort()).toEqual([...names].sort());
    expect(runSummarySchema.parse(JSON.parse(readFileSync(path.join(target, names[2] ?? ''), 'utf8')))).toEqual(aSummary());
    expect(JSON.parse(readFileSync(path.join(target, names[0] ?? ''), 'utf8'))).toEqual(aReport());
    expect(readFileSync(path.join(target, names[3] ?? ''), 'utf8')).toMatch(/^# 3-Larry execution summary/);
  });

  it('replace those of the run before', () => {
    writeReports(aSummary({ run: 'run-1' }), folder);
    writeReports(aSummary({ run: 'run-2' }), folder);
    expect(readFileSync(path.join(folder, names[2] ?? ''), 'utf8')).toContain('"run-2"');
    expect(readdirSync(folder)).toHaveLength(5);
  });

  it.each([
    ['a file stands where the folder should be', () => writeFileSync(path.join(folder, 'x'), ''), 'x/reports', /a part of that path is a file/],
    ['a file has the name of the folder', () => writeFileSync(path.join(folder, 'x'), ''), 'x', /there is a file of that name/],
    ['a folder has the name of a file', () => mkdirSync(path.join(folder, 'x', '3-LARRY-EXECUTION-SUMMARY.md'), { recursive: true }), 'x', /there is a folder where a file should be written/],
  ])('are not written when %s, which is said in one sentence, and nothing is left half-written', (_, prepare, where, sentence) => {
    prepare();
    const target = path.join(folder, where);
    expect(() => writeReports(aSummary(), target)).toThrow(UserError);
    expect(() => writeReports(aSummary(), target)).toThrow(sentence);
    const left = existsSync(target) && !target.endsWith('reports') && where === 'x' ? listed(target) : [];
    expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('are not written for an id that would lead elsewhere', () => {
    const summary = aSummary({ larrys: [aReport({ larry: '../../etc/cron.d/x' })] });
    expect(() => writeReports(summary, folder)).toThrow(/the id of a Larry is/);
    expect(readdirSync(folder)).toEqual([]);
  });

  (canMount() ? it : it.skip)('leave the last reports as they were when the disk is full (skipped where no tmpfs can be mounted)', () => {
    const small = path.join(folder, 'small');
    mountSmall(small);
    try {
      writeReports(aSummary({ run: 'run-1' }), small);
      const before = readdirSync(small).map((name) => [name, readFileSync(path.join(small, name), 'utf8')]);
      const big = aSummary({ run: 'run-2', lessons: Array.from({ length: 200 }, () => 'x'.repeat(1000)) });
      expect(() => writeReports(big, small)).toThrow(/the disk is full/);
      expect(readdirSync(small).map((name) => [name, readFileSync(path.join(small, name), 'utf8')])).toEqual(before);
    } finally {
      execFileSync('umount', [small]);
    }
  });
});

function listed(target: string): string[] {
  try {
    return readdirSync(target);
  } catch {
    return [];
  }
}

function mountSmall(target: string): void {
  mkdirSync(target);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', target], { stdio: 'ignore' });
}

/** Needs root with CAP_SYS_ADMIN. */
function canMount(): boolean {
  const tried = mkdtempSync(path.join(os.tmpdir(), 'larry-mount-'));
  const small = path.join(tried, 'small');
  try {
    mountSmall(small);
    execFileSync('umount', [small]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(tried, { recursive: true, force: true });
  }
}
