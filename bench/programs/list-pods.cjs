// Lists every pod of a live cluster and keeps none.
const { openLive } = require('@larry/kube');

async function main() {
  const cluster = await openLive({ kubeconfig: process.argv[2] });
  let pods = 0;
  for await (const _ of cluster.list({ apiVersion: 'v1', kind: 'Pod' })) pods += 1;
  process.stdout.write(String(pods));
  await cluster.close();
}
void main();
