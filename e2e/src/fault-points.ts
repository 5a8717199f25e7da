import { Coordination } from '@larry/coordination';
import { JobLauncher, ProcessLauncher, type WorkOrder } from '@larry/coordinator';
import type { RedisClient } from '@larry/redis';
import { appendFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';

/** Where a worker of the test crew can be hit, in the order in which it passes them. */
export const workerPoints = ['intent', 'intended', 'request', 'reply', 'outcome', 'settle'] as const;
/** Where a coordinator of the test crew can be hit. */
export const larryPoints = ['lock', 'claim', 'launch', 'started'] as const;

/** What happens there: `kill` is SIGKILL to itself, `stop` SIGSTOP until somebody continues it. */
export interface Fault {
  point: (typeof workerPoints)[number] | (typeof larryPoints)[number];
  action: 'kill' | 'stop';
  /** HTTP method of the effect, for a worker's points; any when absent. */
  method?: 'PATCH' | 'POST' | 'DELETE';
  /** The first of these that is hit; 1 by default. */
  nth?: number;
  task?: string;
  /** The attempt that is hit; 1 by default. */
  attempt?: number;
}

let hits = 0;

/** Says that this process is at a point, and if the fault is meant for it, lets it happen, in synchronous code. */
function at(fault: Fault, point: Fault['point'], method?: string, task = process.env['LARRY_TASK']): void {
  if (fault.point !== point || (fault.method && method && fault.method !== method) || ++hits !== (fault.nth ?? 1)) return;
  const file = process.env['TEST_FAULT_FILE'];
  if (file) appendFileSync(file, `${JSON.stringify({ pid: process.pid, point, action: fault.action, task, at: Date.now() })}\n`);
  process.kill(process.pid, fault.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  // The other threads of this process may get the signal first: no effect slips out before it works here.
  for (const until = performance.now() + 20; performance.now() < until; );
}

/** The first of the faults that `TEST_FAULTS` lists which is meant for this process. */
export function configuredFault(): Fault | undefined {
  const { TEST_FAULTS: text, LARRY_TASK: task, LARRY_ATTEMPT: attempt } = process.env;
  const faults = text ? (JSON.parse(text) as Fault[]) : [];
  const points: readonly string[] = attempt === undefined ? larryPoints : workerPoints;
  return faults.find((f) => points.includes(f.point) && (f.task ?? task) === task && (attempt === undefined || String(f.attempt ?? 1) === attempt));
}

/** Puts the worker's points around its journal and around what leaves for the API server. Test programs alone call this. */
export function installWorkerPoints(fault: Fault): void {
  const verbs = { patch: 'PATCH', create: 'POST', delete: 'DELETE' } as Record<string, string>;
  const coordination = new Coordination({ prefix: '', scripts: () => ({}) } as unknown as RedisClient);
  const journal = Object.getPrototypeOf(coordination.journal) as Coordination['journal'];
  const { intend, conclude } = journal;
  let method = '';
  journal.intend = async function (this: Coordination['journal'], lease, change, intent) {
    method = verbs[(intent as { verb: string }).verb] ?? '';
    at(fault, 'intent', method);
    const before = await intend.call(this, lease, change, intent);
    at(fault, 'intended', method);
    return before;
  };
  journal.conclude = async function (this: Coordination['journal'], lease, change, outcome) {
    await conclude.call(this, lease, change, outcome);
    at(fault, 'outcome', method);
  };
  const { settle } = Coordination.prototype;
  Coordination.prototype.settle = function (this: Coordination, ...args) {
    at(fault, 'settle');
    return settle.apply(this, args);
  };
  for (const client of [http, https]) wrapRequests(client, fault);
}

/** `request` stops between the guard and the socket; a kill there waits until the request has left. Dry runs are no effects. */
function wrapRequests(client: typeof http | typeof https, fault: Fault): void {
  const { request } = client;
  const wrapped = (options: http.RequestOptions, answered: (response: http.IncomingMessage) => void): http.ClientRequest => {
    const method = options.method ?? 'GET';
    const path = options.path ?? '';
    if (method === 'GET' || path.includes('selfsubjectaccessreviews') || path.includes('dryRun=All')) return request(options, answered);
    let isEffect = true;
    const sent = request(options, (response) => {
      if (isEffect) at(fault, 'reply', method);
      answered(response);
    });
    const { end } = sent;
    // Nothing leaves before `end`, which brings the whole body; a deletion says in it that it is a dry run.
    sent.end = function (this: http.ClientRequest, body: string) {
      isEffect = !body.includes('"dryRun"');
      if (!isEffect || fault.action === 'kill') {
        if (isEffect) sent.once('finish', () => at(fault, 'request', method));
        return end.call(this, body, 'utf8');
      }
      whenConnected(sent, () => {
        at(fault, 'request', method);
        end.call(this, body, 'utf8');
      });
      return sent;
    } as typeof sent.end;
    return sent;
  };
  client.request = wrapped as typeof request;
}

/** Paused on a connection that is open, so that the request leaves in the same breath as the process goes on. */
function whenConnected(sent: http.ClientRequest, go: () => void): void {
  sent.once('socket', (socket: Socket & { encrypted?: boolean; secureConnecting?: boolean }) => {
    if (socket.secureConnecting) socket.once('secureConnect', go);
    else if (socket.connecting) socket.once(socket.encrypted ? 'secureConnect' : 'connect', go);
    else go();
  });
}

/** Puts the coordinator's points around claim and launch. */
export function installLarryPoints(fault: Fault): void {
  const { claim, renewClaim } = Coordination.prototype;
  Coordination.prototype.claim = async function (this: Coordination, wanted, ttlMs = 1000) {
    if (fault.point === 'lock') {
      const value = `${wanted.larry}#${wanted.claim}`;
      if (await this.redis.commands.set(this.keys.view.lock(wanted.task), value, 'PX', ttlMs, 'NX')) at(fault, 'lock', undefined, wanted.task);
    }
    const claimed = await claim.call(this, wanted, ttlMs);
    if (claimed.outcome === 'claimed') at(fault, 'claim', undefined, wanted.task);
    return claimed;
  };
  Coordination.prototype.renewClaim = async function (this: Coordination, held, ...args) {
    const renewed = await renewClaim.call(this, held, ...args);
    if (renewed.outcome === 'refused' && renewed.why === 'started') at(fault, 'started', undefined, held.task);
    return renewed;
  };
  for (const { prototype } of [ProcessLauncher, JobLauncher] as { prototype: { launch(order: WorkOrder): Promise<unknown> } }[]) {
    const { launch } = prototype;
    prototype.launch = async function (order) {
      const launched = await launch.call(this, order);
      at(fault, 'launch', undefined, order.task);
      return launched;
    };
  }
}
