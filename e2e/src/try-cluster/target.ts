import { openLive, type LiveCluster } from '@larry/kube';
import { startServer } from '@larry/redis/testing';
import { kubeTools } from '@larry/simulation/testing';
import type { JournalEntry } from '@larry/simulation';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulation } from '../simulation';
import { Commands } from './commands';

/** The cluster that is tried. */
export interface Target {
  commands: Commands;
  cluster: LiveCluster;
  /** A folder for files of this trial. */
  folder: string;
  kubeconfig: string;
  /** Started for this trial, with its programs as processes of this machine; undefined for a cluster of somebody's. */
  simulation?: {
    redisUrl: string;
    /** Every write that its API server accepted. */
    journal(): Promise<readonly JournalEntry[]>;
    /** Process ids of a program in pods of a namespace. */
    processes(program: string): number[];
  };
  /** Ends what was started; a cluster of somebody's stays. */
  end(): Promise<void>;
}

/** The simulation, with a Redis; or the cluster that `kubeconfig` names. @throws Error in one sentence */
export async function openTarget(kubeconfig: string | undefined): Promise<Target> {
  const tools = await kubeTools();
  if (!tools) throw new Error('there is no kubectl 1.35 and helm 4 for this machine: put them on PATH, or set KUBECTL and HELM');
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-try-cluster-'));
  const own = kubeconfig === undefined ? await ownCluster(folder) : undefined;
  const config = kubeconfig ?? path.join(folder, 'kubeconfig');
  // helm and kubectl keep caches at home: this trial's own, so that no file of the operator's is changed.
  const helmFolder = path.dirname(tools.helm);
  const env = { ...process.env, KUBECONFIG: config, HOME: folder, PATH: `${helmFolder}${path.delimiter}${process.env['PATH'] ?? ''}` };
  const cluster = await openLive(own ? { kubeconfig: config } : {});
  return {
    commands: new Commands(tools, env),
    cluster,
    folder,
    kubeconfig: config,
    ...(own ? { simulation: own.simulation } : {}),
    end: async () => {
      await cluster.close();
      await own?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ownCluster(folder: string) {
  const [redis, simulation] = await Promise.all([startServer(), startSimulation()]);
  writeFileSync(path.join(folder, 'kubeconfig'), simulation.kubeconfig, { mode: 0o600 });
  const { url, token } = addressIn(simulation.kubeconfig);
  return {
    simulation: {
      redisUrl: `redis://127.0.0.1:${redis.port}`,
      journal: async () => {
        const answer = await fetch(`${url}/simulation/journal`, { headers: { authorization: `Bearer ${token}` } });
        if (!answer.ok) throw new Error(`the simulation's journal cannot be read: ${answer.status} ${await answer.text()}`);
        return ((await answer.json()) as { entries: JournalEntry[] }).entries;
      },
      processes: (program: string) => simulation.processes(program).map(Number),
    },
    stop: async () => {
      await simulation.stop();
      await redis.stop();
    },
  };
}

/** The simulation answers plain HTTP on the port of its TLS. */
function addressIn(kubeconfig: string): { url: string; token: string } {
  const server = /server: "?https:\/\/([^\s"]+)/.exec(kubeconfig)?.[1];
  const token = /token: "?([^\s"]+)/.exec(kubeconfig)?.[1];
  if (!server || !token) throw new Error('the kubeconfig of the simulation names no server or token');
  return { url: `http://${server}`, token };
}
