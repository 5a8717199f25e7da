import type { KubeObject } from '@larry/contracts';
import { builtinCluster } from './builtin';
import { withScaffolding } from './builtin/scaffolding';
import { PodNetwork, ProgramHost, realClock, startClusterClients, VolumeStore, type Clock, type ClusterClients, type ProgramOptions } from './cluster';
import { SimulatedApiServer, type LoadReport } from './server';

/** How to start a simulated cluster. */
export interface SimulatedClusterOptions {
  /** What is in it; default: the built-in cluster. Nodes and namespaces that are missing are added, unless `frozen`. */
  objects?: readonly KubeObject[];
  /** Serve the objects as they are, read-only, without controllers: for dumps and snapshots. */
  frozen?: boolean;
  /** 0, the default, takes a free port. */
  port?: number;
  /**
   * How many times as fast as the wall's the cluster's time runs, back-offs and probes included; default 1.
   * Its timestamps start at the present, so at any other speed they run ahead of the wall clock.
   */
  speed?: number;
  /** In place of `speed`: for tests that move the time by hand. */
  clock?: Clock;
  /** Runs containers of our own images (larry-01, meta-coordinator, …) as processes; absent: they are not run. */
  programs?: ProgramOptions;
  /** Hears of what the clients try again. */
  log?: (fields: Record<string, unknown>, message: string) => void;
}

/** A running simulated cluster: an API server, and unless frozen its controllers, scheduler and kubelets. */
export interface SimulatedCluster {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  adminToken: string;
  /** A kubeconfig of its administrator, as YAML. */
  kubeconfig: string;
  server: SimulatedApiServer;
  /** What was loaded at the start, and what could not be. */
  loaded: LoadReport;
  /**
   * Resolves when the clients have nothing to do but wait for something that takes long (a back-off).
   * @throws Error after `timeoutMs` (default 60,000).
   */
  settled(timeoutMs?: number): Promise<void>;
  /** Ends the clients and starts them anew, as if their processes had been killed. */
  restartClients(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a simulated cluster in this process.
 * @throws Error where the port is taken.
 */
export async function startSimulatedCluster(options: SimulatedClusterOptions = {}): Promise<SimulatedCluster> {
  const clock = options.clock ?? realClock(options.speed);
  const given = options.objects ?? builtinCluster(clock.now());
  const network = new PodNetwork();
  const server = await SimulatedApiServer.start({ network, port: options.port ?? 0, frozen: options.frozen ?? false, now: () => clock.now() });
  const loaded = server.load(options.frozen ? given : withScaffolding(given));
  const volumes = new VolumeStore();
  const programs = options.programs && !options.frozen ? await ProgramHost.open(options.programs) : undefined;
  const start = () => startClusterClients({ url: server.url, token: server.adminToken, clock, logs: server.logs, volumes, network, programs, rootCertificate: server.ca, log: options.log });
  let clients: ClusterClients | undefined = options.frozen ? undefined : await start();
  return {
    url: server.url,
    adminToken: server.adminToken,
    kubeconfig: server.kubeconfig(),
    server,
    loaded,
    settled: async (timeoutMs) => clients?.settled(timeoutMs),
    restartClients: async () => {
      await clients?.stop();
      clients = options.frozen ? undefined : await start();
    },
    close: async () => {
      await clients?.stop();
      await programs?.close();
      await server.close();
    },
  };
}
