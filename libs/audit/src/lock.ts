import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditError } from './errors';

/**
 * A lock among processes on one folder of *tickets*. Whoever wants the lock puts in a ticket of its own, with a name that
 * is never used again, and then looks: alone means it has the lock, otherwise it takes its ticket back and tries again.
 * Two that come at once see each other, because both write before they look. The ticket of a process that has died may
 * be removed by anybody at any time: its name can never mean another holder. With one lock file under a fixed name this
 * is not so: between "that one is stale" and the removal another process may have taken it.
 */
export interface LockOptions {
  /** How long to wait for the lock before giving up. Milliseconds. */
  readonly waitMs: number;
  /** A ticket from another host (whose processes cannot be seen) counts as dead at this age by the file system's clock. Milliseconds. */
  readonly foreignStaleMs: number;
}

/** A held lock. `heldMs` is monotonic: compare it with `foreignStaleMs` before writing. */
export interface HeldLock {
  heldMs(): number;
  release(): Promise<void>;
}

interface Ticket {
  readonly place: string;
  readonly pid: number;
  readonly started: string;
}

/** @throws AuditError when others hold the lock for longer than `waitMs` */
export async function takeLock(folder: string, options: LockOptions): Promise<HeldLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    // A look before writing: while the lock is held this spares both sides a collision.
    let others = await readdir(folder);
    if (others.length === 0 || !(await someLive(folder, others, undefined, options))) {
      const mine = await putTicket(folder);
      const since = performance.now();
      others = (await readdir(folder)).filter((name) => name !== path.basename(mine));
      if (!(await someLive(folder, others, mine, options))) {
        return { heldMs: () => performance.now() - since, release: () => rm(mine, { force: true }) };
      }
      await rm(mine, { force: true });
    }
    if (performance.now() > deadline) {
      throw new AuditError(`${folder}: another process has held the lock of the audit log for ${options.waitMs} ms (${others[0] ?? 'many take turns'}); end it, or remove that file if it runs no more`);
    }
    await sleep(1 + Math.random() * 10);
  }
}

async function putTicket(folder: string): Promise<string> {
  const name = [here, process.pid, startedAt(process.pid) ?? 'x', randomBytes(8).toString('hex')].join('.');
  const file = path.join(folder, name);
  await (await open(file, 'wx', 0o600)).close();
  return file;
}

/** True when a ticket belongs to a process that may still write; removes those that cannot. */
async function someLive(folder: string, names: readonly string[], mine: string | undefined, options: LockOptions): Promise<boolean> {
  let live = false;
  for (const name of names) {
    const file = path.join(folder, name);
    const ticket = readTicket(name);
    // Another host's ticket can be judged only beside one of ours: by the file system's clock, not by two hosts'.
    if (ticket.place !== here && mine === undefined) continue;
    const dead = ticket.place === here ? !isAlive(ticket) : await isOld(file, mine, options.foreignStaleMs);
    if (dead) await rm(file, { force: true });
    else live = true;
  }
  return live;
}

function readTicket(name: string): Ticket {
  const [place = '', pid, started = ''] = name.split('.');
  return { place, pid: Number(pid), started };
}

function isAlive({ pid, started }: Ticket): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startedAt(pid);
  return now === undefined || started === 'x' || now === started;
}

async function isOld(file: string, mine: string | undefined, limitMs: number): Promise<boolean> {
  try {
    const now = mine === undefined ? 0 : (await stat(mine)).mtimeMs;
    return now - (await stat(file)).mtimeMs > limitMs;
  } catch {
    return false; // taken back in this moment: the next look knows
  }
}

/** When a process began, in clock ticks since boot: tells a process from a later one with the same id. Linux only. */
function startedAt(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}

/** Names the set of processes that this one can see: host, boot, process namespace. */
const here = createHash('sha256')
  .update([hostname(), quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')), quietly(() => readlinkSync('/proc/self/ns/pid'))].join('\n'))
  .digest('hex')
  .slice(0, 16);

function quietly(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
