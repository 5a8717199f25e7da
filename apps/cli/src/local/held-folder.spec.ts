import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { holdFolder, releaseFolder } from './held-folder';

describe('a state folder', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'larry-held-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const heldBy = (pid: number): void => writeFileSync(path.join(folder, 'held-by.pid'), String(pid));

  it('that a living process has is not taken, and not given free by another', () => {
    heldBy(process.ppid);
    expect(holdFolder(folder)).toBe(process.ppid);
    releaseFolder(folder);
    expect(holdFolder(folder)).toBe(process.ppid);
  });

  it('that a killed process had is taken', () => {
    heldBy(2 ** 22 + 1);
    expect(holdFolder(folder)).toBeUndefined();
  });
});
