import { hasEnded, printable, type LarryStatus, type RunStatusView, type TaskStatusView } from '@larry/contracts';
import { cut, displayWidth, fitted } from '@larry/reports';
import { typedCommand, type TypedAddress } from '../program/typed-command';
import { paint, type Paint } from '../terminal/paint';
import { eventLine, isAlert, type EventLine } from './event-line';
import { approvalSummary, type FiguresByLarry } from './run-status';

/** How the dashboard is drawn. */
export interface DashboardStyle {
  columns: number;
  rows: number;
  colour: boolean;
  /** Undefined while it is not known what the run reads. */
  simulated?: boolean;
  /** The server's time now: elapsed seconds count up to it. */
  now: Date;
  /** What Ctrl-C does, said at the bottom while the run goes on. */
  keys?: string;
  /** How commands find the run. */
  address?: TypedAddress;
  /** Said at the bottom instead: that the connection is gone. Before what the status itself says holds the run up. */
  notice?: string;
}

/** A run as the dashboard shows it. */
export type DashboardStatus = RunStatusView & { figures?: FiguresByLarry };

/** A line in its parts: what it says, and how it is painted once it has been cut to the screen. */
interface Line {
  text: string;
  draw?: (text: string) => string;
}

const wideEnough = 120;

/**
 * The quick start's terminal view as text of at most `rows` lines of at most `columns` columns: progress of each Larry,
 * security findings, inventory, tokens, open approvals with what to type, active tasks, events. A small terminal shows
 * fewer events, then fewer tasks; a wide one has the events beside the tasks. Pure.
 */
export function dashboardText(status: DashboardStatus, events: readonly EventLine[], style: DashboardStyle): string {
  const columns = Math.max(20, style.columns);
  const rows = Math.max(5, style.rows);
  const pen = paint(style.colour);
  const top = [...heading(status, style, pen, columns), ...status.larrys.map((l) => larryLine(l, pen, columns)), ...figureLines(status, pen), ...approvalLines(status, style, pen)];
  const notice = style.notice ?? (status.trouble === undefined ? undefined : `Held up: ${status.trouble}`);
  const bottom: Line[] = [{ text: ` ${printable(notice ?? footer(status, style), 300)}`, draw: notice ? pen.alarm : pen.dim }];
  const head = top.slice(0, rows - 1).map((line) => drawn(line, columns));
  const room = rows - head.length - bottom.length;
  const body = columns >= wideEnough ? sideBySide(status, events, style, { columns, room }, pen) : stacked(status, events, style, { columns, room }, pen);
  return [...head, ...body, ...bottom.map((line) => drawn(line, columns))].slice(0, rows).join('\n');
}

function drawn({ text, draw }: Line, columns: number): string {
  const short = cut(text, columns);
  return draw ? draw(short) : short;
}

function heading(status: DashboardStatus, style: DashboardStyle, pen: Paint, columns: number): Line[] {
  const left = ` Larry · ${printable(status.run, 60)} · ${printable(status.mode, 20)} · ${printable(status.status, 20)} ${duration(secondsBetween(status.startedAt, status.endedAt ?? style.now))}`;
  const right = !style.simulated ? '' : columns >= 100 ? 'SIMULATED: nothing here is real ' : 'SIMULATED ';
  const gap = ' '.repeat(Math.max(1, columns - displayWidth(left) - right.length));
  // The mark stays, whatever has to be cut for it.
  const text = `${cut(left, columns - right.length - 1)}${gap}${right}`;
  const { didWork, plan } = status;
  return [{ text, draw: style.simulated ? pen.alarm : pen.bold }, { text: ` ${printable(plan.title, 100)} · ${printable(didWork, 60)}`, draw: pen.dim }];
}

function larryLine(larry: LarryStatus, pen: Paint, columns: number): Line {
  const { completed, total, failed, skipped, workersActive, progress } = larry;
  const counts = [`${completed} of ${total} done`, ...(failed ? [`${failed} failed`] : []), ...(skipped ? [`${skipped} skipped`] : []), ...(workersActive ? [`${workersActive} working`] : [])];
  const width = columns >= wideEnough ? 40 : columns >= 100 ? 20 : 12;
  const filled = Math.round((Math.min(100, Math.max(0, progress)) * width) / 100);
  // Skipped work is no progress, and none is to come of it: shown as neither.
  const gone = Math.min(width - filled, total > 0 ? Math.round((skipped * width) / total) : 0);
  const bar = '█'.repeat(filled) + '░'.repeat(width - filled - gone) + '·'.repeat(gone);
  const title = columns >= wideEnough ? `  ${printable(larry.title, 60)}` : '';
  const name = fitted(printable(larry.larry, 40), 9);
  const text = ` ${name} ${bar} ${String(progress).padStart(3)} % ${printable(larry.status, 11).padEnd(11)} ${counts.join(', ')}${title}`;
  return { text, draw: { pending: pen.dim, in_progress: pen.cyan, completed: pen.green, failed: pen.red }[larry.status] };
}

