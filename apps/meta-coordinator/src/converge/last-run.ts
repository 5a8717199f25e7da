import { runSourceSchema, type RunSummary } from '@larry/contracts';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** What is kept of a run for the next one over the same source. */
export const lastRunSchema = z.object({
  version: z.literal(1),
  run: z.string(),
  source: z.string(),
  endedAt: z.string(),
  findings: z.array(z.object({ id: z.string(), title: z.string() })),
});
export type LastRun = z.infer<typeof lastRunSchema>;

/** The last runs, one file for each source, in a folder that outlives the run. */
export class LastRunFile {
  constructor(private readonly folder: string) {}

  /** The last run over this source; undefined when there is none, or its file is not ours. */
  async read(source: RunSummary['source']): Promise<LastRun | undefined> {
    try {
      const parsed = lastRunSchema.safeParse(JSON.parse(await readFile(this.fileOf(source), 'utf8')));
      return parsed.success ? parsed.data : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps what the next run compares with: written beside and renamed. */
  async write(summary: RunSummary): Promise<void> {
    await this.replace(this.fileOf(summary.source), lastRunOf(summary));
  }

  /** Keeps what a run begins over: its report can name it when it is out of reach, whichever process writes it. */
  async writeSource(source: RunSummary['source']): Promise<void> {
    await this.replace(this.sourceFile(), source);
  }

  /** What the last run began over; undefined where that was not kept. */
  async readSource(): Promise<RunSummary['source'] | undefined> {
    try {
      return runSourceSchema.safeParse(JSON.parse(await readFile(this.sourceFile(), 'utf8'))).data;
    } catch {
      return undefined;
    }
  }

  private async replace(file: string, content: unknown): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
    await writeFile(temporary, JSON.stringify(content));
    await rename(temporary, file);
  }

  private sourceFile(): string {
    return path.join(this.folder, 'run-source.json');
  }

  private fileOf(source: RunSummary['source']): string {
    const name = createHash('sha256').update(sourceKey(source)).digest('hex').slice(0, 16);
    return path.join(this.folder, `last-run-${name}.json`);
  }
}

/** What makes two sources the same. A simulated cluster listens on another port each time; it is the same one all the same. */
export function sourceKey({ type, name, simulated }: RunSummary['source']): string {
  return simulated ? `${type} simulated` : `${type} ${name}`;
}

function lastRunOf(summary: RunSummary): LastRun {
  return { version: 1, run: summary.run, source: sourceKey(summary.source), endedAt: summary.endedAt, findings: findingsOf(summary.larrys) };
}

/** Every finding of a run that no exception accepts, by id and title. */
export function findingsOf(larrys: RunSummary['larrys']): { id: string; title: string }[] {
  const all = larrys.flatMap((l) => l.tasks).flatMap((t) => t.result?.findings ?? []);
  return all.filter((f) => !f.accepted).map(({ id, title }) => ({ id, title }));
}

/** What is new and what is gone since the last run; undefined when there was none. Pure. */
export function sinceLast(previous: LastRun | undefined, larrys: RunSummary['larrys'], run: string): RunSummary['sinceLast'] {
  if (!previous || previous.run === run) return undefined;
  const now = findingsOf(larrys);
  const [before, after] = [new Set(previous.findings.map((f) => f.id)), new Set(now.map((f) => f.id))];
  return {
    previousRun: previous.run,
    new: now.filter((f) => !before.has(f.id)).map((f) => f.title),
    gone: previous.findings.filter((f) => !after.has(f.id)).map((f) => f.title),
  };
}
