import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { stackFile, type StackFile } from '../local/local-stack';
import { typedCommand } from '../program/typed-command';
import type { DoctorLine } from './doctor-line';
import { isAlive } from '../local/process-alive';

const answerWithinMs = 3000;

/** Whether a run goes on under the state folder, and how each of its services is. */
export async function runLines(state: string, running: StackFile | undefined): Promise<DoctorLine[]> {
  if (!running) return [noRunLine(state)];
  const head: DoctorLine = { subject: 'run', level: 'ok', seen: `goes on under ${state}, API ${running.api.url}` };
  const services = await Promise.all(running.services.map((s) => serviceLine(state, s)));
  return [head, ...services];
}

function noRunLine(state: string): DoctorLine {
  const subject = 'run';
  if (!existsSync(stackFile(state))) return { subject, level: 'ok', seen: `none under ${state}` };
  return { subject, level: 'warn', seen: `the last one under ${state} was killed: its process is gone`, todo: `nothing of it runs any more; ${typedCommand('run', { state })} closes it, says what it had changed, and begins another` };
}

/** By the ready file, which a service that is started again writes anew. */
async function serviceLine(state: string, { name, pid: first }: StackFile['services'][number]): Promise<DoctorLine> {
  const ready = readyFile(state, name);
  const pid = ready?.pid ?? first;
  const logs = typedCommand(`logs ${name}`, { state });
  if (!isAlive(pid)) return { subject: name, level: 'fail', seen: `process ${pid} is gone`, todo: `${logs} says why; larry run starts it again by itself, five times; a simulated cluster not` };
  // The simulated cluster is looked at as a cluster.
  if (ready?.port === undefined) return { subject: name, level: 'ok', seen: `process ${pid} runs` };
  return answerLine(name, pid, ready.port, logs);
}

async function answerLine(subject: string, pid: number, port: number, logs: string): Promise<DoctorLine> {
  let response: Response;
  try {
    response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(answerWithinMs) });
  } catch (error) {
    const late = (error as { name?: unknown }).name === 'TimeoutError';
    const seen = `process ${pid} does not answer on port ${port}${late ? ` within ${answerWithinMs / 1000} s: paused or stuck` : ''}`;
    return { subject, level: 'fail', seen, todo: `${logs} says what it did last; kill ${pid} lets larry run start it again` };
  }
  const said = notReady(await response.text());
  if (response.ok) return { subject, level: 'ok', seen: `process ${pid} answers on port ${port}` };
  return { subject, level: 'fail', seen: `process ${pid} is not ready: ${said || `it answers ${response.status}`}`, todo: `mend what it cannot reach; it goes on by itself; ${logs} says more` };
}

/** The checks that are not ok, from the body of `/readyz`. */
function notReady(text: string): string {
  try {
    const body = JSON.parse(text) as { checks?: Record<string, unknown>; message?: { checks?: Record<string, unknown> } };
    const checks = body.checks ?? body.message?.checks ?? {};
    return Object.entries(checks).filter(([, said]) => said !== 'ok').map(([name, said]) => `${name}: ${String(said)}`).join('; ');
  } catch {
    return '';
  }
}

function readyFile(state: string, name: string): { pid: number; port?: number } | undefined {
  try {
    const { pid, port } = JSON.parse(readFileSync(path.join(state, 'logs', `${name}.ready.json`), 'utf8')) as { pid?: unknown; port?: unknown };
    return typeof pid === 'number' ? { pid, ...(typeof port === 'number' ? { port } : {}) } : undefined;
  } catch {
    return undefined;
  }
}
