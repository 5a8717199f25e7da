// `larry diagnose` over many pods and events, as the process a user starts: a dump and a snapshot of the same cluster.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { app, kubeTesting, root, writeSnapshot } from '../libraries.mjs';
import { runMeasured, temporaryFolder } from '../children.mjs';
import { mb, median, ms } from '../measure.mjs';

const require = createRequire(import.meta.url);

export async function diagnose({ quick }) {
  const rows = [];
  const first = await sizeRows(1000, 10_000, quick ? 1 : 3);
  const last = await sizeRows(5000, 50_000, quick ? 1 : 3);
  for (const source of ['dump', 'snapshot']) {
    rows.push(rowOf(source, first[source], {}));
    const note = `${(last[source].cpu / first[source].cpu).toFixed(1)}x the CPU of the row above, for 5x the objects`;
    const aim = source === 'dump' ? { aim: 'under 2 s, under 300 MB', met: last[source].took < 2000 && last[source].peak < 300e6 } : {};
    rows.push(rowOf(source, last[source], { note, ...aim }));
  }
  return { title: 'larry diagnose', rows };
}

function rowOf(source, { pods, events, took, peak, cpu, findings }, { note, ...aim }) {
  return { what: `${source}: ${pods} pods, ${events} events`, measured: `${ms(took)}, ${mb(peak)}`, note: `peak memory; ${ms(cpu)} CPU; ${findings} root causes${note ? `; ${note}` : ''}.`, ...aim };
}

async function sizeRows(pods, events, count) {
  const dist = path.join(root, 'eval', 'dist');
  if (!existsSync(path.join(dist, 'big-world.js'))) throw new Error('eval is not built: run npm run build');
  const { bigWorld } = require(path.join(dist, 'big-world.js'));
  const { writeDump } = require(path.join(dist, 'dump.js'));
  const world = bigWorld(pods, events);
  const dump = path.join(temporaryFolder(), 'dump');
  writeDump(world, dump);
  const snapshot = path.join(temporaryFolder(), 'snapshot');
  await writeSnapshot(kubeTesting.memoryCluster(world.objects, { logs: world.logs, source: { takenAt: world.takenAt } }), snapshot);
  const result = {};
  for (const [source, folder] of [['dump', dump], ['snapshot', snapshot]]) {
    const seen = [];
    for (let i = 0; i < count; i++) seen.push(await oneDiagnosis(source, folder));
    const column = (name) => median(seen.map((one) => one[name]));
    result[source] = { pods, events, took: column('took'), peak: column('peak'), cpu: column('cpu'), findings: seen[0].findings };
  }
  return result;
}

async function oneDiagnosis(source, folder) {
  const home = temporaryFolder();
  const seen = await runMeasured([app('cli'), 'diagnose', `--${source}`, folder, '--json'], { HOME: home, XDG_STATE_HOME: home, XDG_CACHE_HOME: home });
  const findings = parsed(seen.out);
  if (!findings) throw new Error(`larry diagnose exits ${seen.code}: ${seen.err.slice(-300)}`);
  return { ...seen, findings: findings.length };
}

/** The command's exit code says whether something was found; only its output says that it worked. */
function parsed(out) {
  try {
    return JSON.parse(out);
  } catch {
    return undefined;
  }
}
