const initialMs = 10_000;
const maxMs = 300_000;

/**
 * The kubelet's restart back-off of one container (client-go `flowcontrol.Backoff` as `kuberuntime` uses
 * it): the first restart is immediate and starts the count at 10 s, each further one doubles it up to 300 s;
 * ten minutes without one forget it.
 */
export class RestartBackOff {
  private currentMs = 0;
  private updatedAt = 0;

  /** Milliseconds to wait from now on after a container that finished at `finishedAt`; 0 to restart at once. */
  remaining(finishedAt: number, now: number): number {
    if (this.currentMs === 0 || this.expired(finishedAt)) return 0;
    return Math.max(0, finishedAt + this.currentMs - now);
  }

  /** Counts a restart. */
  next(finishedAt: number, now: number): void {
    this.currentMs = this.currentMs === 0 || this.expired(finishedAt) ? initialMs : Math.min(this.currentMs * 2, maxMs);
    this.updatedAt = now;
  }

  /** The whole wait that is in force, for messages. */
  get waitMs(): number {
    return this.currentMs;
  }

  private expired(finishedAt: number): boolean {
    return finishedAt - this.updatedAt > 2 * maxMs;
  }
}
