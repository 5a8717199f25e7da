import { planTasks, printable, type Plan } from '@larry/contracts';
import { findApi } from '../local/local-stack';
import { readPlan } from '../plan-file';
import { requireCategories } from '../playbook-libraries';
import { typedCommand } from '../program/typed-command';
import { ApiClient } from '../run/api-client';
import { oneRun, type RunRequest, type RunShown } from '../run/one-run';
import { interruptSignal } from '../terminal/interrupted';

/** The words of `larry run --api`. */
export type InstalledRunOptions = Omit<RunRequest, 'plan'> & Pick<RunShown, 'state' | 'output' | 'json' | 'lines'> & { plan?: string };

/** `larry run --api`: a run of the crew that is installed on a cluster, begun and followed from here. Ctrl-C leaves it. */
export async function runInstalled(api: string, options: InstalledRunOptions): Promise<void> {
  const plan = readPlan(options.plan);
  const { mode, allow } = options;
  requireCategories(allow);
  const { signal, release } = interruptSignal();
  const leave = (run: string): void => {
    process.stderr.write(`larry: ${printable(run, 100)} goes on; ${typedCommand('dashboard', { api })} follows it, ${typedCommand('abort', { api })} ends it\n`);
  };
  try {
    process.exitCode = await oneRun(
      new ApiClient(findApi({ ...options, api })),
      { plan, mode, allow },
      {
        ...options,
        api,
        heading: (run) => heading(run, plan, api, mode),
        keys: 'Ctrl-C leaves the dashboard; the run goes on.',
        interrupted: (_, run) => Promise.resolve(void leave(run)),
      },
      signal,
    );
  } finally {
    release();
  }
}

function heading(run: string, plan: Plan, api: string, mode: string): string {
  return `Run ${printable(run, 100)}: ${printable(plan.title)}, ${plan.larrys.length} Larrys, ${planTasks(plan).length} workers, mode ${mode}\nAPI ${api}\n\n`;
}
