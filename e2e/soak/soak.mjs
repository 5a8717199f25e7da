// `npm run soak`: hundreds of runs while their processes are killed, paused and cut off. See src/soak/.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/soak/main.js', import.meta.url);
if (!existsSync(fileURLToPath(built))) {
  console.error('soak: it is not built; run "npm run build" first');
  process.exit(2);
}
await import(built.href);
