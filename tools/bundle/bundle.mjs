// Makes one file of each program that is started often, from what the compiler has written, so that it starts in a third
// of the time: `dist/main.js` becomes a starter (start-program.cjs), `dist/main.modules.js` is what the compiler wrote.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);
const here = import.meta.dirname;

/** Each with the options of node it is started with, and arguments that end it once it has loaded. */
const programs = [
  ...['larry-01', 'larry-02', 'larry-03'].flatMap((app) => [service(`apps/${app}/dist/main.js`), worker(`apps/${app}/dist/worker.js`)]),
  service('apps/meta-coordinator/dist/main.js'),
  { file: 'apps/cli/dist/main.js', starts: [[]], args: ['diagnose', '--manifests', 'compose.yaml'] },
  service('e2e/dist/programs/test-larry.js'),
  worker('e2e/dist/programs/test-worker.js'),
];

function service(file) {
  return { file, starts: [[]], args: [] };
}

/** The launcher of processes limits their memory; a Job starts them without. */
function worker(file) {
  return { file, starts: [[], ['--max-old-space-size=512']], args: [] };
}

/** What Nest and its parts load where it is installed: it is not. */
const notInstalled = ['@nestjs/websockets', 'class-transformer', 'class-validator', '@grpc/grpc-js', '@grpc/proto-loader', 'mqtt', 'nats', 'amqplib', 'amqp-connection-manager', '@fastify/static'];

/** Bundles the programs whose bundles are older than what is compiled, installed or written here. */
export async function bundlePrograms(root) {
  const recipe = digest([process.version, ...[path.join(root, 'package-lock.json'), path.join(here, 'bundle.mjs'), starter].map((file) => readFileSync(file))]);
  const present = programs.filter(({ file }) => existsSync(path.join(root, file)));
  const old = present.filter(({ file }) => !isCurrent(path.join(root, file), recipe));
  if (old.length === 0) return;
  if (!isInstalled('esbuild')) {
    console.error('build: esbuild is not installed, so programs start from their modules, which takes longer; run npm ci and build again');
    return;
  }
  for (const { file } of old) keepModules(path.join(root, file));
  const made = await esbuild(root, old.map(({ file }) => file));
  for (const program of old) await install(root, program, made[program.file], recipe);
}

const starter = path.join(here, 'start-program.cjs');
const marker = "'use strict'; const made = ";
const modulesOf = (file) => file.replace(/\.js$/, '.modules.js');

function isInstalled(name) {
  try {
    return Boolean(require.resolve(name));
  } catch {
    return false;
  }
}

const isStarter = (file) => readFileSync(file, 'utf8').startsWith(marker);

/** What the compiler has just written makes room for the starter. */
function keepModules(file) {
  if (!isStarter(file)) renameSync(file, modulesOf(file));
}

function isCurrent(file, recipe) {
  if (!isStarter(file)) return false;
  const [line] = readFileSync(file, 'utf8').split('\n');
  if (JSON.parse(line.slice(marker.length, -1)).recipe !== recipe) return false;
  globalThis.larryBundle = {};
  delete require.cache[file];
  require(file);
  const { isCurrent: current } = globalThis.larryBundle;
  delete globalThis.larryBundle;
  return current;
}

/** One run of esbuild for all, since they share most modules; by program its text and the projects in it. */
async function esbuild(root, files) {
  const { outputFiles, metafile } = await require('esbuild').build({
    absWorkingDir: root,
    entryPoints: files.map((file) => ({ in: modulesOf(file), out: file.replace(/\.js$/, '') })),
    outdir: root,
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    charset: 'ascii',
    legalComments: 'none',
    external: notInstalled.flatMap((name) => [name, `${name}/*`]),
    // The package's own folder is asked for when a page of it is read.
    logOverride: { 'require-resolve-not-external': 'silent' },
    plugins: [ownFolders(root)],
    banner: { js: `const larryRoot = require('node:path').join(__dirname, '../../..');` },
  });
  return Object.fromEntries(
    outputFiles.map(({ path: out, text }) => {
      const file = path.relative(root, out);
      const inputs = Object.keys(metafile.outputs[file].inputs);
      return [file, { text: inAscii(text), projects: [...new Set(inputs.flatMap((input) => /^(?:libs|apps|e2e)(?:\/[^/]+)*?(?=\/dist\/)/.exec(input) ?? []))] }];
    }),
  );
}

/** V8 keeps a text without other characters in half of the memory. The bundler leaves them in comments. */
function inAscii(text) {
  return text.replace(/[^\x00-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A module that reads files beside it finds them where it was compiled to. */
function ownFolders(root) {
  return {
    name: 'own-folders',
    setup(build) {
      build.onLoad({ filter: /\/dist\/.*\.js$/ }, ({ path: file }) => {
        if (file.includes('/node_modules/')) return undefined;
        const text = readFileSync(file, 'utf8');
        if (!text.includes('__dirname')) return { contents: text };
        return { contents: `var __dirname = larryRoot + ${JSON.stringify(`/${path.relative(root, path.dirname(file))}`)}; ${text}` };
      });
    },
  };
}

/** What the compiler writes last in each project, and npm in what it has installed; an image has neither. */
const writtenWith = (projects) => [...projects.map((project) => `${project}/dist/tsconfig.tsbuildinfo`), 'node_modules/.package-lock.json'];

async function install(root, { file, starts, args }, { text, projects }, recipe) {
  const program = path.join(root, file);
  const [folder, name] = [path.dirname(program), path.basename(program, '.js')];
  const bundle = `${name}.${digest([text])}.bundle.js`;
  for (const earlier of readdirSync(folder)) if (earlier.startsWith(`${name}.`) && earlier.includes('.bundle.js')) rmSync(path.join(folder, earlier));
  writeFileSync(path.join(folder, bundle), text);
  const made = { bundle, modules: `${name}.modules.js`, compiled: writtenWith(projects).map((written) => path.relative(folder, path.join(root, written))), recipe };
  writeFileSync(`${program}.new`, `${marker}${JSON.stringify(made)};\n${readFileSync(starter, 'utf8')}`);
  renameSync(`${program}.new`, program);
  for (const options of starts) await keepCode(root, program, options, args);
}

/** Without an environment a service or worker ends when it has read it, which is after all that it loads. */
async function keepCode(root, program, options, args) {
  const env = { PATH: process.env.PATH ?? '' };
  await promisify(execFile)(process.execPath, [...options, path.join(here, 'keep-code.cjs'), program, ...args], { cwd: root, env, timeout: 60_000 }).catch(() => undefined);
}

function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 12);
}
