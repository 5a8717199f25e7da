import type { Script } from '../behaviours';
import type { Clock } from '../clock';
import type { PodNetwork } from '../pod-network';
import type { Container, Probe } from '../types';
import type { Begin, ContainerRun, RunEvents } from './container-run';
import { runProbe, type Verdict } from './probe';

/** Where a script is played. */
interface Stage {
  clock: Clock;
  network: PodNetwork;
  podIp: string;
}

/** A container that does what its image is known to do, by a script of lines, ports and an end. */
export class PlayedScript implements ContainerRun {
  private timers: (() => void)[] = [];
  private readonly startedAt: number;
  private readonly clock: Clock;
  private readonly closePorts: () => void;

  private constructor(
    private readonly stage: Stage,
    private readonly container: Container,
    private readonly script: Script,
    private readonly events: RunEvents,
    elapsedMs: number,
  ) {
    this.clock = stage.clock;
    this.startedAt = this.clock.now().getTime() - elapsedMs;
    this.closePorts = stage.network.listen(stage.podIp, script.ports, this.startedAt);
    for (const { afterMs, line } of script.lines) if (afterMs >= elapsedMs) this.after(afterMs - elapsedMs, () => events.wrote([line]));
    if (script.loop) this.repeat(script.loop);
    if (script.exit) {
      const { afterMs, code, reason } = script.exit;
      this.after(afterMs - elapsedMs, () => events.ended(code, reason));
    }
  }

  static of(script: Script, stage: Stage, container: Container): Begin {
    return (events, elapsedMs) => new PlayedScript(stage, container, script, events, elapsedMs);
  }

  stop(graceMs: number): void {
    const reaction = this.script.onTerm;
    if (reaction && reaction.afterMs <= graceMs) this.after(reaction.afterMs, () => this.events.ended(reaction.code));
    else this.after(graceMs, () => this.events.ended(137));
  }

  dispose(): void {
    this.closePorts();
    for (const cancel of this.timers) cancel();
    this.timers = [];
  }

  probe(probe: Probe): Verdict {
    return runProbe(probe, this.container, this.script, this.clock.now().getTime() - this.startedAt, this.stage.podIp);
  }

  private repeat(loop: { everyMs: number; lines: readonly string[] }): void {
    this.after(loop.everyMs, () => {
      this.events.wrote(loop.lines);
      this.repeat(loop);
    });
  }

  private after(ms: number, fn: () => void): void {
    this.timers.push(this.clock.setTimer(ms, fn));
  }
}
