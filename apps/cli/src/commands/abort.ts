import { printable } from '@larry/contracts';
import { findApi } from '../local/local-stack';
import { ApiClient } from '../run/api-client';
import { confirmed } from '../terminal/ask';
import type { RunAddress } from './status';

/** `larry abort`: the run ends as aborted, its active tasks as skipped. */
export async function abort(options: RunAddress): Promise<void> {
  const { run, leasedUntil } = await new ApiClient(findApi(options)).post<{ run: string; leasedUntil: string }>('/runs/current/abort');
  process.stdout.write(`Aborted ${printable(run, 100)}. Workers stop at their next renewal; the last lease is over at ${printable(leasedUntil, 40)}.\n`);
}

/** A reset waits for the leases that live; a worker's launch may hold one for ten minutes. */
const longestLeaseMs = 11 * 60_000;

/** `larry reset`: aborts, waits until no lease lives, removes every key of ours. */
export async function reset(options: RunAddress & { yes?: boolean }): Promise<void> {
  const api = new ApiClient(findApi(options));
  const current = await api.find<{ run: string; status: string }>('/runs/current');
  const what = current ? `run ${printable(current.run, 100)} (${current.status})` : 'no run, only keys that one left';
  process.stderr.write(`There is ${what}. A reset aborts it, waits for its leases, and removes its keys from Redis one by one, the results with them; reports, the audit log and your own locks stay.\n`);
  if (!(await confirmed('Reset?', options))) {
    process.stderr.write('larry: left as it is\n');
    return;
  }
  const { keysRemoved } = await api.post<{ keysRemoved: number }>('/runs/reset', {}, { timeoutMs: longestLeaseMs });
  process.stdout.write(`Removed ${keysRemoved} keys.\n`);
}
