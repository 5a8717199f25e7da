// Child processes that are measured: started, watched through /proc, ended. All of them end with this process.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { program } from './libraries.mjs';
import { until } from './measure.mjs';

const living = new Set();
process.on('exit', () => living.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const folders = [];
process.on('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder that goes with this process. */
export function temporaryFolder() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-bench-'));
  folders.push(folder);
  return folder;
}

/** Starts a Node program. `said()` is what it wrote so far. */
export function start(args, env = {}) {
  const began = performance.now();
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  living.add(child);
  child.stdin.on('error', () => undefined);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err = (err + chunk).slice(-4000)));
  const exited = new Promise((resolve) =>
    child.once('exit', (code, signal) => {
      living.delete(child);
      resolve({ code, signal, took: performance.now() - began });
    }),
  );
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(timer);
  };
  return { pid: child.pid, began, exited, out: () => out, err: () => err, kill: (signal) => child.kill(signal), stop };
}

/** Runs a Node program to its end: how it ended, how long it took, its CPU time, the most memory it had. */
export async function runMeasured(args, env = {}) {
  const peakFile = path.join(temporaryFolder(), 'peak');
  const child = start(['-r', program('peak-memory.cjs'), ...args], { ...env, BENCH_PEAK_FILE: peakFile });
  const { code, took } = await child.exited;
  const used = existsSync(peakFile) ? JSON.parse(readFileSync(peakFile, 'utf8')) : { peak: Number.NaN, cpu: Number.NaN };
  return { code, took, ...used, out: child.out(), err: child.err() };
}

/** Starts a service of ours and waits for its ready file. */
export async function startReady(args, env = {}) {
  const readyFile = path.join(temporaryFolder(), 'ready.json');
  const child = start(args, { ...env, LARRY_READY_FILE: readyFile, LARRY_LEASH: '1' });
  const died = child.exited.then(({ code }) => {
    throw new Error(`bench: ${args.at(-1)} ended with ${code}: ${child.err().trim().split('\n').at(-1)} ${child.out().trim().split('\n').at(-1)}`);
  });
  died.catch(() => undefined);
  await Promise.race([until(`the ready file of ${args.join(' ')}`, () => existsSync(readyFile), 60_000, 2), died]);
  return { ...child, readyMs: performance.now() - child.began, ready: JSON.parse(readFileSync(readyFile, 'utf8')) };
}

/** Resident memory now, bytes; of Linux. */
export function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** CPU time used so far, milliseconds: what a busy machine does not stretch. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
