import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { securityPlaybooks } from '..';
import { families, rulesById } from './families';
import { k3sBaseline } from './k3s-baseline';
import { fitsGlob } from './glob';

const rulesFolder = path.join(__dirname, 'rules');
const folders = readdirSync(rulesFolder, { withFileTypes: true })
  .filter((e) => e.isDirectory())
  .map((e) => e.name);
const playbookFolders = readdirSync(path.join(__dirname, '..'), { withFileTypes: true })
  .filter((e) => e.isDirectory() && e.name !== 'security-scan')
  .map((e) => e.name);

describe('the registry of rule families', () => {
  it('lists every folder of rules, and no other', () => {
    expect(families.map((f) => f.id).sort()).toEqual(folders.sort());
  });

  it.each(folders)('%s has a readme that names each of its rules, fixtures and tests', (folder) => {
    const readme = readFileSync(path.join(rulesFolder, folder, 'readme.md'), 'utf8');
    const rules = families.find((f) => f.id === folder)?.rules ?? [];
    expect(rules.filter((r) => !readme.includes(`\`${r.id}\``)).map((r) => r.id)).toEqual([]);
    expect(readdirSync(path.join(rulesFolder, folder, '__fixtures__')).length).toBeGreaterThan(0);
    expect(existsSync(path.join(rulesFolder, folder, `${folder}.spec.ts`))).toBe(true);
  });

  it('gives no rule twice, and each a severity with its reason and source', () => {
    const all = families.flatMap((f) => f.rules);
    expect(rulesById.size).toBe(all.length);
    expect(all.filter((r) => r.why.length < 20 || r.source.length < 10)).toEqual([]);
    expect(all.filter((r) => !/^[a-z0-9-]+\/[a-z0-9-]+$/.test(r.id))).toEqual([]);
  });

  it('expects nothing in the baseline that no rule says', () => {
    const rules = [...rulesById.keys()];
    const dead = k3sBaseline.flatMap((e) => e.rules.filter((pattern) => !rules.some((r) => fitsGlob(pattern, r))));
    expect(dead).toEqual([]);
  });
});

describe('the registry of playbooks', () => {
  const { built, notBuilt } = securityPlaybooks;

  it('lists every folder of a playbook, each with its readme', () => {
    expect(built.map((p) => p.id).sort()).toEqual(playbookFolders.sort());
    expect(playbookFolders.filter((f) => !existsSync(path.join(__dirname, '..', f, 'readme.md')))).toEqual([]);
  });

  it('names no task twice, and says why for each that is not built', () => {
    const ids = [...built, ...notBuilt].map((p) => p.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.sort()).toEqual([
      'automated-remediation',
      'dependency-audit',
      'security-scan-group-01',
      'security-scan-group-02',
    ]);
    expect(notBuilt.filter((p) => p.why.length < 10)).toEqual([]);
  });

  it('declares no right to write and none to read Secrets', () => {
    const access = built.flatMap((p) => p.access);
    expect(access.flatMap((a) => a.verbs).filter((v) => v !== 'get' && v !== 'list')).toEqual([]);
    expect(access.flatMap((a) => a.resources).filter((r) => r.includes('secrets') || r.includes('*'))).toEqual([]);
  });
});
