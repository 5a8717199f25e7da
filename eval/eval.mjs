// `npm run eval`: builds what it needs and diagnoses every case (docs/evaluation.md). `--half dev`, `--only TEXT`, `--json`.
import { createRequire } from 'node:module';
import { build } from '../tools/build.mjs';
import { checkNode, ensurePackages } from '../tools/setup.mjs';

checkNode();
ensurePackages();
if ((await build('eval')) !== 0) process.exit(3);
const { main } = createRequire(import.meta.url)('./dist/main.js');
process.exitCode = await main(process.argv.slice(2));
