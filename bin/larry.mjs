#!/usr/bin/env node
// The `larry` command from a clone: `npx larry …`. The first call installs npm packages and builds; later ones start at once.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { checkNode, ensureBuild, ensurePackages, root } from '../tools/setup.mjs';

const program = path.join(root, 'apps', 'cli', 'dist', 'main.js');
if (!existsSync(program)) {
  checkNode();
  ensurePackages();
  await ensureBuild();
}
createRequire(import.meta.url)(program);
