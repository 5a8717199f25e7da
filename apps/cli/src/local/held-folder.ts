import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isAlive } from './process-alive';

const fileOf = (state: string): string => path.join(state, 'held-by.pid');

/**
 * Takes a state folder for this process before anything is started over it: two servers over the files of one Redis would
 * damage them. Returns the living process that has it instead; undefined where it is ours now. One left by a killed
 * process is not believed.
 */
export function holdFolder(state: string): number | undefined {
  for (;;) {
    try {
      writeFileSync(fileOf(state), String(process.pid), { flag: 'wx', mode: 0o600 });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(state);
    if (holder !== undefined && holder !== process.pid && isAlive(holder)) return holder;
    rmSync(fileOf(state), { force: true });
  }
}

/** Gives the folder free. */
export function releaseFolder(state: string): void {
  if (holderOf(state) === process.pid) rmSync(fileOf(state), { force: true });
}

function holderOf(state: string): number | undefined {
  try {
    return Number(readFileSync(fileOf(state), 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}
