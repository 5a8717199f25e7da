import * as http from 'node:http';
import * as https from 'node:https';
import { connect } from 'node:net';
import type { Container, Probe } from '../../types';
import { portNumber, type Verdict } from '../probe';

const failed = (message: string): Verdict => ({ ok: false, message });

/** Performs one probe against a process at its pod's address, in the words of the kubelet. Never rejects. */
export function probeProcess(probe: Probe, container: Container, podIp: string): Promise<Verdict> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  if (!probe.httpGet && !probe.tcpSocket) return Promise.resolve(failed('the simulation performs httpGet and tcpSocket probes on our programs; exec and grpc probes always fail'));
  const named = probe.httpGet?.port ?? probe.tcpSocket?.port;
  const port = portNumber(named, container);
  if (port === undefined) return Promise.resolve(failed(`invalid port name ${JSON.stringify(named)}`));
  return probe.httpGet ? get(probe.httpGet, podIp, port, timeoutMs) : dial(podIp, port, timeoutMs);
}

function get(action: NonNullable<Probe['httpGet']>, podIp: string, port: number, timeoutMs: number): Promise<Verdict> {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const url = `${scheme}://${podIp}:${port}${path}`;
  const headers = Object.fromEntries([['User-Agent', 'kube-probe/1.36'], ...(action.httpHeaders ?? []).map(({ name, value }) => [name, value])]) as Record<string, string>;
  return new Promise((resolve) => {
    const options = { host: podIp, port, path, headers, agent: false as const };
    // A kubelet checks no certificate either.
    const request = scheme === 'https' ? https.get({ ...options, rejectUnauthorized: false }) : http.get(options);
    const late = setTimeout(() => request.destroy(new Error('late')), timeoutMs);
    const say = (verdict: Verdict) => (clearTimeout(late), resolve(verdict));
    request.on('response', (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      say(status >= 200 && status < 400 ? { ok: true } : failed(`HTTP probe failed with statuscode: ${status}`));
    });
    request.on('error', (error: NodeJS.ErrnoException) => say(failed(`Get "${url}": ${reasonOf(error, podIp, port)}`)));
  });
}

function dial(podIp: string, port: number, timeoutMs: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const socket = connect({ host: podIp, port });
    const late = setTimeout(() => socket.destroy(new Error('late')), timeoutMs);
    const say = (verdict: Verdict) => (clearTimeout(late), socket.destroy(), resolve(verdict));
    socket.once('connect', () => say({ ok: true }));
    socket.once('error', (error: NodeJS.ErrnoException) => say(failed(error.message === 'late' ? `dial tcp ${podIp}:${port}: i/o timeout` : reasonOf(error, podIp, port))));
  });
}

function reasonOf(error: NodeJS.ErrnoException, podIp: string, port: number): string {
  if (error.message === 'late') return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  if (error.code === 'ECONNREFUSED') return `dial tcp ${podIp}:${port}: connect: connection refused`;
  return error.code === 'ECONNRESET' ? `read tcp ${podIp}:${port}: read: connection reset by peer` : error.message;
}
