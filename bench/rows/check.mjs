// `larry check --snapshot` over many pods, as the process a user starts.
import { statSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { app, kubeTesting, writeSnapshot } from '../libraries.mjs';
import { runMeasured, temporaryFolder } from '../children.mjs';
import { bigCluster } from '../big-cluster.mjs';
import { mb, median, ms } from '../measure.mjs';

export async function check({ quick }) {
  const rows = [];
  for (const pods of [1000, 10_000]) rows.push(await checkRow(pods, quick ? 1 : 3));
  return { title: 'larry check over a snapshot', rows };
}

async function checkRow(pods, count) {
  const folder = path.join(temporaryFolder(), 'snapshot');
  const { kinds } = await writeSnapshot(kubeTesting.memoryCluster([...bigCluster(pods)]), folder);
  const objects = kinds.reduce((sum, kind) => sum + (kind.count ?? 0), 0);
  const seen = [];
  for (let i = 0; i < count; i++) seen.push(await oneCheck(folder));
  const took = median(seen.map((s) => s.took));
  const peak = median(seen.map((s) => s.peak));
  const aim = pods === 10_000 ? { aim: 'under 5 s, under 300 MB', met: took < 5000 && peak < 300e6 } : {};
  return { what: `${pods} pods, ${objects} objects, ${mb(sizeOf(folder))}`, measured: `${ms(took)}, ${mb(peak)}`, note: `peak memory; ${ms(median(seen.map((s) => s.cpu)))} CPU; ${seen[0].findings} findings.`, ...aim };
}

async function oneCheck(folder) {
  // Kept checks go to the folder of the bench, not to the user's.
  const home = temporaryFolder();
  const seen = await runMeasured([app('cli'), 'check', '--snapshot', folder, '--json'], { HOME: home, XDG_STATE_HOME: home, XDG_CACHE_HOME: home });
  if (seen.code !== 0) throw new Error(`larry check exits ${seen.code}: ${seen.err.slice(-300)}`);
  return { ...seen, findings: JSON.parse(seen.out).findings.length };
}

function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
