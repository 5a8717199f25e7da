import { writeSnapshot } from '@larry/kube';
import { progressLine } from '../progress-line';
import { openSource, type SourceOptions } from '../sources';

/** `larry snapshot`: a folder that `--snapshot` reads again. */
export async function snapshot(options: SourceOptions & { output: string; json?: boolean }): Promise<void> {
  const cluster = await openSource(options);
  const line = progressLine();
  try {
    const index = await writeSnapshot(cluster, options.output, { onProgress: ({ step, done, total, kind }) => line.show(`${step} ${done} of ${total} ${kind ?? ''}`) });
    line.clear();
    if (options.json) process.stdout.write(`${JSON.stringify(index, null, 2)}\n`);
    else process.stdout.write(`Wrote ${options.output}. Read it with: larry check --snapshot ${options.output}\n`);
  } finally {
    line.clear();
    await cluster.close();
  }
}