/** Larry-02's findings, Larry-03's inventory, tokens. What no task has said yet is not zero. */
function figureLines({ figures = {}, budget }: DashboardStatus, pen: Paint): Line[] {
  const security = figures['larry-02'] ?? {};
  const inventory = figures['larry-03'] ?? {};
  const found = ['critical', 'high', 'medium', 'low'].filter((name) => security[name] !== undefined);
  const alarming = (security['critical'] ?? 0) > 0;
  const nodes = budget.filter((b) => b.parent === undefined || budget.some((root) => root.parent === undefined && root.node === b.parent));
  const [root, ...others] = nodes;
  const tokens = root ? `${root.used} of ${root.limit}${others.filter((b) => b.used > 0).map((b) => ` · ${printable(b.node, 40)} ${b.used}`).join('')}` : 'not known';
  return [
    { text: ` Security   ${found.map((name) => `${security[name]} ${name}`).join(' · ') || 'nothing scanned yet'}`, ...(alarming ? { draw: pen.red } : {}) },
    { text: ` Inventory  ${inventoryText(inventory)}` },
    { text: ` Tokens     ${tokens}` },
  ];
}

const inventoryNames: [figure: string, word: string][] = [
  ['assets_discovered', 'resources'],
  ['namespaces', 'namespaces'],
  ['releases', 'Helm releases'],
  ['unclassified', 'unclassified'],
  ['prs_created', 'PRs'],
];

function inventoryText(figures: Readonly<Record<string, number>>): string {
  const known = inventoryNames.filter(([figure]) => figures[figure] !== undefined);
  return known.map(([figure, word]) => `${figures[figure]} ${word}`).join(' · ') || 'nothing counted yet';
}

const shownApprovals = 3;

function approvalLines({ approvals }: DashboardStatus, { address = {} }: DashboardStyle, pen: Paint): Line[] {
  if (approvals.length === 0) return [];
  const shown = approvals.slice(0, shownApprovals).map((approval) => {
    const { task, digest, asks } = approval;
    const short = printable(digest.slice(0, 12), 12);
    return { text: `  ${asks ? printable(typedCommand(`approve ${short}`, address), 300) : `cannot be approved: ${short}`}  ${printable(task, 70)}: ${printable(approvalSummary(approval), 200)}`, draw: asks ? pen.yellow : pen.red };
  });
  const more = approvals.length > shownApprovals ? `, ${approvals.length - shownApprovals} more: ${typedCommand('status', address)}` : '';
  return [{ text: ` Waiting for you (${approvals.length}${more}); deny in the place of approve refuses`, draw: pen.bold }, ...shown];
}

interface Room {
  columns: number;
  room: number;
}

/** Tasks above events; the events get what the tasks leave, and at least two lines. */
function stacked(status: DashboardStatus, events: readonly EventLine[], style: DashboardStyle, { columns, room }: Room, pen: Paint): string[] {
  if (room <= 0) return [];
  const forEvents = Math.min(room, 1 + Math.min(2, events.length));
  const tasks = taskLines(status, style, room - forEvents, columns, pen);
  const log = eventLines(events, style, room - tasks.length, pen);
  return [...tasks, ...log].map((line) => drawn(line, columns));
}

/** Tasks on the left, events on the right, both over the whole height. */
function sideBySide(status: DashboardStatus, events: readonly EventLine[], style: DashboardStyle, { columns, room }: Room, pen: Paint): string[] {
  if (room <= 0) return [];
  const left = Math.floor((columns - 1) / 2);
  const right = columns - left - 1;
  const tasks = taskLines(status, style, room, left, pen);
  const log = eventLines(events, style, room, pen);
  return Array.from({ length: room }, (_, i) => {
    const task = tasks[i] ?? { text: '' };
    const event = log[i] ?? { text: '' };
    const cell = fitted(task.text, left);
    return `${task.draw ? task.draw(cell) : cell} ${drawn(event, right)}`.trimEnd();
  });
}

