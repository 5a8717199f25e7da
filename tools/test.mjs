// `npm test`: everything CI runs, from a fresh clone: packages, Redis, build, lint, the libraries' and apps' tests, then the
// system tests over the built programs. `--only lint|unit|system` runs one part.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, existsSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { lint } from './lint.mjs';
import { checkNode, ensureBuild, ensurePackages, ensureRedis, root } from './setup.mjs';

const args = process.argv.slice(2);
const only = args.includes('--only') ? args[args.indexOf('--only') + 1] ?? '' : undefined;
if (only !== undefined && !['lint', 'unit', 'system'].includes(only)) {
  console.error(`--only ${only}: there is no such part; use lint, unit or system.`);
  process.exit(2);
}
checkNode();
ensurePackages();
await ensureRedis({ yes: args.includes('--yes') });
await ensureBuild();

const results = mkdtempSync(path.join(os.tmpdir(), 'larry-test-'));
const counts = { passed: 0, failed: 0, skipped: 0 };
const failedParts = [];

await part('lint', () => lint());
await part('unit', () => jest('unit', ['--config', 'jest.config.js']));
await part('system', () => jest('system', ['--config', 'jest.system.config.js']));
rmSync(results, { recursive: true, force: true });
if (failedParts.length > 0) console.log(`\nNot green: ${failedParts.join(', ')}. What failed is printed above; \`npm test -- --only ${failedParts[0]}\` runs that part alone.`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(failedParts.length === 0 ? 0 : 1);

async function part(name, passes) {
  if (only !== undefined && only !== name) return;
  const started = Date.now();
  if (!(await passes())) failedParts.push(name);
  console.log(`${name}: ${Math.round((Date.now() - started) / 1000)} s`);
}

function run(program, programArgs) {
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' };
  const bin = path.join(root, 'node_modules', '.bin', program);
  return spawnSync(process.execPath, [bin, ...programArgs], { cwd: root, stdio: 'inherit', env }).status === 0;
}

function jest(name, jestArgs) {
  const file = path.join(results, `${name}.json`);
  const passed = run('jest', [...jestArgs, '--maxWorkers=2', '--json', `--outputFile=${file}`, '--silent']);
  if (existsSync(file)) {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(file, 'utf8'));
    counts.passed += numPassedTests;
    counts.failed += numFailedTests;
    counts.skipped += numPendingTests;
  }
  return passed;
}
