// A launcher of Jobs that watches its workers' pods: its resident memory (bytes) when it has listed them, and the most it had.
const { JobLauncher, parseJobTemplate } = require('@larry/coordinator');
const { openLive } = require('@larry/kube');
const { readFileSync } = require('node:fs');

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const field = (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;

async function main() {
  const [, , kubeconfig, template] = process.argv;
  const cluster = await openLive({ kubeconfig });
  const launcher = await JobLauncher.open({ larry: 'larry-01', template: parseJobTemplate(template, 'default', 'template'), namespace: 'default', cluster, log: silent, nodeAffinity: 'preferred', env: {} });
  // What was read to list them is garbage by then.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  process.stdout.write(JSON.stringify({ resident: field('VmRSS'), most: field('VmHWM') }));
  await launcher.close();
  process.exit(0);
}
void main();
