import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const bundler = path.join(__dirname, 'bundle.mjs');
const node = (...args) => execFileSync(process.execPath, args, { encoding: 'utf8', env: { PATH: process.env.PATH } });
const dist = 'apps/larry-01/dist';
const root = mkdtempSync(path.join(os.tmpdir(), 'larry-bundle-'));

/** As the compiler writes: what it compiled, and when. */
function compile(files) {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
}

const bundle = () => node('--input-type=module', '-e', `import { bundlePrograms } from ${JSON.stringify(bundler)}; await bundlePrograms(${JSON.stringify(root)});`);
const start = (...options) => node(...options, path.join(root, dist, 'worker.js')).trim();
const bundles = () => readdirSync(path.join(root, dist)).filter((name) => name.endsWith('.bundle.js'));

beforeAll(() => {
  compile({
    'package-lock.json': '{}',
    'libs/one/dist/index.js': `const { readFileSync } = require('node:fs'); exports.word = () => 'first ' + readFileSync(__dirname + '/asset.txt', 'utf8');`,
    'libs/one/dist/asset.txt': 'asset',
    'libs/one/dist/tsconfig.tsbuildinfo': '{}',
    [`${dist}/part.js`]: `exports.part = require('../../../libs/one/dist/index.js').word();`,
    [`${dist}/worker.js`]: `console.log(require('./part').part, process.argv[1].endsWith('worker.js'), require('node:module').isBuiltin('fs'));`,
    [`${dist}/tsconfig.tsbuildinfo`]: '{}',
  });
  bundle();
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const kept = (name) => cpSync(path.join(root, name), path.join(root, `${name}.kept`));
const gone = (name) => rmSync(path.join(root, name));
const back = (name) => cpSync(path.join(root, `${name}.kept`), path.join(root, name));

describe('a bundled program', () => {
  it('needs none of its modules, and finds the files beside them', () => {
    const modules = [`${dist}/part.js`, `${dist}/worker.modules.js`, 'libs/one/dist/index.js'];
    modules.forEach((name) => (kept(name), gone(name)));
    try {
      expect(start()).toBe('first asset true true');
    } finally {
      modules.forEach(back);
    }
  });

  it('has the code that V8 compiled for it beside it, for each set of options it is started with, and V8 takes it', () => {
    const code = readdirSync(path.join(root, dist)).filter((name) => name.endsWith('.code'));
    expect(code).toHaveLength(2);
    const accepted = (...options) =>
      node(...options, '-e', `globalThis.larryBundle = {}; require(${JSON.stringify(path.join(root, dist, 'worker.js'))}); const { compile, compiledCodeFile } = larryBundle; console.log(compile(require('node:fs').readFileSync(compiledCodeFile)).cachedDataRejected);`).trim();
    expect([accepted(), accepted('--max-old-space-size=512')]).toEqual(['false', 'false']);
    expect(start('--max-old-space-size=300')).toBe('first asset true true');
  });

  it('starts from its modules when a library was compiled after it, and from a new bundle after the next build', () => {
    const [earlier] = bundles();
    compile({ 'libs/one/dist/index.js': `exports.word = () => 'second';`, 'libs/one/dist/tsconfig.tsbuildinfo': '{ }' });
    const later = new Date(Date.now() + 1000);
    utimesSync(path.join(root, 'libs/one/dist/tsconfig.tsbuildinfo'), later, later);
    expect(start()).toBe('second true true');
    const now = new Date();
    utimesSync(path.join(root, 'libs/one/dist/tsconfig.tsbuildinfo'), now, now);
    utimesSync(path.join(root, dist, earlier), new Date(0), new Date(0));
    bundle();
    expect(bundles()).toHaveLength(1);
    expect(bundles()).not.toEqual([earlier]);
    gone('libs/one/dist/index.js');
    expect(start()).toBe('second true true');
    compile({ 'libs/one/dist/index.js': `exports.word = () => 'second';` });
  }, 60_000);

  it('starts from its modules when packages were installed after it', () => {
    compile({ 'libs/one/dist/index.js': `exports.word = () => 'installed';` });
    expect(start()).toBe('second true true');
    compile({ 'node_modules/.package-lock.json': '{}' });
    const later = new Date(Date.now() + 1000);
    utimesSync(path.join(root, 'node_modules/.package-lock.json'), later, later);
    expect(start()).toBe('installed true true');
    gone('node_modules/.package-lock.json');
    compile({ 'libs/one/dist/index.js': `exports.word = () => 'second';` });
  });

  it('is made anew when the compiler has written its main file', () => {
    compile({ [`${dist}/worker.js`]: `console.log('third');` });
    expect(start()).toBe('third');
    bundle();
    gone(`${dist}/worker.modules.js`);
    expect(start()).toBe('third');
  }, 60_000);

  it('is not made anew when nothing has changed', () => {
    const before = bundles();
    utimesSync(path.join(root, dist, before[0]), new Date(), new Date(Date.now() + 5000));
    bundle();
    expect(bundles()).toEqual(before);
  });

  it('starts without the code beside it when that is cut off', () => {
    for (const name of readdirSync(path.join(root, dist)).filter((one) => one.endsWith('.code'))) truncateSync(path.join(root, dist, name), 200);
    expect(start()).toBe('third');
  });
});
