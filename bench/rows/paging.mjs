// Memory of a process that lists pods from an API server, page by page.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { program } from '../libraries.mjs';
import { runMeasured, temporaryFolder } from '../children.mjs';
import { bigCluster } from '../big-cluster.mjs';
import { mb, ms } from '../measure.mjs';

export async function paging({ quick }) {
  const page = [...bigCluster(500)].filter(({ kind }) => kind === 'Pod');
  const rows = [];
  let first;
  for (const pods of quick ? [1000, 10_000] : [1000, 10_000, 50_000]) {
    const seen = await listed(page, pods);
    first ??= seen;
    rows.push({ what: `${pods} pods, 500 a page`, measured: `${ms(seen.took)}, ${mb(seen.peak)}`, note: `peak memory, ${(seen.peak / first.peak).toFixed(2)}x the first row's; ${ms(seen.cpu)} CPU` });
  }
  return { title: 'Listing a live cluster', rows };
}

async function listed(page, pods) {
  const server = createServer((request, response) => answer(page, pods, new URL(request.url, 'http://x'), response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kubeconfig = path.join(temporaryFolder(), 'kubeconfig');
  const config = { 'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }], users: [{ name: 'u', user: { token: 't' } }], clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${server.address().port}` } }] };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const seen = await runMeasured([program('list-pods.cjs'), kubeconfig]);
  server.closeAllConnections();
  server.close();
  if (seen.out !== String(pods)) throw new Error(`listed "${seen.out}" instead of ${pods} pods: ${seen.err.slice(-300)}`);
  return seen;
}

function answer(page, pods, url, response) {
  const body = bodyOf(page, pods, url);
  response.writeHead(body ? 200 : 404, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, message: 'not found' }));
}

function bodyOf(page, pods, url) {
  if (url.pathname === '/version') return { gitVersion: 'v1.35.2+k3s1' };
  if (url.pathname === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (url.pathname === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [] };
  if (url.pathname === '/api/v1') return { kind: 'APIResourceList', groupVersion: 'v1', resources: [{ name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get', 'list'] }] };
  if (url.pathname !== '/api/v1/pods') return undefined;
  const from = Number(url.searchParams.get('continue') ?? 0);
  const to = Math.min(pods, from + Math.min(500, Number(url.searchParams.get('limit') ?? 500)));
  const items = Array.from({ length: to - from }, (_, i) => ({ ...page[i], metadata: { ...page[i].metadata, name: `pod-${from + i}`, uid: `uid-${from + i}` } }));
  return { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1', ...(to < pods ? { continue: String(to) } : {}) }, items };
}
