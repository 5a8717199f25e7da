import { startSimulatedServer, type StartedServer } from '@larry/simulation/testing';
import { builtinCluster, type RequestCounts } from '@larry/simulation';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from './src/helm';

/**
 * What accounts that may not write ask an API server for. No controllers are there: every request is Larry's, whether it was
 * allowed or not. (An observe run: e2e/try-cluster.spec.ts.) A review (`SelfSubjectAccessReview`) would be a `create` that changes nothing, and would count here too.
 */
let server: StartedServer;
beforeAll(async () => {
  const reader = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'reader' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'reader' }] };
  server = await startSimulatedServer({ objects: [...builtinCluster(), reader] });
  for (const user of ['reader', 'nobody']) writeFileSync(path.join(server.home, user), server.server.kubeconfig(user), { mode: 0o600 });
});
afterAll(() => server.stop());

async function asked(user: string, ...words: string[]): Promise<RequestCounts> {
  const before = server.server.requests();
  const kubeconfig = path.join(server.home, user);
  await new Promise<void>((resolve) => {
    const { REDIS_URL: _, ...env } = process.env;
    execFile(process.execPath, [path.join(repository, 'apps/cli/dist/main.js'), ...words, '--kubeconfig', kubeconfig], { cwd: server.home, env, timeout: 100_000, maxBuffer: 64 * 1024 * 1024 }, () => resolve());
  });
  const after = Object.entries(server.server.requests()).map(([verb, count]) => [verb, count - (before[verb] ?? 0)] as const);
  return Object.fromEntries(after.filter(([, count]) => count > 0));
}

const changes = ['create', 'update', 'patch', 'delete', 'deletecollection'];

it.each([
  ['an account that may read', 'reader', ['check', '--json']],
  ['an account without rights', 'nobody', ['check', '--json']],
])('%s asks for no change: %s, larry %j', async (_, user, words) => {
  const journal = server.server.journal().length;
  const verbs = await asked(user, ...words);
  expect(verbs['list']).toBeGreaterThan(10);
  expect(Object.keys(verbs).filter((verb) => changes.includes(verb))).toEqual([]);
  expect(server.server.journal()).toHaveLength(journal);
}, 60_000);
