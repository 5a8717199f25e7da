import { probeCluster, probesFile } from '@larry/diagnosis';
import { openLive, writeSnapshot } from '@larry/kube';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { progressLine } from '../progress-line';
import { openSource, type SourceOptions } from '../sources';
import { UserError } from '../user-error';

interface SnapshotCommandOptions extends SourceOptions {
  output: string;
  json?: boolean;
  probe?: boolean;
}

/** `larry snapshot`: a folder that `--snapshot` reads again; with `--probe` also what only looking can tell. */
export async function snapshot(options: SnapshotCommandOptions): Promise<void> {
  if (options.probe && (options.manifests ?? options.snapshot ?? options.dump) !== undefined) throw new UserError('--probe needs a live cluster: leave --manifests, --snapshot and --dump out');
  const cluster = await openSource(options);
  const line = progressLine();
  try {
    const index = await writeSnapshot(cluster, options.output, { onProgress: ({ step, done, total, kind }) => line.show(`${step} ${done} of ${total} ${kind ?? ''}`) });
    const probed = options.probe ? await probe(options, line) : undefined;
    line.clear();
    print(index, options, probed);
  } finally {
    line.clear();
    await cluster.close();
  }
}

/** Writes `probes.json` into the snapshot. The result says in one line what was looked at. */
async function probe(options: SnapshotCommandOptions, line: ReturnType<typeof progressLine>): Promise<string> {
  // Longer than a probe may take: the sockets of other requests give up earlier.
  const cluster = await openLive({ timeoutMs: 60_000, ...(options.kubeconfig ? { kubeconfig: options.kubeconfig } : {}), ...(options.context ? { context: options.context } : {}) });
  try {
    const results = await probeCluster(cluster, { onProgress: (done, total) => line.show(`probes ${done} of ${total}`) });
    await writeFile(join(options.output, probesFile), `${JSON.stringify(results, null, 2)}\n`);
    const { connectivity, nodeServices, notProbed } = results;
    const silent = connectivity.filter(({ connected }) => !connected).length + nodeServices.filter(({ active }) => !active).length;
    const gaps = notProbed.map(({ subject, reason }) => `  not probed: ${subject}: ${reason}\n`).join('');
    const verdict = connectivity.length + nodeServices.length === 0 ? 'nothing could be looked at' : silent === 0 ? 'all answer' : `${silent} do not answer`;
    return `Probed ${connectivity.length} ports of Services and ${nodeServices.length} kubelets: ${verdict}.\n${gaps}`;
  } finally {
    await cluster.close();
  }
}

function print(index: unknown, { json, output }: SnapshotCommandOptions, probed: string | undefined): void {
  if (probed !== undefined) (json ? process.stderr : process.stdout).write(probed);
  if (json) process.stdout.write(`${JSON.stringify(index, null, 2)}\n`);
  else process.stdout.write(`Wrote ${output}. Read it with: larry check --snapshot ${output}\n`);
}
