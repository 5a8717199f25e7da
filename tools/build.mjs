// Builds one project: `node tools/build.mjs libs/redis`. The compiler, then what is not TypeScript
// (Lua scripts, YAML and JSON data, pages) is copied beside the compiled files under the same path.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const project = process.argv[2];
if (!project || !existsSync(path.join(project, 'tsconfig.json'))) {
  console.error(`build: no project at "${project ?? ''}": give a folder that holds a tsconfig.json`);
  process.exit(2);
}
const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', project], { stdio: 'inherit' });
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const src = path.join(project, 'src');
for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || /\.tsx?$|\.md$/.test(entry.name)) continue;
  const from = path.join(entry.parentPath, entry.name);
  if (from.includes('__fixtures__')) continue;
  cpSync(from, path.join(project, 'dist', path.relative(src, from)));
}
