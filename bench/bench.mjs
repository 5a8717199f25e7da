// `npm run bench` (node bench/bench.mjs [--quick] [--json] [--markdown] [--only claims,growth]) over the built programs: one
// table, peers in the same run. It passes or fails nothing: figures are of this machine and this moment, ratios travel.
import os from 'node:os';
import { rows } from './rows/index.mjs';
import { testRedis } from './libraries.mjs';
import { renderMarkdown, renderTable } from './table.mjs';

const flags = new Set(process.argv.slice(2).filter((a) => a.startsWith('--')));
const only = process.argv[process.argv.indexOf('--only') + 1]?.split(',');
const quick = flags.has('--quick');
const wanted = (name) => (flags.has('--only') ? only?.includes(name) : !(quick && name === 'demo'));
const chosen = Object.fromEntries(Object.entries(rows).filter(([name]) => wanted(name)));
if (Object.keys(chosen).length === 0) {
  console.error(`bench: --only takes some of ${Object.keys(rows).join(',')}`);
  process.exit(2);
}
const load = () => os.loadavg().map((l) => l.toFixed(1)).join(' ');

// A measured run must not be the user's own server.
delete process.env['REDIS_URL'];
// Every Node process would read this machine's own authorities at its start; a pod has none of them.
delete process.env['NODE_EXTRA_CA_CERTS'];
const redis = await testRedis();
const about = { date: new Date().toISOString(), node: process.version, cpus: os.cpus().length, loadBefore: load(), quick };
const groups = [];
try {
  about.redis = await redisVersion();
  for (const [name, measure] of Object.entries(chosen)) {
    process.stderr.write(`bench: ${name} …\n`);
    groups.push(await measure({ redis, quick }).catch((error) => ({ title: name, rows: [{ what: name, measured: 'could not be measured', note: String(error?.message ?? error) }] })));
  }
} finally {
  await redis.stop();
}
about.loadAfter = load();
print();

function print() {
  if (flags.has('--json')) return console.log(JSON.stringify({ about, groups }, null, 2));
  if (flags.has('--markdown')) return console.log(`${JSON.stringify(about)}\n\n${renderMarkdown(groups)}`);
  console.log(`larry bench${quick ? ' --quick' : ''}  ${about.date}  Node ${about.node}  Redis ${about.redis}  ${about.cpus} cores`);
  console.log(`load average before ${about.loadBefore}, after ${about.loadAfter}`);
  console.log('Figures are of this machine in this run; compare ratios within one run, nothing else.');
  if (os.loadavg()[0] > os.cpus().length) console.log('THE MACHINE IS BUSY: times are longer than they are alone; CPU times and ratios tell more.');
  console.log(renderTable(groups));
}

async function redisVersion() {
  const client = await redis.client();
  return /redis_version:(\S+)/.exec(await client.commands.info('server'))?.[1] ?? 'unknown';
}
