import { Coordination } from '@larry/coordination';
import { printable } from '@larry/contracts';
import { openLive } from '@larry/kube';
import { connectRedis } from '@larry/redis';
import path from 'node:path';
import { ApiClient, type ApiAddress } from '../run/api-client';
import { begunChangeLines } from '../run/begun-changes';
import { endedRun } from '../run/follow-run';
import { writeReports } from '../run/write-reports';
import type { LastSource } from './last-source';

/** Where a run may have been cut off, and how it is closed. */
export interface CutOff {
  state: string;
  /** A Redis that this process has started over the folder: whoever had started it before is gone. */
  redisUrl: string;
  /** What that run read, where it is known. */
  last?: LastSource;
  /** Starts a meta-coordinator without any Larry: nothing of the run goes on. */
  startMeta(): Promise<{ api: ApiAddress; stop(): Promise<void> }>;
  onStep(text: string): void;
  say(text: string): void;
  signal: AbortSignal;
}

/** Closes a run whose processes were killed: aborts it, waits for its leases, keeps its report, and says what it had changed. */
export async function closeCutOffRun(cutOff: CutOff): Promise<void> {
  const run = await activeRun(cutOff.redisUrl);
  if (run === undefined) return;
  cutOff.say(`run ${printable(run, 100)} under ${cutOff.state} was cut off: its processes are gone, and it had not ended. It is closed first`);
  const meta = await cutOff.startMeta();
  try {
    const api = new ApiClient(meta.api);
    const { leasedUntil } = await api.post<{ leasedUntil: string }>('/runs/current/abort');
    await untilOver(leasedUntil, cutOff);
    cutOff.onStep('writing the report of the run that was cut off');
    const { summary } = await endedRun(api, run);
    const folder = path.join(cutOff.state, 'reports', path.basename(run));
    const files = summary ? writeReports(summary, folder) : [];
    cutOff.say(`run ${printable(run, 100)} is closed as aborted. ${await changedText(run, cutOff)}\n  ${files.length > 0 ? `Its report: ${folder}` : 'It has no report: its state does not hold what one is made of'}`);
  } finally {
    await meta.stop();
  }
}

async function activeRun(url: string): Promise<string | undefined> {
  const redis = await connectRedis({ url, prefix: process.env['LARRY_PREFIX'] ?? '', connectTimeoutMs: 10_000 });
  try {
    const run = (await new Coordination(redis).snapshot())?.run;
    return run?.status === 'running' ? run.run : undefined;
  } finally {
    await redis.close();
  }
}

/** A worker that outlived its run makes no change after its lease. Ctrl-C ends the wait, not the report. */
async function untilOver(leasedUntil: string, { onStep, say, signal }: CutOff): Promise<void> {
  const left = (): number => Math.ceil((Date.parse(leasedUntil) - Date.now()) / 1000);
  if (left() > 2) say(`its last lease is over in ${left()} s; the next run begins after that`);
  while (left() > 0 && !signal.aborted) {
    onStep(`closing the run that was cut off: its last lease is over in ${left()} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function changedText(run: string, { state, last }: CutOff): Promise<string> {
  const log = path.join(state, 'audit.jsonl');
  const lines = await begunChangeLines(log, run, async () => {
    if (last?.source === 'simulated') throw new Error('the simulated cluster was gone with the run');
    return openLive({ ...(last?.kubeconfig ? { kubeconfig: last.kubeconfig } : {}), ...(last?.context ? { context: last.context } : {}) });
  });
  if (lines.length === 0) return `It had looked, and it had changed nothing, by ${log}.`;
  return `The changes that it had begun, by ${log} and by the objects as they are now:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
