import { randomBytes } from 'node:crypto';
import { parseImage } from '../behaviours';
import { timestamp, type Clock } from '../clock';
import type { Container, ContainerState, ContainerStatus, Pod } from '../types';
import { RestartBackOff } from './back-off';
import type { Begin, ContainerRun } from './container-run';
import type { LogSink } from './log-sink';
import { ProbeLoop } from './probe';

export interface UnitHost {
  clock: Clock;
  logs: LogSink;
  pod(): Pod;
  podIp(): string;
  /** Something in the status changed. */
  changed(): void;
  exited(unit: ContainerUnit): void;
  say(unit: ContainerUnit, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

/** One container of a pod: its state, what runs in it, its probes. */
export class ContainerUnit {
  state: ContainerState = {};
  lastState: ContainerState = {};
  restartCount = 0;
  ready = false;
  /** Past its startup probe, or running where it has none. */
  started = false;
  /** Its readiness probe has failed as often as makes it unready: it may stay so for ever. */
  heldBack = false;
  finishedAt = 0;
  readonly backOff = new RestartBackOff();
  private containerId = '';
  private current: ContainerRun | undefined;
  private startedAt = 0;
  private probes: ProbeLoop[] = [];
  private stopping = false;
  /** What an earlier run still tells is not heard. */
  private life: object | undefined;
  private lastLines: string[] = [];

  constructor(
    private readonly host: UnitHost,
    readonly spec: Container,
    readonly isInit: boolean,
  ) {}

  get isRunning(): boolean {
    return this.state.running !== undefined;
  }
  get exitCode(): number | undefined {
    return this.state.terminated?.exitCode;
  }
  /** Restarts whatever the pod's policy: a sidecar among the init containers. */
  get isSidecar(): boolean {
    return this.isInit && this.spec.restartPolicy === 'Always';
  }

  wait(reason: string, message?: string): void {
    const next = { waiting: { reason, ...(message ? { message } : {}) } };
    if (JSON.stringify(next) === JSON.stringify(this.state)) return;
    if (this.state.terminated) this.lastState = this.state;
    this.state = next;
    this.host.changed();
  }

  /** Begins to run; with `since`, what has been running since then. */
  run(begin: Begin, since?: Date): void {
    const { clock } = this.host;
    const now = clock.now();
    if (this.state.terminated) this.lastState = this.state;
    if (!since && this.lastState.terminated) this.restartCount += 1;
    this.stopping = false;
    this.startedAt = (since ?? now).getTime();
    if (!since || !this.containerId) this.containerId = `containerd://${randomBytes(32).toString('hex')}`;
    this.state = { running: { startedAt: timestamp(since ?? now) } };
    this.lastLines = [];
    this.write([]);
    const life = {};
    this.life = life;
    const current = <A extends unknown[]>(fn: (...args: A) => void) => (...args: A) => (this.life === life ? fn(...args) : undefined);
    const events = { wrote: current((lines: readonly string[]) => this.write(lines)), ended: current((code: number, reason?: string) => this.end(code, reason)) };
    this.current = begin(events, now.getTime() - this.startedAt);
    this.startProbes(since !== undefined && this.ready);
    this.host.changed();
  }

  /** A container that ran when its kubelet ended, and that the next kubelet does not find. */
  lost(): void {
    const { startedAt = timestamp(this.host.clock.now()) } = this.state.running ?? {};
    const finishedAt = timestamp(this.host.clock.now());
    this.finishedAt = this.host.clock.now().getTime();
    this.state = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the kubelet started again', startedAt, finishedAt, containerID: this.containerId } };
    this.ready = false;
    this.started = false;
  }

  /** Asks the container to stop; `exited` follows when it has. */
  stop(graceMs: number): void {
    if (!this.isRunning || this.stopping) return;
    this.stopping = true;
    this.stopProbes();
    this.current?.stop(graceMs);
  }

  /** Nothing of this container happens any more. */
  dispose(): void {
    this.life = undefined;
    this.current?.dispose();
    this.current = undefined;
    this.stopProbes();
  }

  restore(status: ContainerStatus): void {
    this.state = status.state;
    this.lastState = status.lastState ?? {};
    this.restartCount = status.restartCount;
    this.ready = status.ready;
    this.started = status.started ?? false;
    this.containerId = status.containerID ?? '';
    this.finishedAt = Date.parse(this.lastState.terminated?.finishedAt ?? '') || 0;
  }

  status(): ContainerStatus {
    const name = parseImage(this.spec.image);
    const image = name ? `${name.registry}/${name.registry === 'docker.io' && !name.repository.includes('/') ? 'library/' : ''}${name.repository}${name.tag ? `:${name.tag}` : ''}` : this.spec.image;
    const hasRun = this.containerId !== '';
    return {
      name: this.spec.name,
      state: this.state,
      lastState: this.lastState,
      ready: this.ready,
      started: this.started,
      restartCount: this.restartCount,
      // The simulation pulls nothing, so it knows no digest and names none.
      image: hasRun ? image : this.spec.image,
      imageID: '',
      ...(hasRun ? { containerID: this.containerId } : {}),
    };
  }

  private end(exitCode: number, reason?: string): void {
    const { clock } = this.host;
    this.dispose();
    this.finishedAt = clock.now().getTime();
    const fallback = this.spec.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0;
    this.state = {
      terminated: {
        exitCode,
        reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
        ...(fallback ? { message: this.lastLines.join('\n').slice(-2048) } : {}),
        startedAt: timestamp(new Date(this.startedAt)),
        finishedAt: timestamp(clock.now()),
        containerID: this.containerId,
      },
    };
    this.ready = this.isInit && exitCode === 0;
    this.started = false;
    const { namespace = '', name } = this.host.pod().metadata;
    this.host.logs.end(namespace, name, this.spec.name, this.restartCount);
    this.host.exited(this);
    this.host.changed();
  }

  private write(lines: readonly string[]): void {
    const { namespace = '', name } = this.host.pod().metadata;
    const time = this.host.clock.now().toISOString();
    this.host.logs.append(namespace, name, this.spec.name, this.restartCount, lines.map((line) => ({ time, line })));
    this.lastLines = [...this.lastLines, ...lines].slice(-80);
  }

  private startProbes(wasReady: boolean): void {
    this.stopProbes();
    const { startupProbe } = this.spec;
    if (!startupProbe || wasReady) return this.onStarted(wasReady);
    this.started = false;
    this.ready = false;
    this.probe('Startup', startupProbe, (passed) => {
      if (!passed) return this.unhealthy('Startup');
      this.stopProbes();
      this.onStarted(false);
      this.host.changed();
    });
  }

  private onStarted(wasReady: boolean): void {
    const { readinessProbe, livenessProbe } = this.spec;
    this.started = true;
    this.heldBack = false;
    this.ready = readinessProbe ? wasReady : true;
    if (readinessProbe) this.probe('Readiness', readinessProbe, (passed) => this.setReady(passed));
    if (livenessProbe) this.probe('Liveness', livenessProbe, (passed) => (passed ? undefined : this.unhealthy('Liveness')));
  }

  private setReady(ready: boolean): void {
    if (this.ready === ready && this.heldBack === !ready) return;
    this.ready = ready;
    this.heldBack = !ready;
    this.host.changed();
  }

  private unhealthy(which: string): void {
    this.host.say(this, 'Normal', 'Killing', `Container ${this.spec.name} failed ${which.toLowerCase()} probe, will be restarted`);
    this.stop((this.host.pod().spec.terminationGracePeriodSeconds ?? 30) * 1000);
  }

  private probe(which: string, probe: NonNullable<Container['livenessProbe']>, tell: (passed: boolean) => void): void {
    const { clock } = this.host;
    const run = this.current as ContainerRun;
    const look = () => run.probe(probe);
    this.probes.push(
      new ProbeLoop(
        clock,
        probe,
        look,
        (result) => tell(result === 'passed'),
        (message) => this.host.say(this, 'Warning', 'Unhealthy', `${which} probe failed: ${message}`),
      ),
    );
  }

  private stopProbes(): void {
    for (const loop of this.probes) loop.stop();
    this.probes = [];
  }
}
