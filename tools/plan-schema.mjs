// Writes plans/plan.schema.json from the schema in libs/contracts, for editors: `node tools/plan-schema.mjs` (after a build).
// With --check it only says whether the file is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(path.join(root, 'package.json'));
const { z } = require('zod');
const { planSchema } = require('@larry/contracts');

const file = path.join(root, 'plans', 'plan.schema.json');
const wanted = `${JSON.stringify({ title: 'A plan of Larry', ...z.toJSONSchema(planSchema, { io: 'input' }) }, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== wanted) {
    console.error('plans/plan.schema.json is not what libs/contracts/src/plan.ts says; run: npm run build && node tools/plan-schema.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(file, wanted);
}
