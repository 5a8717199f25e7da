import { eventually } from '@larry/redis/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repository } from './helm';

/** `larry sim up` as a process of its own. */
export interface SimulationProcess {
  kubeconfig: string;
  child: ChildProcess;
  /** Processes of this machine that run in pods of this simulation, by their environment; of one program, where it is named. */
  processes(program?: string): string[];
  stop(): Promise<void>;
}

/** Starts the built `larry sim up` and waits until it serves. */
export async function startSimulation(): Promise<SimulationProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-sim-up-'));
  const ready = path.join(folder, 'ready.json');
  const child = spawn(process.execPath, [path.join(repository, 'apps/cli/dist/main.js'), 'sim', 'up', '--kubeconfig', path.join(folder, 'kubeconfig')], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, LARRY_LEASH: '1', LARRY_READY_FILE: ready },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin?.on('error', () => undefined);
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { kubeconfig } = await eventually(() => JSON.parse(readFileSync(ready, 'utf8')) as { kubeconfig: string }, 60_000);
  const pods = `/larry-pods-${child.pid}-`;
  return {
    kubeconfig: readFileSync(kubeconfig, 'utf8'),
    child,
    processes: (program = '') => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && pid !== String(child.pid) && read(pid, 'environ').includes(pods) && read(pid, 'cmdline').includes(program)),
    stop: async () => {
      child.kill('SIGTERM');
      await over;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What the kernel tells of a process; empty when it has ended or is a zombie. */
function read(pid: string, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
