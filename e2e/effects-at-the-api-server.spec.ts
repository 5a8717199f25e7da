import { openLive, type LiveCluster } from '@larry/kube';
import { effectCases } from '@larry/playbook/testing';
import { startSimulatedServer, type StartedServer } from '@larry/simulation/testing';
import type { KubeObject } from '@larry/contracts';

/** The cases that libs/playbook holds its double to, over HTTP. */
describe('an effect at the simulated API server', () => {
  let server: StartedServer;
  let live: LiveCluster;
  beforeEach(async () => {
    server = await startSimulatedServer();
    live = await openLive({ kubeconfig: server.kubeconfig, timeoutMs: 5000, retryMs: 10 });
  });
  afterEach(async () => {
    await live.close();
    await server.stop();
  });

  it.each(effectCases)('$name', async ({ run }) => {
    const fault = { 'lose-reply': { kind: 'cut-after' }, 'lose-request': { kind: 'answer', code: 503 } } as const;
    await run({
      cluster: live,
      writer: live.writer(),
      edit: (object) => edit(server, object),
      fail: (kind) => {
        for (const method of ['PATCH', 'POST', 'DELETE']) server.server.faults.add({ method, path: '/configmaps', fault: fault[kind] });
      },
      writes: () => server.server.journal().filter((e) => e.manager === 'larry' && e.changed).length,
    });
  });
});

/** As `kubectl create` and `kubectl replace` would. */
async function edit({ url, token }: StartedServer, object: KubeObject): Promise<void> {
  const at = `${url}/api/v1/namespaces/default/configmaps`;
  const [method, path] = object.metadata.resourceVersion ? ['PUT', `${at}/${object.metadata.name}`] : ['POST', at];
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const done = await fetch(`${path}?fieldManager=test`, { method, headers, body: JSON.stringify(object) });
  if (!done.ok) throw new Error(`${done.status}: ${await done.text()}`);
}
