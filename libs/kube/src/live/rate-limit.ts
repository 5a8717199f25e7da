import { setTimeout as delay } from 'node:timers/promises';

/** How many requests a client may send: `burst` at once, then `perSecond`. */
export interface RequestRate {
  perSecond: number;
  burst: number;
}

/** Lets requests pass in the order they came, no more than the rate allows (a token bucket, as client-go's). */
export class RateLimit {
  private readonly burst: number;
  private tokens: number;
  private filledAt: number;

  constructor(
    private readonly rate: RequestRate,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.burst = Math.max(1, rate.burst);
    this.tokens = this.burst;
    this.filledAt = now();
  }

  /** Takes the next place, and says how long it must be waited for, in ms. */
  reserve(): number {
    const now = this.now();
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) / 1000) * this.rate.perSecond);
    this.filledAt = now;
    this.tokens -= 1;
    return this.tokens >= 0 ? 0 : (-this.tokens / this.rate.perSecond) * 1000;
  }

  async pass(signal?: AbortSignal): Promise<void> {
    const waitMs = this.reserve();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  }
}
