import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { infrastructurePlaybooks } from '.';

const folders = readdirSync(__dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe('the registry of Larry-01', () => {
  it('lists every folder, and a folder for every playbook that is built', () => {
    expect(infrastructurePlaybooks.built.map((p) => p.id).sort()).toEqual(folders.sort());
  });
  it.each(folders)('%s has a readme that begins with its name, and fixtures', (folder) => {
    expect(existsSync(path.join(__dirname, folder, 'readme.md'))).toBe(true);
    expect(existsSync(path.join(__dirname, folder, '__fixtures__'))).toBe(true);
  });
  it('names each of the four tasks once, and says why those that are not built are not', () => {
    const ids = [...infrastructurePlaybooks.built, ...infrastructurePlaybooks.notBuilt].map((p) => p.id);
    expect(ids.sort()).toEqual(['consolidate-postgresql', 'fix-pgadmin-crashloop', 'optimize-postgresql', 'setup-monitoring']);
    expect(infrastructurePlaybooks.notBuilt.every((p) => p.why.length > 10)).toBe(true);
  });
  it('declares for every right to write the fields it may touch', () => {
    for (const { access } of infrastructurePlaybooks.built) {
      for (const rule of access) if (rule.verbs.some((v) => v === 'patch' || v === 'create')) expect(rule.fields?.length).toBeGreaterThan(0);
    }
  });
  it('declares the categories of the changes that it plans', () => {
    for (const { plan, categories } of infrastructurePlaybooks.built) expect(plan === undefined || (categories ?? []).length > 0).toBe(true);
  });
});
