import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SimulatedApiServer } from './server';
import type { ServerOptions } from './server';

export { hasKubeTools, kubeTools } from './kube-tools';
export type { KubeTools } from './kube-tools';

/** A running simulated server with its kubeconfig on disk. */
export interface StartedServer {
  server: SimulatedApiServer;
  /** `http://127.0.0.1:PORT`, for clients in this process. */
  url: string;
  /** Bearer token of the administrator. */
  token: string;
  /** Path of the administrator's kubeconfig (TLS on the same port). */
  kubeconfig: string;
  /** An empty folder of its own: HOME for kubectl and helm, so that nothing of the machine is read or written. */
  home: string;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a simulated API server on a free port, for tests of others. */
export async function startSimulatedServer(options: ServerOptions = {}): Promise<StartedServer> {
  const server = await SimulatedApiServer.start(options);
  const home = mkdtempSync(path.join(tmpdir(), 'larry-sim-'));
  const kubeconfig = path.join(home, 'kubeconfig');
  writeFileSync(kubeconfig, server.kubeconfig(), { mode: 0o600 });
  const stop = async () => {
    await server.close();
    rmSync(home, { recursive: true, force: true });
  };
  return { server, url: server.url, token: server.adminToken, kubeconfig, home, stop };
}

/** Tries again every few milliseconds until the check passes; after `timeoutMs` the check's last error is thrown. */
export async function eventually(check: () => void | Promise<void>, timeoutMs = 20_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; ; ) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