/** All tasks where there is room for them, else those that something happens with. */
function taskLines(status: DashboardStatus, style: DashboardStyle, room: number, columns: number, pen: Paint): Line[] {
  if (room < 2) return [];
  const all = [...status.tasks, ...(status.converge ? [status.converge] : [])];
  const active = all.filter(isActive);
  const everything = all.length + 1 <= room;
  const rows = everything ? all : active;
  const hidden = rows.length - (room - 1);
  const shown = hidden > 0 ? rows.slice(0, room - 1) : rows;
  const more = hidden > 0 ? `, ${hidden} more` : '';
  const title = everything ? ` Tasks (${active.length} active)` : ` Active (${active.length}${more})`;
  const lines = shown.map((task) => [taskLine(task, style, { columns, stateWidth: everything ? 19 : 14 }, pen), ...reasonLine(task, pen)]);
  const withReasons = lines.flat().length + 1 <= room;
  return [{ text: title, draw: pen.bold }, ...lines.flatMap((one) => (withReasons ? one : one.slice(0, 1)))];
}

/** What its last attempt ended with; of a task that completed it is history. */
function reasonLine({ reason, status }: TaskStatusView, pen: Paint): Line[] {
  return reason && status !== 'completed' ? [{ text: `      ${printable(reason, 300)}`, draw: pen.dim }] : [];
}

function isActive({ status }: TaskStatusView): boolean {
  return status === 'claimed' || status === 'in_progress' || status === 'awaiting_approval';
}

/** Those whose `startedAt` is of the attempt that they are at. */
const timed: TaskStatusView['status'][] = ['in_progress', 'awaiting_approval', 'completed', 'failed'];
const statusWords: Partial<Record<TaskStatusView['status'], string>> = { in_progress: 'working', awaiting_approval: 'needs approval', claimed: 'starting' };

/** A coordinator renews its leases long before they end, and takes back one that lapsed within seconds: half a minute later, none does. */
const overdueMs = 30_000;

function overdue({ status, due }: TaskStatusView, now: Date): boolean {
  return (status === 'claimed' || status === 'in_progress') && due !== undefined && now.getTime() - Date.parse(due) > overdueMs;
}

function taskLine(task: TaskStatusView, style: DashboardStyle, { columns, stateWidth }: { columns: number; stateWidth: number }, pen: Paint): Line {
  const late = overdue(task, style.now);
  const state = task.skipReason ? `skipped: ${task.skipReason}` : `${statusWords[task.status] ?? task.status}${late ? ': overdue' : ''}`;
  const since = task.startedAt && timed.includes(task.status) ? duration(secondsBetween(task.startedAt, task.endedAt ?? style.now)) : '';
  const attempt = task.attempt > 1 ? ` attempt ${task.attempt}` : '';
  const where = columns >= 70 ? ` ${printable(task.node, 60)}` : '';
  const draw = task.status === 'failed' || late ? pen.red : task.status === 'completed' ? pen.green : isActive(task) ? pen.cyan : hasEnded(task.status) ? pen.dim : undefined;
  return { text: `  ${fitted(printable(task.task, 63), 26)} ${state.padEnd(stateWidth)} ${since.padStart(7)}${attempt}${where}`, ...(draw ? { draw } : {}) };
}

function eventLines(events: readonly EventLine[], { address }: DashboardStyle, room: number, pen: Paint): Line[] {
  if (room < 1 || events.length === 0) return [];
  const last = room > 1 ? events.slice(-(room - 1)) : [];
  return [{ text: ' Events', draw: pen.bold }, ...last.map((item) => ({ text: `  ${eventLine(item, address)}`, draw: isAlert(item) ? pen.red : pen.dim }))];
}

function footer({ status, abortedBy, reportReady }: DashboardStatus, { keys = '', address = {} }: DashboardStyle): string {
  if (status === 'aborted') return `Aborted${abortedBy ? ` by ${abortedBy}` : ''}: ${typedCommand('report', address)} shows what was done until then.`;
  if (status !== 'running') return reportReady ? `The run has ended: ${typedCommand('report', address)} shows what it came to.` : 'The run has ended.';
  return keys;
}

function secondsBetween(from: string, to: string | Date): number {
  const end = typeof to === 'string' ? Date.parse(to) : to.getTime();
  return Math.max(0, Math.floor((end - Date.parse(from)) / 1000));
}

/** `12 s`, `3:07`, `1:02:03`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 60) return `${seconds} s`;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
