import type { SimulatedApiServer } from '@larry/simulation';
import { continueProcess, type Crew, type Program } from '../crew';
import type { SoakCounts } from './counts';
import type { Random } from './random';
import type { RedisPair } from './redis-pair';

/** What a storm strikes. */
export interface StormTargets {
  crew: Crew;
  server: SimulatedApiServer;
  redis: RedisPair;
  /** The running Larrys; a killed one is replaced. */
  larrys: Map<string, Program>;
  /** Milliseconds a pause may last. */
  longestPauseMs: number;
}

/** Kills, pauses, cuts and failovers at random, one at a time, until it is stopped. */
export class Storm {
  private stopped = false;
  private readonly running: Promise<void>;
  private broken?: unknown;

  constructor(
    private readonly targets: StormTargets,
    private readonly random: Random,
    private readonly counts: SoakCounts,
    /** Told of each strike. */
    private readonly tell: (what: string) => void = () => undefined,
  ) {
    this.running = this.blow().catch((error: unknown) => void (this.broken = error));
  }

  /** @throws what kept it from striking: runs after that would prove nothing */
  check(): void {
    if (this.broken) throw new Error('the soak could not go on with its strikes', { cause: this.broken });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async blow(): Promise<void> {
    while (!this.stopped) {
      await pause(this.random.between(200, 1500));
      if (!this.stopped) await this.strike();
    }
  }

  private async strike(): Promise<void> {
    const dice = this.random.next();
    if (dice < 0.35) return this.killWorker();
    if (dice < 0.5) return this.killLarry();
    if (dice < 0.75) return this.pauseSomebody();
    if (dice < 0.92) return this.cut();
    this.tell('failover');
    const done = await this.targets.redis.failOver();
    this.tell(done ? 'failover: a new master with a replica' : 'failover: not yet, the sentinels know of no replica');
    if (done) this.counts.failovers++;
  }

  private workers(): number[] {
    return this.targets.crew.boots().map((b) => b.pid).slice(-20).filter(isAlive);
  }

  private async killWorker(): Promise<void> {
    // A task's own limits (free returns, attempts) are for rare failures: a worker that just began is let be now and then.
    const pid = this.random.pick(this.workers());
    if (pid === undefined || !signal(pid, 'SIGKILL')) return;
    this.tell(`kill worker ${pid}`);
    this.counts.kills++;
  }

  private async killLarry(): Promise<void> {
    const { larrys, crew } = this.targets;
    const name = this.random.pick([...larrys.keys()]);
    if (name === undefined) return;
    larrys.get(name)?.signal('SIGKILL');
    this.tell(`kill ${name}`);
    this.counts.kills++;
    larrys.set(name, await crew.larry(name.split('/')[0] ?? name));
  }

  private async pauseSomebody(): Promise<void> {
    const { larrys, longestPauseMs } = this.targets;
    const pid = this.random.pick([...this.workers(), ...[...larrys.values()].map((p) => p.pid)]);
    if (pid === undefined || !signal(pid, 'SIGSTOP')) return;
    this.tell(`pause ${pid}`);
    this.counts.pauses++;
    await pause(this.random.between(100, longestPauseMs));
    continueProcess(pid);
  }

  private async cut(): Promise<void> {
    const { server } = this.targets;
    const method = this.random.pick(['PATCH', 'POST', 'DELETE', 'GET'] as const) ?? 'PATCH';
    const fault = this.random.pick([{ kind: 'cut-after' }, { kind: 'answer', code: 500 }, { kind: 'answer', code: 429, retryAfterSeconds: 0 }, { kind: 'delay', ms: 700 }] as const);
    if (!fault) return;
    this.tell(`cut ${method} ${fault.kind}`);
    server.faults.add({ method, fault, path: /deployments|configmaps/ });
    this.counts.cuts++;
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

const isAlive = (pid: number): boolean => signal(pid, 0 as unknown as NodeJS.Signals);
