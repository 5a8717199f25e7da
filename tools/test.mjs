// `npm test`: everything CI runs, from a fresh clone: packages, Redis, build, lint, the libraries' and apps' tests, then the
// system tests over the built programs. `--only lint|unit|system` runs one part. The libraries' and apps' tests need no build,
// so they run beside build and lint.
import { spawn } from 'node:child_process';
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

const results = mkdtempSync(path.join(os.tmpdir(), 'larry-test-'));
// Tests wait as well as work, for leases and for processes: one more of them than there are processors, to five.
const workers = Math.min(os.availableParallelism() + 1, 5);
const counts = { passed: 0, failed: 0, skipped: 0, retried: 0 };
const failedParts = [];
process.once('SIGTERM', () => process.exit(143));

if (only === 'unit') await unit();
else await Promise.all([ensureBuild().then(() => part('lint', lint)), unit()]);
await part('system', () => jest('system'));
rmSync(results, { recursive: true, force: true });
if (failedParts.length > 0) console.log(`\nNot green: ${failedParts.join(', ')}. What failed is printed above; \`npm test -- --only ${failedParts[0]}\` runs that part alone.`);
const { passed, failed, skipped, retried } = counts;
if (retried > 0) console.log(`\n${retried} of those that passed did so at their second try`);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failedParts.length === 0 ? 0 : 1);

function unit() {
  return part('unit', () => jest('unit'));
}

async function part(name, passes) {
  if (only !== undefined && only !== name) return;
  const started = Date.now();
  if (!(await passes())) failedParts.push(name);
  console.log(`${name}: ${Math.round((Date.now() - started) / 1000)} s`);
}

async function jest(name) {
  const file = path.join(results, `${name}.json`);
  const config = name === 'unit' ? 'jest.config.js' : 'jest.system.config.js';
  const words = [path.join(root, 'node_modules', '.bin', 'jest'), '--config', config, `--maxWorkers=${workers}`, '--json', `--outputFile=${file}`, '--silent'];
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' };
  const child = spawn(process.execPath, words, { cwd: root, stdio: 'inherit', env });
  // A build that fails ends this process.
  const stop = () => child.kill();
  process.once('exit', stop);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  process.removeListener('exit', stop);
  if (existsSync(file)) {
    const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(file, 'utf8'));
    counts.passed += numPassedTests;
    counts.failed += numFailedTests;
    counts.skipped += numPendingTests;
    counts.retried += testResults.flatMap((one) => one.assertionResults).filter((test) => test.status === 'passed' && test.invocations > 1).length;
  }
  return code === 0;
}
