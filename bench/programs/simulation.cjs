// A simulated cluster of its own scaffolding alone, in a process of its own; its pods run the programs below BENCH_ROOT.
const { startSimulatedCluster } = require('@larry/simulation');
const { renameSync, writeFileSync } = require('node:fs');

async function main() {
  process.stdin.once('end', () => process.exit(0)).resume();
  const cluster = await startSimulatedCluster({ objects: [], programs: { root: process.env.BENCH_ROOT } });
  // Whole, or not at all.
  const file = process.env.LARRY_READY_FILE;
  writeFileSync(`${file}.new`, JSON.stringify({ url: cluster.url, token: cluster.adminToken }));
  renameSync(`${file}.new`, file);
}
void main();
