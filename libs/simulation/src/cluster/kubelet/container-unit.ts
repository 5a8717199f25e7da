import { randomBytes } from 'node:crypto';
import { parseImage, type Script } from '../behaviours';
import { timestamp, type Clock } from '../clock';
import type { Container, ContainerState, ContainerStatus, Pod } from '../types';
import { RestartBackOff } from './back-off';
import type { LogSink } from './log-sink';
import { ProbeLoop, runProbe } from './probe';

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

/** One container of a pod: its state, the script that it plays, its probes. */
export class ContainerUnit {
  state: ContainerState = {};
  lastState: ContainerState = {};
  restartCount = 0;
  ready = false;
  /** Past its startup probe, or running where it has none. */
  started = false;
  finishedAt = 0;
  readonly backOff = new RestartBackOff();
  private containerId = '';
  private script: Script | undefined;
  private startedAt = 0;
  private timers: (() => void)[] = [];
  private probes: ProbeLoop[] = [];
  private stopping = false;
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

  /** Begins to play a script; with `since`, one that has been playing since then. */
  run(script: Script, since?: Date): void {
    const { clock } = this.host;
    const now = clock.now();
    if (this.state.terminated) this.lastState = this.state;
    if (!since && this.lastState.terminated) this.restartCount += 1;
    this.script = script;
    this.stopping = false;
    this.startedAt = (since ?? now).getTime();
    if (!since || !this.containerId) this.containerId = `containerd://${randomBytes(32).toString('hex')}`;
    this.state = { running: { startedAt: timestamp(since ?? now) } };
    this.lastLines = [];
    this.write([]);
    const elapsed = now.getTime() - this.startedAt;
    for (const { afterMs, line } of script.lines) if (afterMs >= elapsed) this.after(afterMs - elapsed, () => this.write([line]));
    if (script.loop) this.repeat(script.loop);
    if (script.exit) {
      const { afterMs, code, reason } = script.exit;
      this.after(afterMs - elapsed, () => this.end(code, reason));
    }
    this.startProbes(since !== undefined && this.ready);
    this.host.changed();
  }

  /** Asks the container to stop; `exited` follows when it has. */
  stop(graceMs: number): void {
    if (!this.isRunning || this.stopping) return;
    this.stopping = true;
    this.stopProbes();
    const reaction = this.script?.onTerm;
    if (reaction && reaction.afterMs <= graceMs) this.after(reaction.afterMs, () => this.end(reaction.code));
    else this.after(graceMs, () => this.end(137));
  }

  /** Drops every timer: nothing of this container happens any more. */
  dispose(): void {
    for (const cancel of this.timers) cancel();
    this.timers = [];
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
    this.host.exited(this);
    this.host.changed();
  }

  private repeat(loop: { everyMs: number; lines: readonly string[] }): void {
    this.after(loop.everyMs, () => {
      this.write(loop.lines);
      this.repeat(loop);
    });
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
    this.ready = readinessProbe ? wasReady : true;
    if (readinessProbe) this.probe('Readiness', readinessProbe, (passed) => this.setReady(passed));
    if (livenessProbe) this.probe('Liveness', livenessProbe, (passed) => (passed ? undefined : this.unhealthy('Liveness')));
  }

  private setReady(ready: boolean): void {
    if (this.ready === ready) return;
    this.ready = ready;
    this.host.changed();
  }

  private unhealthy(which: string): void {
    this.host.say(this, 'Normal', 'Killing', `Container ${this.spec.name} failed ${which.toLowerCase()} probe, will be restarted`);
    this.stop((this.host.pod().spec.terminationGracePeriodSeconds ?? 30) * 1000);
  }

  private probe(which: string, probe: NonNullable<Container['livenessProbe']>, tell: (passed: boolean) => void): void {
    const { clock } = this.host;
    const look = () => runProbe(probe, this.spec, this.script as Script, clock.now().getTime() - this.startedAt, this.host.podIp());
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

  private after(ms: number, fn: () => void): void {
    this.timers.push(this.host.clock.setTimer(ms, fn));
  }
}
