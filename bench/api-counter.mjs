// Stands before an API server and counts what one client asks of it: the simulation's own controllers do not pass here.
import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import path from 'node:path';
import { temporaryFolder } from './children.mjs';

/** `target`: `http://127.0.0.1:PORT`. `kubeconfig`: a file that leads through the counter. */
export async function apiCounter(target, token) {
  const seen = [];
  const server = createServer((asked, answer) => {
    const watch = /[?&]watch=(true|1)/.test(asked.url);
    seen.push({ at: performance.now(), what: `${watch ? 'WATCH' : asked.method} ${asked.url.split('?')[0]}` });
    const on = request(new URL(asked.url, target), { method: asked.method, headers: asked.headers }, (got) => {
      // At once: a watch in which nothing happens has no body that would take them along.
      answer.writeHead(got.statusCode, got.headers).flushHeaders();
      got.pipe(answer);
    });
    on.on('error', () => answer.destroy());
    answer.on('close', () => on.destroy());
    asked.pipe(on);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kubeconfig = path.join(temporaryFolder(), 'kubeconfig');
  writeFileSync(kubeconfig, JSON.stringify(configOf(`http://127.0.0.1:${server.address().port}`, token)), { mode: 0o600 });
  return {
    kubeconfig,
    /** Begins to count anew. */
    reset: () => void seen.splice(0),
    total: () => seen.length,
    /** `{ 'POST …/jobs': 16 }`; names of objects are left out. */
    byKind: () => tally(seen.map(({ what }) => what.replace(/(\/(jobs|pods|leases|namespaces))\/[^/]+$/, '$1/NAME'))),
    /** The most requests within any second. */
    mostInASecond: () => Math.max(0, ...seen.map(({ at }) => seen.filter((other) => other.at >= at && other.at < at + 1000).length)),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A kubeconfig for one server over HTTP on loopback. */
export function configOf(server, token) {
  return { apiVersion: 'v1', kind: 'Config', 'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }], users: [{ name: 'u', user: { token } }], clusters: [{ name: 'c', cluster: { server } }] };
}

function tally(words) {
  const counts = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
