// `npm run demo`: a whole run against the simulated cluster, in mode auto, from a fresh clone. Arguments go to `larry run`.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { checkNode, ensureBuild, ensurePackages, ensureRedis, root } from './setup.mjs';

const args = process.argv.slice(2);
checkNode();
ensurePackages();
await ensureRedis({ yes: args.includes('--yes') });
await ensureBuild();

const larry = spawn(
  process.execPath,
  [path.join(root, 'apps/cli/dist/main.js'), 'run', '--simulated', '--mode', 'auto', '--state', path.join(root, '.larry'), ...args.filter((a) => a !== '--yes')],
  { stdio: 'inherit' },
);
// The terminal sends Ctrl-C to the whole group; larry ends the run and its exit code is ours.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && larry.kill(signal));
larry.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
