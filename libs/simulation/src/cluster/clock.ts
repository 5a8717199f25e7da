/** Where the simulated clients get their time from. Everything that shows in objects is `now()`. */
export interface Clock {
  now(): Date;
  /** Calls `fn` once after `ms` of this clock's time. The result cancels it. */
  setTimer(ms: number, fn: () => void): () => void;
}

/**
 * Time that runs `speed` times as fast as the wall's, from the wall's present. At any speed but 1 the
 * timestamps in objects therefore run ahead of the wall clock.
 */
export function realClock(speed = 1): Clock {
  if (!(speed > 0)) throw new RangeError(`speed must be a number above 0, not ${speed}`);
  const start = Date.now();
  const mono = performance.now();
  return {
    now: () => new Date(speed === 1 ? Date.now() : start + (performance.now() - mono) * speed),
    setTimer: (ms, fn) => {
      // Node's timers hold 31 bits of milliseconds; anything later than that is not waited for here.
      const timer = setTimeout(fn, Math.min(Math.max(0, ms) / speed, 0x7fffffff));
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  private timers: { at: number; fn: () => void }[] = [];
  constructor(private time = Date.parse('2026-01-01T00:00:00Z')) {}

  now(): Date {
    return new Date(this.time);
  }

  setTimer(ms: number, fn: () => void): () => void {
    const timer = { at: this.time + Math.max(0, ms), fn };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Moves time on by `ms`, firing due timers in order, each at its own moment. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.time = due.at;
      due.fn();
    }
    this.time = end;
  }
}

/** A time as Kubernetes writes it: whole seconds, UTC. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** A span as Go prints it: `10s`, `1m20s`, `5m0s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const h = Math.floor(seconds / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  const s = seconds % 60;
  if (h) return `${h}h${m}m${s}s`;
  return m ? `${m}m${s}s` : `${s}s`;
}
