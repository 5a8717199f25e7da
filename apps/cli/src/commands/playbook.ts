import { printable, type TaskResult } from '@larry/contracts';
import { findPlaybook } from '@larry/playbook';
import { readPlan } from '../plan-file';
import { playbookLibraries } from '../playbook-libraries';
import { progressLine } from '../progress-line';
import { readableTasks, runReadOnly } from '../run-in-process';
import { openSource, type SourceOptions } from '../sources';
import { exitCodes, UserError } from '../user-error';

/** `larry playbook list`. */
export function listPlaybooks(options: { json?: boolean }): void {
  const rows = playbookLibraries.flatMap((library) => [
    ...library.built.map(({ id, title, description }) => ({ id, built: true, title, description })),
    ...library.notBuilt.map(({ id, why }) => ({ id, built: false, title: 'not built', description: why })),
  ]);
  if (options.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else for (const row of rows) process.stdout.write(`${row.id.padEnd(28)} ${row.built ? row.title : `not built: ${row.description}`}\n`);
}

/** `larry playbook run <task>`: one playbook over a source, reading only. */
export async function runOne(id: string, options: SourceOptions & { json?: boolean; plan?: string }): Promise<void> {
  const entry = readableTasks(readPlan(options.plan)).find((e) => e.task.id === id);
  if (!entry) throw new UserError(whyNotRun(id));
  const cluster = await openSource(options);
  const line = progressLine();
  try {
    const result = await runReadOnly(entry, cluster, new Map(), {
      signal: new AbortController().signal,
      progress: (task, percent, message) => line.show(`${task} ${percent} % ${message}`),
    });
    line.clear();
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : textOf(result, cluster.source.simulated));
    process.exitCode = result.outcome === 'failed' ? exitCodes.incomplete : exitCodes.ok;
  } finally {
    line.clear();
    await cluster.close();
  }
}

/** A task that is planned and not built is known: it has its reason, and often something else that helps. */
function whyNotRun(id: string): string {
  const known = findPlaybook(playbookLibraries, id);
  if (!known) return `there is no playbook "${printable(id, 100)}"; larry playbook list shows them`;
  if ('playbook' in known) return `the plan has no task "${id}"; name a plan that does with --plan, or leave --plan out`;
  return `${id} cannot be run: ${known.notBuilt}. Instead: ${known.instead ?? 'larry playbook list shows what is built'}`;
}

const marks = { met: '✅', 'not-met': '❌', provisional: '… ', unknown: '? ' } as const;

function textOf(result: TaskResult, simulated: boolean): string {
  const lines = [
    ...(simulated ? ['SIMULATED cluster: nothing here is real'] : []),
    `${result.task}: ${result.outcome}${result.skipReason ? ` (${result.skipReason})` : ''}. ${printable(result.summary, 2000)}`,
    ...Object.entries(result.figures).map(([name, value]) => `  ${name}: ${printable(String(value))}`),
    ...result.criteria.map((c) => `  ${marks[c.verdict]} ${c.text}: ${printable(c.observation ? `${c.observation.subject} = ${c.observation.value} (${c.observation.at})` : (c.reason ?? ''), 500)}`),
    ...result.findings.map((f) => `  ${f.severity.padEnd(8)} ${printable(f.title, 300)}`),
    ...result.changes.map((c) => `  ${c.outcome}: ${printable(c.summary, 300)}${c.reason ? ` (${printable(c.reason, 300)})` : ''}`),
    ...result.unknowns.map((u) => `  unknown: ${printable(u.subject)} (${printable(u.reason)})`),
  ];
  return `${lines.join('\n')}\n`;
}
