// Builds one project (`node tools/build.mjs libs/redis`, what `nx build` calls) or, without an argument, all of them in
// one compiler process. What is not TypeScript (Lua scripts, data, pages) is copied beside the compiled files. Programs are
// bundled when all is built; after the build of one project they start from their modules.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePrograms } from './bundle/bundle.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Compiles and copies; returns the exit code. `project` is relative to the repository, `.` for all. */
export async function build(project = '.') {
  if (!existsSync(path.join(root, project, 'tsconfig.json'))) {
    console.error(`build: no project at "${project}": give a folder that holds a tsconfig.json`);
    return 2;
  }
  const code = await compile(project);
  if (code !== 0) return code;
  const projects = project === '.' ? references() : [project];
  for (const one of projects) {
    copyAssets(one);
    removeStale(one);
  }
  if (project === '.') await bundlePrograms(root);
  return 0;
}

function compile(project) {
  const tsc = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '-b', project], { cwd: root, stdio: 'inherit' });
  const stop = () => tsc.kill();
  process.once('exit', stop);
  return new Promise((resolve) => tsc.once('exit', (code) => resolve(code ?? 1))).finally(() => process.removeListener('exit', stop));
}

function references() {
  return JSON.parse(readFileSync(path.join(root, 'tsconfig.json'), 'utf8')).references.map((r) => r.path);
}

function copyAssets(project) {
  const src = path.join(root, project, 'src');
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    const from = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\.tsx?$|\.md$/.test(entry.name) || from.includes('__fixtures__')) continue;
    cpSync(from, path.join(root, project, 'dist', path.relative(src, from)));
  }
}

/** What an earlier build made of a source that is gone: `kafka.js` would be taken before `kafka/index.js`. */
function removeStale(project) {
  const [src, dist] = ['src', 'dist'].map((folder) => path.join(root, project, folder));
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const made = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || entry.name.endsWith('.tsbuildinfo')) continue;
    // A bundled program is named after its source: `main.modules.js`, `main.0123456789ab.bundle.js`.
    const source = path.join(src, path.relative(dist, made));
    const compiled = source.replace(/(\.modules)?(\.d\.ts|\.js)(\.map)?$|\.[0-9a-f]{12}\.bundle\.js.*$/, '');
    if (![source, `${compiled}.ts`, `${compiled}.tsx`].some((file) => existsSync(file))) rmSync(made);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(await build(process.argv[2]));
