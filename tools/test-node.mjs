// `npm run test:node -- 22`: the same tests under another Node, which the npm package `node` brings into a folder of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, stop } from './setup.mjs';

const [version, ...rest] = process.argv.slice(2);
if (!/^\d+(\.\d+\.\d+)?$/.test(version ?? '')) stop('test-node: name a version of Node: npm run test:node -- 22');

const folder = path.join(root, 'node_modules', '.cache', `node-${version}`);
const program = path.join(folder, 'node_modules', '.bin', 'node');
if (!existsSync(program)) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const npm = spawnSync('npm', ['install', `node@${version}`, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (npm.status !== 0) stop(`test-node: Node ${version} could not be installed from npm (see above)`);
}
const env = { ...process.env, PATH: `${path.dirname(program)}${path.delimiter}${process.env.PATH ?? ''}` };
console.log(`Node ${spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
process.exit(spawnSync(program, [path.join(root, 'tools', 'test.mjs'), ...rest], { cwd: root, stdio: 'inherit', env }).status ?? 1);
