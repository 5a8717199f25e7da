import type { Clock } from '../clock';
import type { ListeningPort, Script } from '../behaviours';
import type { Container, Probe } from '../types';

export type Verdict = { ok: true } | { ok: false; message: string };

/** What a probe finds at a container that has been running for `runningMs`. */
export function runProbe(probe: Probe, container: Container, script: Script, runningMs: number, podIp: string): Verdict {
  const listening = (port: number) => script.ports.find((each) => each.port === port && each.afterMs <= runningMs);
  if (probe.exec) {
    const ready = script.ports.every((port) => port.afterMs <= runningMs);
    const code = script.exec ? script.exec(probe.exec.command ?? []) : ready ? 0 : 1;
    return code === 0 ? { ok: true } : { ok: false, message: `command ${JSON.stringify(probe.exec.command ?? [])} failed with exit code ${code}` };
  }
  const port = portNumber(probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port, container);
  if (port === undefined) return { ok: false, message: `invalid port name ${JSON.stringify(probe.httpGet?.port ?? probe.tcpSocket?.port)}` };
  const open = listening(port);
  if (probe.httpGet) return httpVerdict(probe.httpGet, `${podIp}:${port}`, open);
  if (probe.tcpSocket) return open ? { ok: true } : { ok: false, message: `dial tcp ${podIp}:${port}: connect: connection refused` };
  if (open?.grpc) return { ok: true };
  return { ok: false, message: `timeout: failed to connect service "${podIp}:${port}" within ${probe.timeoutSeconds ?? 1}s: context deadline exceeded` };
}

/** What Go's HTTP client tells the kubelet (kubernetes `pkg/probe/http`, Go `net/http/transport.go`). */
function httpVerdict(action: NonNullable<Probe['httpGet']>, address: string, open: ListeningPort | undefined): Verdict {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const failed = (why: string): Verdict => ({ ok: false, message: `Get "${scheme}://${address}${path}": ${why}` });
  if (!open) return failed(`dial tcp ${address}: connect: connection refused`);
  if (!open.http && open.says === undefined) return failed('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
  if (scheme === 'https' && !open.tls) return failed(open.http ? 'http: server gave HTTP response to HTTPS client' : 'tls: first record does not look like a TLS handshake');
  if (!open.http) return failed(open.says ? `net/http: HTTP/1.x transport connection broken: malformed HTTP response ${JSON.stringify(open.says)}` : 'EOF');
  // Servers with TLS answer plain HTTP with 400: Go's net/http, nginx, Apache.
  const status = scheme === 'http' && open.tls ? 400 : open.http(path.replace(/[?#].*$/, ''));
  return status >= 200 && status < 400 ? { ok: true } : { ok: false, message: `HTTP probe failed with statuscode: ${status}` };
}

export function portNumber(port: number | string | undefined, container: Container): number | undefined {
  if (typeof port === 'number') return port;
  if (port !== undefined && /^\d+$/.test(port)) return Number(port);
  return container.ports?.find((each) => each.name === port)?.containerPort;
}

/** Runs one probe again and again; tells when it has passed or failed often enough in a row. */
export class ProbeLoop {
  private cancel: () => void;
  private passes = 0;
  private failures = 0;
  private stopped = false;
  private looking = false;

  constructor(
    private readonly clock: Clock,
    private readonly probe: Probe,
    private readonly look: () => Verdict | Promise<Verdict>,
    private readonly tell: (result: 'passed' | 'failed', verdict: Verdict) => void,
    private readonly onFailure: (message: string) => void,
  ) {
    this.cancel = clock.setTimer((probe.initialDelaySeconds ?? 0) * 1000, () => this.run());
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private run(): void {
    this.cancel = this.clock.setTimer((this.probe.periodSeconds ?? 10) * 1000, () => this.run());
    if (this.looking) return;
    const verdict = this.look();
    if (!(verdict instanceof Promise)) return this.judge(verdict);
    this.looking = true;
    void verdict.then((seen) => {
      this.looking = false;
      if (!this.stopped) this.judge(seen);
    });
  }

  private judge(verdict: Verdict): void {
    this.passes = verdict.ok ? this.passes + 1 : 0;
    this.failures = verdict.ok ? 0 : this.failures + 1;
    if (!verdict.ok) this.onFailure(verdict.message);
    if (verdict.ok && this.passes >= (this.probe.successThreshold ?? 1)) this.tell('passed', verdict);
    if (!verdict.ok && this.failures >= (this.probe.failureThreshold ?? 3)) this.tell('failed', verdict);
  }
}
