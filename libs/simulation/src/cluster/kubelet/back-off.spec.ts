import { RestartBackOff } from './back-off';

/** Lets a container crash again `runMs` after each start, and notes how long the kubelet waited before each restart. */
function waits(crashes: number, runMs: number): number[] {
  const backOff = new RestartBackOff();
  let now = 0;
  return Array.from({ length: crashes }, () => {
    now += runMs;
    const finished = now;
    const wait = backOff.remaining(finished, now);
    now += wait;
    backOff.next(finished, now);
    return wait / 1000;
  });
}

describe('the restart back-off', () => {
  it('restarts at once, then after 10 s doubling to 300 s', () => expect(waits(9, 1000)).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]));

  it('begins anew after ten minutes without a crash', () => expect(waits(3, 601_000)).toEqual([0, 0, 0]));

  it('counts the time since the crash as waited', () => {
    const backOff = new RestartBackOff();
    backOff.next(0, 0);
    expect(backOff.remaining(1000, 7000)).toBe(4000);
    expect(backOff.remaining(1000, 20_000)).toBe(0);
  });
});
