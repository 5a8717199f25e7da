import { goDuration, timestamp } from '../clock';
import type { ClientContext } from '../controller';
import { kinds } from '../kinds';
import type { PodNetwork } from '../pod-network';
import { isFinished, isTerminating } from '../pod-state';
import { writeStatus } from '../status-patch';
import type { Container, ContainerStatus, Node, Pod } from '../types';
import { remove } from '../controllers/pod-control';
import type { Begin } from './container-run';
import { ContainerUnit } from './container-unit';
import { ImagePulls } from './image-pulls';
import type { LogSink } from './log-sink';
import { podStatus } from './pod-status';
import { hasPrograms, isProgramImage } from './programs/catalog';
import { PodPrograms } from './programs/pod-programs';
import type { ProgramHost } from './programs/program-host';
import { chooseRun } from './run-choice';
import type { ServiceDial } from './service-dial';
import { MountProblem, type PreparedVolumes, type VolumeSources, type VolumeStore } from './volume-store';

export interface WorkerHost {
  context: ClientContext;
  logs: LogSink;
  volumes: VolumeStore;
  sources: VolumeSources;
  network: PodNetwork;
  services: ServiceDial;
  node(): Node;
  /** False while the API server hears nothing of this node. */
  isHeard(): boolean;
  allocateIp(pod: Pod): string;
  /** Where containers of our own images are run as processes; undefined: nowhere. */
  programs: ProgramHost | undefined;
  apiServer: { host: string; port: string };
}

/** The life of one pod on one node, from its mounts to its last status. */
export class PodWorker {
  readonly units: ContainerUnit[];
  private prepared: PreparedVolumes | undefined;
  private podIp = '';
  private retry: (() => void) | undefined;
  private retryMs = 0;
  private waits = new Map<ContainerUnit, () => void>();
  private readonly programs: PodPrograms | undefined;
  private readonly pulls: ImagePulls;
  private killing = false;
  private gone = false;
  private startTime: string;
  private endActivity: () => void;
  private writing = false;
  private dirty = false;

  constructor(
    private readonly host: WorkerHost,
    private pod: Pod,
  ) {
    const { clock, activity } = host.context;
    this.startTime = pod.status?.startTime ?? timestamp(clock.now());
    this.endActivity = activity.begin();
    const { programs } = host;
    if (programs && hasPrograms(pod)) this.programs = new PodPrograms({ ...host, programs }, pod.metadata.uid ?? '', () => this.poke(true));
    this.pulls = new ImagePulls({
      clock,
      configMaps: host.sources.configMaps,
      say: (type, reason, message, unit) => this.say(type, reason, message, unit),
      after: (unit, ms, fn) => this.after(unit, ms, fn),
      step: () => this.step(),
    });
    const unit = (container: Container, isInit: boolean) => new ContainerUnit(this.unitHost(), container, isInit);
    this.units = [...(pod.spec.initContainers ?? []).map((c) => unit(c, true)), ...pod.spec.containers.map((c) => unit(c, false))];
    if (pod.status?.podIP) this.resume(pod);
    else for (const each of this.units) each.wait(each.isInit || !pod.spec.initContainers?.length ? 'ContainerCreating' : 'PodInitializing');
  }

  /** Takes in what the API server says of the pod now. */
  update(pod: Pod): void {
    this.pod = pod;
    this.adoptImages();
    this.step();
  }

  /** Looks again at whatever it was waiting for, and at what its volumes mirror. */
  poke(always = false): void {
    if (this.gone) return;
    if (this.retry || (always && !this.prepared)) return this.step();
    if (!this.programs || !this.prepared || this.killing) return;
    try {
      this.programs.mount(this.pod, this.podIp);
    } catch (error) {
      // What is gone now stays in the volume as it was last; the real kubelet says so from time to time.
      if (!(error instanceof MountProblem)) throw error;
    }
  }

  /** The pod is gone from the API server, or this kubelet ends: nothing happens any more. */
  dispose(forget: boolean): void {
    this.gone = true;
    for (const unit of this.units) unit.dispose();
    for (const cancel of this.waits.values()) cancel();
    this.retry?.();
    this.programs?.dispose(!forget);
    this.endActivity();
    if (!forget) return;
    this.host.logs.forget(this.pod.metadata.namespace ?? '', this.pod.metadata.name);
    this.host.volumes.forget(this.pod.metadata.uid ?? '');
  }

  /** Goes as far as it can go now. A pod of a shape that nobody expected stays where it is. */
  step(): void {
    try {
      if (!this.gone) this.proceed();
    } catch (error) {
      this.host.context.log({ pod: this.pod.metadata.name, error: String(error) }, 'pod not understood');
      this.endActivity();
    }
  }

