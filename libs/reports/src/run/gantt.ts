import { printable, type RunSummary, type TaskReport } from '@larry/contracts';
import { html } from '../escape';

const width = 980;
const labelWidth = 270;
const chartWidth = width - labelWidth - 10;
const rowHeight = 22;
const colours: Record<string, string> = { completed: '#15803d', failed: '#b3123b', other: '#a16207' };
const ink = 'var(--fg,#1c1e21)';
const faint = 'var(--muted,#64748b)';

interface Row {
  label: string;
  task?: TaskReport;
}

/** When each task really ran, by Larry, beside what was planned; a dashed line marks the quick start's mid-phase check. */
export function ganttSvg(summary: RunSummary): string {
  const from = time(summary.startedAt) ?? 0;
  const span = Math.max(1, (time(summary.endedAt) ?? from) - from);
  // A worker's host and ours may tell different times: a bar stays in the picture.
  const x = (ms: number): number => labelWidth + Math.min(1, Math.max(0, (ms - from) / span)) * chartWidth;
  const rows: Row[] = summary.larrys.flatMap((larry) => [
    { label: `${larry.larry} ${larry.title}` },
    ...larry.tasks.map((task) => ({ label: task.worker, task })),
  ]);
  const height = rows.length * rowHeight + 50;
  const middle = labelWidth + chartWidth / 2;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Timeline of the run" font-family="system-ui,sans-serif" font-size="12">
<title>Timeline of run ${html(summary.run)}</title>
<line x1="${middle}" y1="20" x2="${middle}" y2="${height - 25}" stroke="#94a3b8" stroke-dasharray="4 4"/><text x="${middle}" y="14" text-anchor="middle" fill="${faint}">mid-phase</text>
${rows.map((row, i) => rowSvg(row, 24 + i * rowHeight, x)).join('\n')}
<text x="${labelWidth}" y="${height - 8}" fill="${faint}">0 s</text><text x="${width - 10}" y="${height - 8}" text-anchor="end" fill="${faint}">${(span / 1000).toFixed(1)} s</text>
</svg>`;
}

function rowSvg({ label, task }: Row, y: number, x: (ms: number) => number): string {
  if (!task) return `<text x="4" y="${y + 14}" font-weight="600" fill="${ink}">${html(printable(label, 90))}</text>`;
  const text = `<text x="14" y="${y + 14}" fill="${ink}">${html(printable(label, 38))}</text>`;
  const started = time(task.startedAt);
  const ended = time(task.endedAt);
  if (task.status === 'skipped' || started === undefined || ended === undefined) {
    return `${text}<text x="${labelWidth}" y="${y + 14}" fill="${faint}" font-style="italic">${html(withoutBar(task))}</text>`;
  }
  const left = x(started);
  const length = Math.max(3, x(ended) - left);
  const said = `${((ended - started) / 1000).toFixed(1)} s of ${task.plannedMinutes} min planned`;
  const bar = `<rect x="${left.toFixed(1)}" y="${y + 3}" width="${length.toFixed(1)}" height="${rowHeight - 8}" rx="3" fill="${colours[task.status] ?? colours['other']}"><title>${html(`${task.status}: ${said}, ${task.node}`)}</title></rect>`;
  return `${text}${bar}${noteSvg(task.status === 'completed' ? said : `${task.status}, ${said}`, left, length, y + 14)}`;
}

/** What a task without a bar came to: never drawn like one that ran. */
function withoutBar(task: TaskReport): string {
  const why = task.skipReason ?? (task.reason === undefined ? undefined : printable(task.reason, 80));
  return why ? `${task.status}: ${why}` : task.status;
}

/** Beside the bar: right of it where there is room, else left, else on it. */
function noteSvg(note: string, left: number, length: number, y: number): string {
  const needed = note.length * 6.2 + 12;
  if (left + length + needed < width) return `<text x="${(left + length + 6).toFixed(1)}" y="${y}" fill="${faint}" font-size="11">${html(note)}</text>`;
  if (left - needed > labelWidth) return `<text x="${(left - 6).toFixed(1)}" y="${y}" text-anchor="end" fill="${faint}" font-size="11">${html(note)}</text>`;
  return `<text x="${(left + 6).toFixed(1)}" y="${y - 1}" fill="#fff" font-size="11">${html(note)}</text>`;
}

function time(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
