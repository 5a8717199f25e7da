// Installs what a command needs and is not there: npm packages from the lock, a Redis server by apt, the build.
// Uses Node's own modules only, since it runs before anything is installed. Safe to run any number of times.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const say = (text) => process.stderr.write(`setup: ${text}\n`);

/** Stops with one sentence, and no stack trace: it is for the user. */
export function stop(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(3);
}

/** Refuses a Node that cannot load the packages, by one sentence. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) stop(`Larry needs Node 20.19 or newer; this is ${process.version}. Install a newer one and run the command again.`);
}

/** npm packages from the lock, when the lock is not the one that was installed last. */
export function ensurePackages() {
  const lock = createHash('sha256').update(readFileSync(path.join(root, 'package-lock.json'))).digest('hex');
  const marker = path.join(root, 'node_modules', '.larry-installed');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;
  say('installing npm packages from package-lock.json (about a minute the first time)');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) stop('setup: npm ci failed (see above); check the network and run the command again.');
  writeFileSync(marker, lock);
}

/** Compiles everything that changed. */
export async function ensureBuild() {
  say('building');
  const { build } = await import('./build.mjs');
  if ((await build()) !== 0) stop('setup: the build failed (see above).');
}

/** A Redis server program, or REDIS_URL: installed by apt where there is none and the user agrees. */
export async function ensureRedis({ yes = false } = {}) {
  if (process.env.REDIS_URL || onPath('redis-server') || onPath('valkey-server')) return;
  const instead = 'Install redis-server or valkey-server (7.0 or newer), or set REDIS_URL, and run the command again.';
  if (!onPath('apt-get')) stop(`Larry needs a Redis server and finds none, and this machine has no apt-get. ${instead}`);
  const asRoot = process.getuid?.() === 0 ? [] : onPath('sudo') ? ['sudo'] : undefined;
  if (!asRoot) stop(`Larry needs a Redis server and finds none; installing one needs root. ${instead}`);
  if (!(await agreed(yes))) stop(`Nothing was installed. ${instead}`);
  installRedis(asRoot);
  if (!onPath('redis-server')) stop(`apt-get could not install redis-server. ${instead}`);
}

async function agreed(yes) {
  // Without a terminal there is nobody to ask, and the command that needs it was typed on purpose.
  if (yes || process.env.CI || !process.stdin.isTTY) return true;
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question('Larry needs a Redis server. Install redis-server by apt-get now (no service is left running)? [Y/n] ');
  ask.close();
  return /^(y(es)?)?$/i.test(answer.trim());
}

/** Debian starts a service on install; a policy file says no for the time of the installation (Debian Policy, 9.3.3). */
function installRedis(asRoot) {
  say('installing redis-server by apt-get; its service is neither started nor enabled');
  const policy = '/usr/sbin/policy-rc.d';
  const ours = asRoot.length === 0 && !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const run = (...command) => spawnSync([...asRoot, ...command][0], [...asRoot, ...command].slice(1), { stdio: ['ignore', 'ignore', 'ignore'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } });
  try {
    const install = () => run('apt-get', 'install', '-y', '--no-install-recommends', 'redis-server');
    if (install().status !== 0) {
      run('apt-get', 'update');
      install();
    }
    if (onPath('systemctl')) run('systemctl', 'disable', '--now', 'redis-server');
    else if (onPath('update-rc.d')) run('update-rc.d', 'redis-server', 'disable');
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
  say('redis-server is installed (remove it with: apt-get remove redis-server redis-tools)');
}

/** Whether a program is on PATH. */
export function onPath(program) {
  return (process.env.PATH ?? '').split(path.delimiter).some((dir) => {
    try {
      accessSync(path.join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// `npm run setup`: packages, Redis and the build, and nothing else.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  checkNode();
  ensurePackages();
  await ensureRedis({ yes: process.argv.includes('--yes') });
  await ensureBuild();
}
