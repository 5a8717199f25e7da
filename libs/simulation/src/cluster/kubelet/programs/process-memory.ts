import { readFileSync } from 'node:fs';

/**
 * Memory of a process and everything it started, in bytes, that the kernel could not take back: resident pages without
 * those of files (proc(5), RssAnon and RssShmem). Undefined where there is no /proc or no such process.
 */
export function memoryBytes(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kibibytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)].reduce((sum, [, kB]) => sum + Number(kB), 0);
    return kibibytes * 1024 + childrenOf(pid).reduce((sum, child) => sum + (memoryBytes(child) ?? 0), 0);
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
