import { printable, type CheckReport, type Finding, type Plan, type TaskResult } from '@larry/contracts';
import { SharedLists, type ClusterReader } from '@larry/kube';
import { worstFirst } from '@larry/reports';
import { withoutEchoes } from './echoes';
import { readableTasks, runReadOnly, type Progress, type ReadableTask } from '../run-in-process';

/** What a check came to: the report, and the pictures that the tasks drew. */
export interface CheckOutcome {
  report: CheckReport;
  pictures: { title: string; svg: string }[];
  /** True when a task failed, or nothing was read: the exit code tells. */
  incomplete: boolean;
  /** Set when nothing could be read: no findings then means nothing. One sentence. */
  nothingRead?: string;
}

/** Runs every task that only reads over one source, in this process, and puts the findings in order. */
export async function runCheck(
  cluster: ClusterReader,
  plan: Plan,
  options: { signal: AbortSignal; progress: Progress; exceptions?: string },
): Promise<CheckOutcome> {
  const startedAt = new Date().toISOString();
  const entries = readableTasks(plan);
  const lists = new SharedLists(cluster);
  const all = await runTogether(entries, lists, options);
  const titles = new Map(entries.map(({ task, playbook }) => [task.id, playbook.title]));
  const report: CheckReport = {
    kind: 'LarryCheckReport',
    version: 1,
    source: cluster.source,
    startedAt,
    endedAt: new Date().toISOString(),
    tasks: all.map(({ task, outcome, skipReason, summary, figures, criteria }) => ({
      task,
      title: titles.get(task) ?? task,
      outcome,
      ...(skipReason ? { skipReason } : {}),
      summary,
      figures,
      criteria,
    })),
    findings: withoutEchoes(unique(all.flatMap((r) => r.findings))).sort(worstFirst),
    unknowns: uniqueUnknowns(all),
    files: { loaded: cluster.files().loaded.length, skipped: cluster.files().skipped },
  };
  const nothingRead = nothingReadFrom(cluster, lists.listsRead);
  return {
    report,
    pictures: picturesOf(all),
    incomplete: nothingRead !== undefined || all.some((r) => r.outcome === 'failed'),
    ...(nothingRead ? { nothingRead } : {}),
  };
}

/** Every task as soon as those that it needs have ended, over one reading of the source; results in the order of the tasks. */
async function runTogether(entries: readonly ReadableTask[], lists: SharedLists, options: Parameters<typeof runCheck>[2]): Promise<TaskResult[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const results = new Map<string, TaskResult>();
  const begun = new Map<string, Promise<void>>();
  for (const entry of entries) begun.set(entry.task.id, run(entry).catch((error: unknown) => (stop.abort(error), Promise.reject(error))));
  const ended = await Promise.allSettled(begun.values());
  const failed = ended.find((e) => e.status === 'rejected');
  // What ended first is what stopped the others.
  if (failed) throw stop.signal.reason;
  return entries.flatMap(({ task }) => results.get(task.id) ?? []);

  async function run(entry: ReadableTask): Promise<void> {
    const needed = entry.task.needs.flatMap((need) => begun.get(need) ?? []);
    if (needed.length > 0) await Promise.all(needed);
    const isScan = 'exceptions' in optionKeys(entry.playbook.options);
    const extra = options.exceptions && isScan ? { with: { exceptions: options.exceptions } } : {};
    results.set(entry.task.id, await lists.use((reader) => runReadOnly(entry, reader, results, { ...options, ...extra, signal })));
  }
}

function nothingReadFrom(cluster: ClusterReader, listsRead: number): string | undefined {
  const { type, name } = cluster.source;
  if (type === 'live' && listsRead === 0) return `nothing was read from ${printable(name, 500)}: this account may list no kind that is looked at (larry doctor --rights names them)`;
  if (type === 'live' || cluster.files().loaded.length > 0) return undefined;
  return `nothing was read from ${printable(name, 500)}: no YAML or JSON with Kubernetes objects`;
}

function optionKeys(schema: unknown): Record<string, unknown> {
  return (schema as { shape?: Record<string, unknown> }).shape ?? {};
}

function unique(findings: Finding[]): Finding[] {
  return [...new Map(findings.map((f) => [f.id, f])).values()];
}

function uniqueUnknowns(results: TaskResult[]): CheckReport['unknowns'] {
  return [...new Map(results.flatMap((r) => r.unknowns).map((u) => [`${u.subject}\0${u.reason}`, u])).values()];
}

/** Lineage is drawn by `classify-assets` as SVG of our own making, with every name escaped. */
function picturesOf(results: TaskResult[]): CheckOutcome['pictures'] {
  const svg = results.find((r) => r.task === 'classify-assets')?.artifacts['lineageSvg'];
  return typeof svg === 'string' ? [{ title: 'Lineage', svg }] : [];
}
