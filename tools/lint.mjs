// `npm run lint`: ESLint over every project, and the compiler over the tests, which no build compiles. One process each,
// side by side: `nx lint`, a process a project, reads the whole program again for each of them and takes seven times as
// long. (`nx lint PROJECT` is there for one project.) Needs the build, as the types of a library are those it was built with.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** True when both find nothing. */
export async function lint() {
  // The rule of the boundaries reads the project graph that Nx keeps.
  await run('nx', ['show', 'projects'], 'ignore');
  const found = await Promise.all([
    run('eslint', ['--max-warnings', '0', 'libs', 'apps', 'e2e', 'eval']),
    run('tsc', ['-p', 'tsconfig.spec.json', '--noEmit']),
  ]);
  return found.every((code) => code === 0);
}

function run(program, args, stdout = 'inherit') {
  const env = { ...process.env, NX_DAEMON: 'false', FORCE_COLOR: '0' };
  const child = spawn(process.execPath, [path.join(root, 'node_modules', '.bin', program), ...args], { cwd: root, stdio: ['ignore', stdout, 'inherit'], env });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit((await lint()) ? 0 : 1);
