import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { connectRedis } from '@larry/redis';
import { exitCodes, UserError } from '../user-error';
import { onPath } from './on-path';

/** A Redis for a run on this machine. */
export interface LocalRedis {
  url: string;
  /** Whether this process started it, and stops it. */
  own: boolean;
  /** Ends when a server of our own ends by itself; never for `REDIS_URL`. */
  lost: Promise<void>;
  stop(): Promise<void>;
}

/** Runs a program and ends it when standard input ends: however the process that started it went, the server goes too. */
const leashed = 'exec 3<&0; "$@" 3<&- </dev/null & pid=$!; (cat <&3 >/dev/null; kill $pid 2>/dev/null) & wait $pid';

/** `REDIS_URL`, or a server of our own on a free loopback port with its files in `folder`. */
export async function localRedis(stateFolder: string, port = 0): Promise<LocalRedis> {
  const given = process.env['REDIS_URL'];
  if (given) {
    // Asked here, so that the answer is one sentence and nothing has been started yet.
    await (await connectRedis({ url: given, prefix: process.env['LARRY_PREFIX'] ?? '', connectTimeoutMs: 10_000, rights: true })).close();
    return { url: given, own: false, lost: new Promise(() => undefined), stop: async () => undefined };
  }
  const program = ['redis-server', 'valkey-server'].map(onPath).find((p) => p !== undefined);
  if (!program) throw new UserError('there is no redis-server or valkey-server on PATH; install one, or set REDIS_URL', exitCodes.unreachable);
  // The server changes to its folder, so that a relative path would not be found.
  const folder = path.resolve(stateFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const chosen = port || (await freePort());
  const args = ['--bind', '127.0.0.1', '--port', String(chosen), '--dir', folder, '--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];
  const child = spawn('/bin/sh', ['-c', leashed, 'larry-redis', program, ...args, '--logfile', path.join(folder, 'redis.log')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  child.once('exit', () => child.stdin.end());
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const url = `redis://127.0.0.1:${chosen}`;
  let stopping = false;
  const lost = new Promise<void>((resolve) => void exited.then(() => stopping || resolve()));
  const stop = async (): Promise<void> => {
    stopping = true;
    child.stdin.end();
    await exited;
  };
  try {
    const client = await connectRedis({ url, connectTimeoutMs: 10_000 });
    await client.close();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, own: true, lost, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
