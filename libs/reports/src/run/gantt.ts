import type { RunSummary, TaskReport } from '@larry/contracts';
import { html } from '../escape';

const width = 980;
const labelWidth = 270;
const rowHeight = 22;
const colours: Record<string, string> = { completed: '#15803d', failed: '#b3123b', skipped: '#94a3b8', other: '#a16207' };

interface Row {
  label: string;
  task?: TaskReport;
}

/** When each task really ran, by Larry, with where it ran; a dashed line marks the quick start's mid-phase check. */
export function ganttSvg(summary: RunSummary): string {
  const from = Date.parse(summary.startedAt);
  const span = Math.max(1, Date.parse(summary.endedAt) - from);
  const x = (at: string): number => labelWidth + ((Date.parse(at) - from) / span) * (width - labelWidth - 10);
  const rows: Row[] = summary.larrys.flatMap((larry) => [
    { label: `${larry.larry} ${larry.title}` },
    ...larry.tasks.map((task) => ({ label: `  ${task.worker}`, task })),
  ]);
  const height = rows.length * rowHeight + 50;
  const middle = labelWidth + (width - labelWidth - 10) / 2;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Timeline of the run" font-family="system-ui,sans-serif" font-size="12">
<title>Timeline of run ${html(summary.run)}</title>
<line x1="${middle}" y1="20" x2="${middle}" y2="${height - 25}" stroke="#94a3b8" stroke-dasharray="4 4"/><text x="${middle}" y="14" text-anchor="middle" fill="#64748b">mid-phase</text>
${rows.map((row, i) => rowSvg(row, 24 + i * rowHeight, x)).join('\n')}
<text x="${labelWidth}" y="${height - 8}" fill="#64748b">0 s</text><text x="${width - 10}" y="${height - 8}" text-anchor="end" fill="#64748b">${(span / 1000).toFixed(1)} s</text>
</svg>`;
}

function rowSvg({ label, task }: Row, y: number, x: (at: string) => number): string {
  if (!task) return `<text x="4" y="${y + 14}" font-weight="600" fill="#1c1e21">${html(label)}</text>`;
  const text = `<text x="14" y="${y + 14}" fill="#1c1e21">${html(label.trim())}</text>`;
  if (!task.startedAt || !task.endedAt || task.status === 'skipped') {
    return `${text}<text x="${labelWidth}" y="${y + 14}" fill="#64748b">skipped${task.skipReason ? `: ${html(task.skipReason)}` : ''}</text>`;
  }
  const left = x(task.startedAt);
  const length = Math.max(3, x(task.endedAt) - left);
  const seconds = (Date.parse(task.endedAt) - Date.parse(task.startedAt)) / 1000;
  const note = `${seconds.toFixed(1)} s of ${task.plannedMinutes} min planned, ${task.node}`;
  return `${text}<rect x="${left.toFixed(1)}" y="${y + 3}" width="${length.toFixed(1)}" height="${rowHeight - 8}" rx="3" fill="${colours[task.status] ?? colours['other']}"><title>${html(note)}</title></rect>`;
}
