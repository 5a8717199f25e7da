import { Activity } from './activity';
import { ApiClient } from './api-client';
import { realClock, type Clock } from './clock';
import type { ClientContext, Controller } from './controller';
import { CronJobController } from './controllers/cron-job';
import { ClaimBinder } from './controllers/claim-binder';
import { DaemonSetController } from './controllers/daemon-set';
import { DeploymentController } from './controllers/deployment';
import { DisruptionController } from './controllers/disruption';
import { EndpointSliceController } from './controllers/endpoint-slice';
import { GarbageCollector } from './controllers/garbage';
import { JobController } from './controllers/job';
import { NamespaceController } from './controllers/namespace';
import { NodeLifecycleController } from './controllers/node-lifecycle';
import { PodGarbageCollector } from './controllers/pod-garbage';
import { ReplicaSetController } from './controllers/replica-set';
import { ServiceAccountController } from './controllers/service-account';
import { StorageProtectionController } from './controllers/storage-protection';
import { StatefulSetController } from './controllers/stateful-set';
import { EventRecorder } from './event-recorder';
import { Informers } from './informer';
import { Kubelets } from './kubelet/kubelet';
import { noLogs, type LogSink } from './kubelet/log-sink';
import type { ProgramHost } from './kubelet/programs/program-host';
import { ServiceForwarder } from './kubelet/programs/service-forwarder';
import { VolumeStore } from './kubelet/volume-store';
import { PodNetwork } from './pod-network';
import { Scheduler } from './scheduler/scheduler';

export interface ClusterClientsOptions {
  /** The API server's URL. */
  url: string;
  token?: string;
  /** PEM of the authority that signed the certificate of an https server. */
  ca?: string;
  /** Default: real time. */
  clock?: Clock;
  /** Where containers' output goes; default: nowhere. */
  logs?: LogSink;
  /** What containers leave in volumes; give the same one to clients that are started again. */
  volumes?: VolumeStore;
  /** Where what containers listen on is written down; default: one of its own. */
  network?: PodNetwork;
  /** Runs containers of our own images as processes; default: they are not run. It is the caller's to close. */
  programs?: ProgramHost;
  /** PEM of the authority behind the server's TLS side: what pods get as `ca.crt`. Default: `ca`. */
  rootCertificate?: string;
  /** Hears of what is tried again; default: nobody. */
  log?: (fields: Record<string, unknown>, message: string) => void;
}

/** The running controllers, scheduler and kubelets. */
export interface ClusterClients {
  /**
   * Resolves when they have nothing to do but wait for something that takes long.
   * @throws Error after `timeoutMs` (default 60,000).
   */
  settled(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts controllers, scheduler and one kubelet a node as clients of an API server. */
export async function startClusterClients(options: ClusterClientsOptions): Promise<ClusterClients> {
  const clock = options.clock ?? realClock();
  const activity = new Activity();
  const base = { url: options.url, token: options.token, ca: options.ca };
  const manager = new ApiClient({ ...base, userAgent: 'kube-controller-manager/v1.36.2' });
  const kubelet = manager.as('kubelet/v1.36.2');
  const scheduling = manager.as('kube-scheduler/v1.36.2');
  const log = options.log ?? (() => undefined);
  const informers = new Informers(manager, activity, (error, object) => log({ object, error: String(error) }, 'object not understood'));
  const context = (api: ApiClient): ClientContext => ({ api, clock, informers, activity, log, events: new EventRecorder(api, clock, activity) });
  const controllers = context(manager);
  const garbage = new GarbageCollector(controllers);
  const all: Controller[] = [
    new DeploymentController(controllers),
    new ReplicaSetController(controllers),
    new StatefulSetController(controllers),
    new DaemonSetController(controllers),
    new JobController(controllers),
    new CronJobController(controllers),
    new EndpointSliceController(controllers),
    new DisruptionController(controllers),
    new NodeLifecycleController(controllers),
    new PodGarbageCollector(controllers),
    new NamespaceController(controllers),
    new ServiceAccountController(controllers, options.rootCertificate ?? options.ca ?? 'simulated cluster: served over plain HTTP, so there is no certificate authority\n'),
    new ClaimBinder(controllers),
    new StorageProtectionController(controllers),
    new Scheduler(context(scheduling)),
    garbage,
  ];
  const nodes = onNodes(context(kubelet), options);
  await informers.start();
  await garbage.refresh();
  return {
    settled: (timeoutMs) => activity.settled(150, timeoutMs),
    stop: async () => {
      nodes.stop();
      await Promise.all(all.map((controller) => controller.stop()));
      await informers.stop();
      for (const api of [manager, kubelet, scheduling]) api.close();
    },
  };
}

/**
 * Starts only one kubelet a node, against an API server whose controllers and scheduler are its own: a real control plane
 * whose nodes are processes of this machine. Every Node object of that cluster is taken for one of these.
 */
export async function startNodeClients(options: ClusterClientsOptions): Promise<ClusterClients> {
  const clock = options.clock ?? realClock();
  const activity = new Activity();
  const api = new ApiClient({ url: options.url, token: options.token, ca: options.ca, userAgent: 'kubelet/v1.36.2' });
  const log = options.log ?? (() => undefined);
  const informers = new Informers(api, activity, (error, object) => log({ object, error: String(error) }, 'object not understood'));
  const nodes = onNodes({ api, clock, informers, activity, log, events: new EventRecorder(api, clock, activity) }, options);
  await informers.start();
  return {
    settled: (timeoutMs) => activity.settled(150, timeoutMs),
    stop: async () => {
      nodes.stop();
      await informers.stop();
      api.close();
    },
  };
}

/** The kubelets, and what carries connections to Services where programs run. */
function onNodes(context: ClientContext, options: ClusterClientsOptions): { stop(): void } {
  const { programs } = options;
  const { hostname, port } = new URL(options.url);
  const kubelets = new Kubelets(context, options.logs ?? noLogs, options.volumes ?? new VolumeStore(), options.network ?? new PodNetwork(), programs && { host: programs, apiServer: { host: hostname, port: port || '443' } });
  const forwarder = programs && new ServiceForwarder(context, programs.network);
  return {
    stop: () => {
      kubelets.stop();
      forwarder?.stop();
    },
  };
}