  private proceed(): void {
    if (isTerminating(this.pod)) return this.kill();
    if (isFinished(this.pod)) return this.endActivity();
    if (!this.podIp) this.podIp = this.host.allocateIp(this.pod);
    if (!this.mount()) return this.flush();
    for (const unit of this.next()) this.start(unit);
    this.flush();
  }

  /** Containers that should be started now: the first init container that is not done, else all the others. */
  private next(): ContainerUnit[] {
    const startable = (unit: ContainerUnit) => !unit.isRunning && !this.waits.has(unit) && !this.isDone(unit);
    for (const unit of this.units.filter((each) => each.isInit)) {
      const passed = unit.isSidecar ? unit.started : this.isDone(unit) && unit.exitCode === 0;
      if (!passed) return startable(unit) ? [unit] : [];
    }
    return this.units.filter((unit) => !unit.isInit && startable(unit));
  }

  /** Whether a container has ended and is not to be started again. */
  private isDone(unit: ContainerUnit): boolean {
    const code = unit.exitCode;
    if (code === undefined) return false;
    if (unit.isSidecar) return false;
    const policy = this.pod.spec.restartPolicy ?? 'Always';
    if (unit.isInit) return code === 0 || policy === 'Never';
    return policy === 'Never' || (policy === 'OnFailure' && code === 0);
  }

