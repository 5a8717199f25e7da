import { nextTime } from './cron-schedule';

it.each([
  ['*/5 * * * *', '2026-11-22T09:03:10Z', '2026-11-22T09:05:00.000Z'],
  ['0 */6 * * *', '2026-11-22T18:00:00Z', '2026-11-23T00:00:00.000Z'],
  ['30 2 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T02:30:00.000Z'],
  ['0 0 13 * 5', '2026-11-22T00:00:00Z', '2026-11-27T00:00:00.000Z'],
  ['@daily', '2026-12-31T23:59:00Z', '2027-01-01T00:00:00.000Z'],
  ['15,45 8-9 * * 7', '2026-11-22T08:20:00Z', '2026-11-22T08:45:00.000Z'],
])('%s after %s is %s', (schedule, after, expected) => expect(nextTime(schedule, new Date(after))?.toISOString()).toBe(expected));

it.each(['', '* * * *', '61 * * * *', 'x * * * *', '0 0 31 2 *'])('%j names no time', (schedule) => expect(nextTime(schedule, new Date(0))).toBeUndefined());
