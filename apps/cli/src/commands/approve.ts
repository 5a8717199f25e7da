import { printable, stripControl, type ApprovalView, type ChangeText } from '@larry/contracts';
import { findApi } from '../local/local-stack';
import { ApiClient } from '../run/api-client';
import { approvalSummary } from '../run/run-status';
import { typedCommand } from '../program/typed-command';
import { confirmed } from '../terminal/ask';
import { paint, wantsColour } from '../terminal/paint';
import { UserError } from '../user-error';
import type { RunAddress } from './status';

interface DecideOptions extends RunAddress {
  yes?: boolean;
  json?: boolean;
}

/** `larry approve [digest]`: shows the change, or all of a task that wait, asks, and signs; without a digest it lists what waits. */
export function approve(digest: string | undefined, options: DecideOptions): Promise<void> {
  return digest === undefined ? listOpen(options) : decide(digest, 'granted', options);
}

/** `larry deny <digest>`. */
export function deny(digest: string, options: DecideOptions): Promise<void> {
  return decide(digest, 'denied', options);
}

async function listOpen(options: DecideOptions): Promise<void> {
  const { approvals } = await new ApiClient(findApi(options)).get<{ approvals: ApprovalView[] }>('/approvals');
  if (options.json) process.stdout.write(`${JSON.stringify(approvals, null, 2)}\n`);
  else if (approvals.length === 0) process.stdout.write('Nothing waits for an approval.\n');
  else for (const approval of approvals) process.stdout.write(`${approvalText(approval, wantsColour(process.stdout))}\n${toType(approval, options)}\n`);
}

async function decide(prefix: string, decision: 'granted' | 'denied', options: DecideOptions): Promise<void> {
  const api = new ApiClient(findApi(options));
  const { approvals } = await api.get<{ approvals: ApprovalView[] }>('/approvals');
  const { approval, change } = theOne(prefix, approvals);
  process.stderr.write(`${approvalText(approval, wantsColour(process.stderr), change)}\n`);
  if (!approval.asks) throw new UserError(`task ${printable(approval.task, 80)} cannot be decided: ${printable(approvalSummary(approval), 300)}`);
  const several = change === undefined && openOf(approval).length > 1;
  const these = several ? `these ${openOf(approval).length} changes` : 'this change';
  const question = decision === 'granted' ? `Make ${these}?` : `Refuse ${these}?`;
  if (!(await confirmed(question, options))) {
    process.stderr.write('larry: left undecided\n');
    return;
  }
  const decided = await api.post<{ task: string; digest: string; who: string; open?: number }>(`/approvals/${(change ?? approval).digest}`, { decision });
  if (options.json) process.stdout.write(`${JSON.stringify(decided, null, 2)}\n`);
  else process.stdout.write(`${decision === 'granted' ? 'Approved' : 'Denied'} as ${printable(decided.who, 60)}: ${printable(decided.task, 80)} ${short(decided)}${decided.open ? `; the task goes on once the other ${decided.open} ${decided.open === 1 ? 'is' : 'are'} decided: ${typedCommand('approve', options)}` : ''}\n`);
}

/** What a digest means: all that a task waits with, or one change of it. */
interface Meant {
  digest: string;
  approval: ApprovalView;
  change?: ChangeText;
}

/** The change, or all of a task, that a digest's beginning means. Throws a {@link UserError} where it means none or several. */
export function theOne(prefix: string, approvals: readonly ApprovalView[]): Meant {
  if (!/^[0-9a-f]{8,64}$/.test(prefix)) throw new UserError(`"${printable(prefix, 80)}" is no digest: give 8 to 64 of its hex digits, as larry approve shows them`);
  const all = approvals.flatMap((approval): Meant[] => [{ digest: approval.digest, approval }, ...severalOf(approval).map((change) => ({ digest: change.digest, approval, change }))]);
  const found = all.filter((a) => a.digest.startsWith(prefix));
  const open = all.map(short).join(', ');
  if (found.length === 0) throw new UserError(`nothing waits with a digest that begins with ${prefix}; ${open ? `waiting are ${open}` : 'nothing waits at all'}`);
  if (found.length > 1) throw new UserError(`${found.length} digests begin with ${prefix}; give more digits: ${open}`);
  return found[0] as Meant;
}

/** The changes of a task that may be decided one by one; none where it is one alone. */
const severalOf = ({ asks }: ApprovalView): ChangeText[] => (asks?.changes && asks.changes.length > 1 ? asks.changes : []);

const openOf = (approval: ApprovalView): ChangeText[] => severalOf(approval).filter((c) => !c.verdict);

/** What decides on all that a task waits with, and on one change of it. */
function toType(approval: ApprovalView, options: DecideOptions): string {
  if (!approval.asks) return '';
  const first = openOf(approval)[0];
  const one = first && severalOf(approval).length > 1 ? `  ${typedCommand(`approve ${short(first)}`, options)}  one of them; deny in the place of approve refuses\n` : '';
  return `  ${typedCommand(`approve ${short(approval)}`, options)}${one ? `  all that wait` : ''}\n${one}`;
}

/**
 * What a person reads before deciding: task, objects, summary, and the changes line by line, or why nothing is to decide. Of several
 * that are decided one by one also what was said of each; with `only` that one alone.
 */
export function approvalText(approval: ApprovalView, colour: boolean, only?: ChangeText): string {
  const { task, larry, asks, deadline } = approval;
  const pen = paint(colour);
  const { digest, summary, objects, diff } = only ? { ...only, objects: [only.object] } : { digest: approval.digest, summary: approvalSummary(approval), objects: asks?.objects ?? [], diff: asks?.diff };
  const lines = diff === undefined ? [] : stripControl(diff).split('\n').map((line) => printableLine(line));
  return [
    pen.bold(`${printable(larry, 60)} ${printable(task, 80)}: ${printable(summary, 500)}`),
    ...objects.map((object) => `  object  ${printable(object, 300)}`),
    `  digest  ${printable(digest, 64)}`,
    ...(only ? [] : severalOf(approval)).map((change, i, { length }) => `  change ${i + 1} of ${length}  ${short(change)}  ${verdictOf(change)}`),
    ...(deadline ? [`  until   ${printable(deadline, 40)}; then it is skipped`] : []),
    ...lines.map((line) => `  ${line.startsWith('+') ? pen.green(line) : line.startsWith('-') ? pen.red(line) : line}`),
  ].join('\n');
}

function verdictOf({ verdict }: ChangeText): string {
  return verdict ? `${verdict.granted ? 'approved' : 'denied'} by ${printable(verdict.who, 60)}` : 'waits';
}

/** Nothing that a person decides on is cut away without a word. */
function printableLine(line: string): string {
  return line.length <= maxLine ? line : `${line.slice(0, maxLine)} … (${line.length - maxLine} more characters: larry approve --json)`;
}

const maxLine = 2000;

/** As much of a digest as people type. */
const short = ({ digest }: { digest: string }): string => printable(digest.slice(0, 12));