  private mount(): boolean {
    if (this.prepared) return true;
    try {
      const prepared = this.host.volumes.prepare(this.pod, this.host.sources);
      this.programs?.mount(this.pod, this.podIp);
      this.prepared = prepared;
      this.retry?.();
      this.retry = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof MountProblem)) throw error;
      if (error.message) this.say('Warning', 'FailedMount', error.message);
      // The volume manager tries again after 500 ms, doubling to 2 min 2 s.
      this.retryMs = Math.min(this.retryMs ? this.retryMs * 2 : 500, 122_000);
      this.again(this.retryMs);
      if (error.message) this.endActivity();
      return false;
    }
  }

  private again(ms: number): void {
    this.retry?.();
    this.retry = this.host.context.clock.setTimer(ms, () => this.step());
  }

  private start(unit: ContainerUnit): void {
    const { clock } = this.host.context;
    if (unit.finishedAt) {
      const now = clock.now().getTime();
      const wait = unit.backOff.remaining(unit.finishedAt, now);
      if (wait > 0) return this.backOff(unit, wait);
    }
    if (!this.pulls.isThere(unit)) return;
    const begin = this.choose(unit);
    if (!begin) return;
    if (unit.finishedAt) unit.backOff.next(unit.finishedAt, clock.now().getTime());
    this.say('Normal', 'Created', `Created container: ${unit.spec.name}`, unit);
    unit.run(begin);
    this.say('Normal', 'Started', `Started container ${unit.spec.name}`, unit);
  }

  /** Waits with a container for something that takes long. */
  private after(unit: ContainerUnit, ms: number, fn: () => void): void {
    const cancel = this.host.context.clock.setTimer(ms, () => {
      this.waits.delete(unit);
      fn();
    });
    this.waits.set(unit, cancel);
  }

  private backOff(unit: ContainerUnit, wait: number): void {
    const { name, namespace, uid } = this.pod.metadata;
    const id = `failed container ${unit.spec.name} in pod ${name}_${namespace}(${uid})`;
    unit.wait('CrashLoopBackOff', `back-off ${goDuration(unit.backOff.waitMs)} restarting failed container=${unit.spec.name} pod=${name}_${namespace}(${uid})`);
    this.say('Warning', 'BackOff', `Back-off restarting ${id}`, unit);
    this.after(unit, wait, () => this.step());
  }

  /** How the container is run, or undefined after having said why it cannot be. */
  private choose(unit: ContainerUnit): Begin | undefined {
    const { volumes, sources, context } = this.host;
    const mounts = () => volumes.mounts(unit.spec, this.prepared ?? new Map());
    const choice = chooseRun(this.pod, unit.spec, { podIp: this.podIp, node: this.host.node(), sources, clock: context.clock, mounts, programs: this.programs, network: this.host.network, services: this.host.services });
    if ('begin' in choice) {
      const { script } = choice;
      if (script?.writes || script?.owns) volumes.leave(unit.spec, this.prepared ?? new Map(), script.writes ?? [], script.owns ?? []);
      return choice.begin;
    }
    if (choice.retryMs !== undefined || unit.state.waiting?.reason !== choice.reason) this.say('Warning', choice.event, choice.eventMessage, unit);
    unit.wait(choice.reason, choice.message);
    if (choice.retryMs !== undefined) this.again(choice.retryMs);
    return undefined;
  }

  /** A container's image may be changed in place: the old run is stopped, the next one plays the new image. */
  private adoptImages(): void {
    for (const spec of [...(this.pod.spec.initContainers ?? []), ...this.pod.spec.containers]) {
      const unit = this.units.find((each) => each.spec.name === spec.name);
      if (!unit || unit.spec.image === spec.image) continue;
      unit.spec.image = spec.image;
      if (unit.isRunning) this.say('Normal', 'Killing', `Container ${spec.name} definition changed, will be restarted`, unit);
      unit.stop((this.pod.spec.terminationGracePeriodSeconds ?? 30) * 1000);
    }
  }

  private kill(): void {
    if (!this.killing) {
      this.killing = true;
      this.endActivity();
      this.endActivity = this.host.context.activity.begin();
      const grace = Number(this.pod.metadata.deletionGracePeriodSeconds ?? this.pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
      for (const cancel of this.waits.values()) cancel();
      this.waits.clear();
      this.retry?.();
      for (const unit of this.units.filter((each) => each.isRunning)) {
        this.say('Normal', 'Killing', `Stopping container ${unit.spec.name}`, unit);
        unit.stop(grace);
      }
    }
    this.flush();
  }

  /** A pod whose containers have ended is the kubelet's to remove. */
  private async finishDeletion(): Promise<void> {
    await remove(this.host.context, kinds.pods, this.pod, { gracePeriodSeconds: 0 });
  }

  /** Writes the status soon; changes in between are written together. */
  private flush(): void {
    this.dirty = true;
    if (this.writing || this.gone || !this.host.isHeard()) return;
    this.writing = true;
    const end = this.host.context.activity.begin();
    void this.write().finally(() => {
      this.writing = false;
      end();
    });
  }

  private async write(): Promise<void> {
    while (this.dirty && !this.gone) {
      this.dirty = false;
      // Everything that happens in the same moment goes into the same write.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        const pod = this.host.context.informers.of(kinds.pods).get(`${this.pod.metadata.namespace}/${this.pod.metadata.name}`);
        if (!pod || pod.metadata.uid !== this.pod.metadata.uid) return;
        const { status, settled } = podStatus(pod, this.units, { podIp: this.podIp, startTime: this.startTime, node: this.host.node(), clock: this.host.context.clock, mounted: this.prepared !== undefined, ending: this.killing });
        this.pod = await writeStatus(this.host.context, kinds.pods, pod, status);
        if (settled && !this.killing) this.endActivity();
        if (this.killing && !this.dirty && this.units.every((unit) => !unit.isRunning)) await this.finishDeletion();
      } catch (error) {
        this.host.context.log({ pod: this.pod.metadata.name, error: String(error) }, 'pod status not written, will retry');
        this.host.context.clock.setTimer(1000, () => this.flush());
        return;
      }
    }
  }

  /** After a restart of the kubelet: containers that ran still run, from where they had come. */
  private resume(pod: Pod): void {
    this.podIp = pod.status?.podIP ?? '';
    const goesOn = !isFinished(pod) && !isTerminating(pod) && this.mount();
    for (const unit of this.units) {
      const since = this.restored(unit, pod)?.state.running?.startedAt;
      if (!since) continue;
      // Processes ended with their kubelet.
      const begin = goesOn && !isProgramImage(unit.spec.image) ? this.choose(unit) : undefined;
      if (begin) unit.run(begin, new Date(since));
      else if (unit.isRunning) unit.lost();
    }
  }

  private restored(unit: ContainerUnit, pod: Pod): ContainerStatus | undefined {
    const status = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((each) => each.name === unit.spec.name);
    if (status) unit.restore(status);
    return status;
  }

  private unitHost() {
    return {
      clock: this.host.context.clock,
      logs: this.host.logs,
      pod: () => this.pod,
      podIp: () => this.podIp,
      changed: () => {
        // The constructor's first states are written by the first step.
        if (this.units) this.flush();
      },
      exited: () => (this.killing ? this.flush() : this.step()),
      say: (unit: ContainerUnit, type: 'Normal' | 'Warning', reason: string, message: string) => this.say(type, reason, message, unit),
    };
  }

  private say(type: 'Normal' | 'Warning', reason: string, message: string, unit?: ContainerUnit): void {
    const fieldPath = unit && `spec.${unit.isInit ? 'initContainers' : 'containers'}{${unit.spec.name}}`;
    this.host.context.events.record(this.pod, type, reason, message, 'kubelet', { host: this.host.node().metadata.name, ...(fieldPath ? { fieldPath } : {}) });
  }
}
