import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunSummary } from '@larry/contracts';
import type { SoakCounts } from './counts';
import type { Random } from './random';
import { pause } from './storm';

const cli = path.join(__dirname, '..', '..', '..', 'apps', 'cli', 'dist', 'main.js');
const limitMs = 300_000;

/** `larry run --simulated --mode auto` with two replicas of each Larry, of which workers and one replica are killed or paused. */
export async function demoRun(random: Random, counts: SoakCounts): Promise<void> {
  const state = mkdtempSync(path.join(tmpdir(), 'larry-soak-demo-'));
  counts.demoRuns++;
  const args = [cli, 'run', '--simulated', '--mode', 'auto', '--replicas', '2', '--lease-ttl', '2000', '--state', state, '--lines'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => output.push(data.toString()));
  let code: number | null | undefined;
  child.once('exit', (exit) => (code = exit));
  const began = Date.now();
  let struck = 0;
  while (code === undefined && Date.now() - began < limitMs) {
    await pause(random.between(400, 2000));
    if (code === undefined && struck < 6 && (await strike(state, random, counts))) struck++;
  }
  const summary = summaryOf(state);
  if (code === undefined) child.kill('SIGKILL');
  if (code === undefined || summary === undefined) {
    counts.neverEnded++;
    process.stdout.write(`soak: demo ended with ${code ?? 'nothing'} and ${summary ? 'a' : 'no'} summary (${state} is kept):\n${output.join('').slice(-2000)}\n`);
    return;
  }
  counts.ended++;
  countChanges(state, summary, counts);
  rmSync(state, { recursive: true, force: true });
}

/** Hits a worker, or the second replica of a Larry: nothing replaces what `larry run` started itself. */
async function strike(state: string, random: Random, counts: SoakCounts): Promise<boolean> {
  const services = servicesOf(state);
  const larrys = services.filter((s) => /^larry-\d+/.test(s.name));
  const workers = larrys.flatMap((l) => childrenOf(l.pid));
  const replicas = larrys.filter((l) => l.name.includes('replica')).map((l) => l.pid);
  const [pid, kill] = random.next() < 0.7 ? [random.pick(workers), random.next() < 0.6] : [random.pick(replicas), random.next() < 0.4];
  if (pid === undefined || !send(pid, kill ? 'SIGKILL' : 'SIGSTOP')) return false;
  if (kill) counts.kills++;
  else {
    counts.pauses++;
    await pause(random.between(500, 5000));
    send(pid, 'SIGCONT');
  }
  return true;
}

function servicesOf(state: string): { name: string; pid: number }[] {
  const file = path.join(state, 'stack.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { services: { name: string; pid: number }[] }).services : [];
}

/** Linux tells a process' children; elsewhere only the replicas are hit. */
function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function summaryOf(state: string): RunSummary | undefined {
  const folder = path.join(state, 'reports');
  const name = existsSync(folder) ? readdirSync(folder).find((n) => n.endsWith('SUMMARY.json')) : undefined;
  return name ? (JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as RunSummary) : undefined;
}

/** The cluster ends with the run: what was accepted is told by the audit log, a record for each answer. */
function countChanges(state: string, summary: RunSummary, counts: SoakCounts): void {
  const file = path.join(state, 'audit.jsonl');
  const records = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as { action: string; task?: string; step?: string }) : [];
  const changes = summary.larrys.flatMap((l) => l.tasks).flatMap((t) => (t.result?.changes ?? []).map((c) => ({ task: t.task, ...c })));
  for (const change of changes) {
    const told = records.filter((r) => r.task === change.task && change.id.endsWith(`/${r.step}`));
    const applied = told.filter((r) => r.action === 'change_applied').length;
    counts.effectsExpected++;
    if (change.outcome === 'outcome-unknown') counts.outcomeUnknown++;
    if (applied > 1) counts.effectsDoubled++;
    const made = change.outcome === 'verified' || change.outcome === 'provisional';
    if (made) counts.effectsApplied++;
    else counts.effectsNotMade++;
    if (made && !told.some((r) => r.action === 'change_intended')) counts.effectsLost++;
  }
}
