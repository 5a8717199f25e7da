import { printable, type Plan } from '@larry/contracts';
import type { Mode } from '@larry/playbook';
import path from 'node:path';
import { typedCommand, type TypedAddress } from '../program/typed-command';
import { exitCodes } from '../user-error';
import type { ApiClient } from './api-client';
import { closing, nothingWasRead } from './closing';
import { followRun, type FollowedRun } from './follow-run';
import { runView } from './run-view';
import { writeReports } from './write-reports';

/** What a run is begun with. */
export interface RunRequest {
  plan: Plan;
  mode: Mode;
  allow: readonly string[];
}

/** How it is shown, and what Ctrl-C does to it. */
export interface RunShown extends TypedAddress {
  state: string;
  output?: string;
  json?: boolean;
  lines?: boolean;
  /** Printed when it has begun. */
  heading(run: string): string;
  /** What Ctrl-C does, under the dashboard. */
  keys: string;
  /** After Ctrl-C: how the run ended by that; undefined where it goes on. */
  interrupted(api: ApiClient, run: string): Promise<FollowedRun | undefined>;
}

/** Begins a run, shows it to its end, and writes its reports. The exit code says how it ended. */
export async function oneRun(api: ApiClient, request: RunRequest, shown: RunShown, signal: AbortSignal): Promise<number> {
  const { run, warnings = [] } = await api.post<{ run: string; warnings?: string[] }>('/runs', request);
  for (const warning of warnings) process.stderr.write(`larry: ${printable(warning, 500)}\n`);
  if (!shown.json) process.stdout.write(shown.heading(run));
  const followed = await followRun(api, run, runView(api, { plain: shown.lines === true || shown.json === true, quiet: shown.json === true, keys: shown.keys, address: shown }), signal);
  const ended = followed ?? (await shown.interrupted(api, run));
  if (ended?.summary) {
    const files = writeReports(ended.summary, shown.output ?? path.join(shown.state, 'reports'));
    process.stdout.write(shown.json ? `${JSON.stringify(ended.summary, null, 2)}\n` : closing(ended.summary, files));
  } else if (ended) {
    const where = shown.api === undefined ? typedCommand('logs meta-coordinator', shown) : 'kubectl logs -n meta-coordinator deployment/meta-coordinator';
    process.stderr.write(`larry: the run ended as ${ended.status} without a summary; ${where} says why\n`);
  }
  if (ended?.status === 'completed') return ended.summary && nothingWasRead(ended.summary) ? exitCodes.incomplete : exitCodes.ok;
  return followed ? exitCodes.found : exitCodes.interrupted;
}
