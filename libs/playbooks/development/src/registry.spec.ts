import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { developmentPlaybooks } from '.';

const folders = readdirSync(__dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe('the registry of Larry-03', () => {
  it('lists every folder, and a folder for every playbook that is built', () => {
    expect(developmentPlaybooks.built.map((p) => p.id).sort()).toEqual(folders.sort());
  });
  it.each(folders)('%s has a readme and fixtures', (folder) => {
    expect(existsSync(path.join(__dirname, folder, 'readme.md'))).toBe(true);
    expect(existsSync(path.join(__dirname, folder, '__fixtures__'))).toBe(true);
  });
  it('names each of the eight tasks once, and says why those that are not built are not', () => {
    const ids = [...developmentPlaybooks.built, ...developmentPlaybooks.notBuilt].map((p) => p.id);
    expect(ids.sort()).toEqual([
      'analyze-code-quality', 'catalog-deployments', 'catalog-helm-releases', 'classify-assets',
      'generate-documentation', 'implement-priority-feature', 'improve-test-coverage', 'review-prs',
    ]);
    expect(developmentPlaybooks.notBuilt.every((p) => p.why.length > 10)).toBe(true);
  });
  it('asks for no right to write', () => {
    expect(developmentPlaybooks.built.flatMap((p) => p.access.flatMap((rule) => rule.verbs)).filter((verb) => verb !== 'get' && verb !== 'list')).toEqual([]);
  });
});
