import { RateLimit } from './rate-limit';

describe('RateLimit', () => {
  it('lets a burst pass at once, and then as many a second as it says, in order', () => {
    const limit = new RateLimit({ perSecond: 10, burst: 3 }, () => 0);
    expect(Array.from({ length: 6 }, () => limit.reserve())).toEqual([0, 0, 0, 100, 200, 300]);
  });

  it('saves no more than a burst while nothing is sent', () => {
    let now = 0;
    const limit = new RateLimit({ perSecond: 10, burst: 2 }, () => now);
    now = 3_600_000;
    expect(Array.from({ length: 3 }, () => limit.reserve())).toEqual([0, 0, 100]);
  });

  it('lets a thousand requests pass in fifty seconds at twenty a second', () => {
    const limit = new RateLimit({ perSecond: 20, burst: 40 }, () => 0);
    const waits = Array.from({ length: 1000 }, () => limit.reserve());
    expect(Math.max(...waits)).toBe(48_000);
  });

  it('stops waiting when it is told to', async () => {
    const limit = new RateLimit({ perSecond: 0.001, burst: 1 });
    limit.reserve();
    const stop = new AbortController();
    const passed = limit.pass(stop.signal);
    stop.abort();
    await expect(passed).rejects.toThrow(/abort/i);
  });
});
