const macros: Record<string, string> = { '@hourly': '0 * * * *', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@weekly': '0 0 * * 0', '@monthly': '0 0 1 * *', '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *' };
const ranges = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 7]] as const;

/** The first time after `after` that a cron schedule names, in UTC; undefined where it cannot be read or names none in four years. */
export function nextTime(schedule: string, after: Date): Date | undefined {
  const fields = (macros[schedule] ?? schedule).trim().split(/\s+/).map((field, i) => parseField(field, ranges[i] ?? [1, 0]));
  const [minutes, hours, days, months, weekdays] = fields;
  if (fields.length !== 5 || !minutes?.size || !hours?.size || !days?.size || !months?.size || !weekdays?.size) return undefined;
  if (weekdays.has(7)) weekdays.add(0);
  const anyDay = days.size === 31;
  const anyWeekday = weekdays.size >= 7;
  const time = new Date(Math.floor(after.getTime() / 60_000) * 60_000 + 60_000);
  const end = time.getTime() + 4 * 366 * 86_400_000;
  while (time.getTime() < end) {
    const dayFits = days.has(time.getUTCDate());
    const weekdayFits = weekdays.has(time.getUTCDay());
    // Where both are restricted, either is enough (POSIX crontab).
    const fits = months.has(time.getUTCMonth() + 1) && (anyDay || anyWeekday ? dayFits && weekdayFits : dayFits || weekdayFits);
    if (!fits) time.setUTCHours(24, 0, 0, 0);
    else if (!hours.has(time.getUTCHours())) time.setUTCHours(time.getUTCHours() + 1, 0, 0, 0);
    else if (!minutes.has(time.getUTCMinutes())) time.setUTCMinutes(time.getUTCMinutes() + 1, 0, 0);
    else return time;
  }
  return undefined;
}

function parseField(field: string, [low, high]: readonly [number, number]): Set<number> | undefined {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const match = /^(\*|\?|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (!match) return undefined;
    const step = Number(match[4] ?? 1);
    const from = match[2] === undefined ? low : Number(match[2]);
    const to = match[3] !== undefined ? Number(match[3]) : match[2] === undefined || match[4] !== undefined ? high : from;
    if (from < low || to > high || step < 1) return undefined;
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}
