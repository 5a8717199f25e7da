import { listOf, numberOf, printable, textOf, valueIn } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import type { EventFacts } from '../facts/event-index';
import { lastEnd, type ContainerFacts } from '../facts/pod-facts';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import { casesOf, containerAt, eventsOfPod, lastHit, ofWorkload, type Case } from './cause';
import { dotted, seenAt, seenContainer, seenEvent } from './evidence';

type Part = 'port' | 'protocol' | 'path' | 'timing';
interface Verdict {
  part: Part;
  confidence: number;
  why: string;
  remedy: FieldChange | { none: string };
}

/** What the kubelet's probers say (kubernetes, `pkg/probe/{http,tcp,grpc}`, Go's `net/http`). */
const refused = /connect: connection refused|connection refused/i;
const wrongProtocol = /server gave HTTP response to HTTPS client|malformed HTTP (?:response|status|version)|transport connection broken|first record does not look like a TLS handshake|tls: |unrecognized name|x509: |Client sent an HTTP request to an HTTPS server|does not implement the grpc health protocol|Unimplemented|error reading server preface|http2: |: EOF$|unexpected EOF|connection reset by peer/i;
const statusOf = /HTTP probe failed with statuscode: (\d{3})/;
const timedOut = /context deadline exceeded|Client\.Timeout exceeded|i\/o timeout|command .*timed out|deadline|timeout: (?:failed to connect|health rpc)/i;
const cannotFind = /no such host|lookup /;

/** Probes that ask the wrong thing of a container that would answer the right one. */
export function probeCauses(scene: Scene): Candidate[] {
  return [...casesOf(scene, 'crashing'), ...casesOf(scene, 'unready')].flatMap((one) => {
    const unhealthy = eventsOfPod(scene, one.pod, one.ailment.kind === 'crashing').filter((e) => e.reason === 'Unhealthy' || (e.reason === 'ProbeWarning' && e.type === 'Warning'));
    return (['liveness', 'readiness'] as const).flatMap((probe) => probeCause(one, probe, unhealthy) ?? []);
  });
}

function probeCause(one: Case, probe: 'liveness' | 'readiness', events: EventFacts[]): Candidate | undefined {
  // A failing startup probe restarts the container like a liveness probe does.
  const words = probe === 'liveness' ? /^(Liveness|Startup) probe/ : /^Readiness probe/;
  const event = events.find((e) => words.test(e.message));
  if (!event) return undefined;
  if (probe === 'liveness' && one.ailment.kind !== 'crashing') return undefined;
  const container = containerOf(one, event);
  if (!container) return undefined;
  const field = /^Startup/.test(event.message) ? 'startupProbe' : `${probe}Probe`;
  const spec = container.spec[field];
  if (spec === undefined) return undefined;
  // While it crashes by itself, nobody answers any probe.
  if (endsByItself(one, container)) return undefined;
  const at = `${containerAt(one.workload, container)}/${field}`;
  const verdict = judge(one, container, spec, event, at, probe);
  if (!verdict || (verdict.part === 'timing' && probe === 'readiness')) return undefined;
  return ofWorkload(one, `${probe}_probe_incorrect_${verdict.part}` as CauseCode, verdict.confidence, `the ${field} of container ${container.name} ${verdict.why}`, {
    evidence: [seenEvent(event), seenAt(one.workload.object ?? one.pod.object, one.workload.ref, at), seenContainer(one.pod, container)],
    remedy: verdict.remedy,
  });
}

function containerOf({ pod, ailment }: Case, event: EventFacts): ContainerFacts | undefined {
  const named = /\{([^}]+)\}/.exec(event.fieldPath ?? '')?.[1];
  return (named && pod.containers.find((c) => c.name === named)) || ailment.container;
}

/** The kubelet's kill ends with 137, or 143, or 0 by a handler of SIGTERM; anything else is the application's own end. */
function endsByItself({ scene, pod, ailment }: Case, container: ContainerFacts): boolean {
  if (ailment.kind !== 'crashing') return false;
  const code = lastEnd(container)?.exitCode;
  const killed = eventsOfPod(scene, pod, true).some((e) => e.reason === 'Killing' && /probe/.test(e.message));
  return !killed && code !== undefined && ![0, 2, 137, 143].includes(code);
}

function judge(one: Case, container: ContainerFacts, spec: unknown, event: EventFacts, at: string, probe: 'liveness' | 'readiness'): Verdict | undefined {
  const { message } = event;
  const type = (['httpGet', 'tcpSocket', 'grpc', 'exec'] as const).find((t) => valueIn(spec, t) !== undefined);
  if (type === 'exec') return judgeExec(one, container, spec, message, at, probe);
  const declared = portsOf(container);
  const rawPort = type ? valueIn(spec, type, 'port') : undefined;
  const port = typeof rawPort === 'string' && !/^\d+$/.test(rawPort) ? declared.find((d) => d.name === rawPort)?.port : Number(rawPort);
  const listens = listeningPorts(one, container);
  const portAt = `${at}/${type ?? 'httpGet'}/port`;
  const wanted = listens[0] ?? (declared.length === 1 ? declared[0]?.port : declared.find((d) => d.port !== port)?.port);
  const fixPort: FieldChange | { none: string } = wanted === undefined ? { none: `set ${dotted(portAt)} to the port that the container listens on` } : { summary: `Set the port of the ${at.split('/').at(-1)} of ${container.name} to ${wanted}`, patch: [{ op: 'replace', path: portAt, value: wanted }] };
  const known = port !== undefined && (declared.some((d) => d.port === port) || listens.includes(port) || servesPort(one, port));
  if (port === undefined || /invalid port|couldn't find port|no such port|unable to find|strconv/i.test(message)) return { part: 'port', confidence: 0.95, why: `names a port that the container does not have (${printable(String(rawPort), 60)})`, remedy: fixPort };
  if (wrongProtocol.test(message) && !refused.test(message)) return wrongScheme(container, spec, type, at, message, known);
  const status = Number(statusOf.exec(message)?.[1]);
  if (status === 400 && /HTTPS|TLS/i.test(message)) return wrongScheme(container, spec, type, at, message, known);
  if (status === 503 && probe === 'liveness') return startsSlowly(one, container, spec, at);
  if (status > 0) return judgeStatus(status, container, spec, at, known, port, fixPort, declared.length > 0 || listens.length > 0);
  if (refused.test(message) || cannotFind.test(message) || /failed to connect service/.test(message)) return judgeRefused(one, container, spec, at, { known, port, fixPort, hasPorts: declared.length > 0 || listens.length > 0, probe, listensHere: listens.includes(port) });
  if (timedOut.test(message)) {
    if (!known && (declared.length > 0 || listens.length > 0)) return { part: 'port', confidence: 0.8, why: `asks port ${port}, on which nothing answers`, remedy: fixPort };
    return probe === 'liveness' ? timing(container, spec, at, 0.84, 'waits a shorter time than the container takes to answer') : undefined;
  }
  return undefined;
}

/** 503 is what servers say while they start: when the probe leaves little time and the log tells of no error, the time is the fault. */
function startsSlowly(one: Case, container: ContainerFacts, spec: unknown, at: string): Verdict | undefined {
  const grace = graceOf(spec);
  const failing = lastHit(one.scene, one.pod, container, [/\b(?:ERROR|FATAL|panic:|Traceback|Exception|refused|denied|cannot|failed)\b/i]);
  return failing || grace >= 60 ? undefined : timing(container, spec, at, 0.66, `kills the container after ${grace} s, while it still says that it starts (503)`);
}

/** Seconds from the start of a container until the probe kills it. */
function graceOf(spec: unknown): number {
  return (numberOf(valueIn(spec, 'initialDelaySeconds')) ?? 0) + (numberOf(valueIn(spec, 'periodSeconds')) ?? 10) * (numberOf(valueIn(spec, 'failureThreshold')) ?? 3);
}

function wrongScheme(container: ContainerFacts, spec: unknown, type: string | undefined, at: string, message: string, known: boolean): Verdict {
  const scheme = textOf(valueIn(spec, 'httpGet', 'scheme')) ?? 'HTTP';
  const change: FieldChange | { none: string } =
    /server gave HTTP response to HTTPS client|first record does not look like/i.test(message) && type === 'httpGet'
      ? { summary: `Probe ${container.name} by HTTP`, patch: [{ op: 'replace', path: `${at}/httpGet/scheme`, value: 'HTTP' }] }
      : /HTTP request to an HTTPS|\\x15\\x03/i.test(message) && type === 'httpGet'
        ? { summary: `Probe ${container.name} by HTTPS`, patch: [{ op: 'add', path: `${at}/httpGet/scheme`, value: 'HTTPS' }] }
        : { none: `the container speaks another protocol than the probe (${type === 'httpGet' ? scheme : (type ?? 'unknown')}): use grpc or tcpSocket where it does not speak HTTP` };
  const weak = /EOF$|connection reset/i.test(message);
  return { part: 'protocol', confidence: weak ? 0.72 : known ? 0.94 : 0.88, why: `speaks ${type === 'httpGet' ? scheme : (type ?? 'a protocol')} to a container that does not`, remedy: change };
}

function judgeStatus(status: number, container: ContainerFacts, spec: unknown, at: string, known: boolean, port: number, fixPort: Verdict['remedy'], hasPorts: boolean): Verdict | undefined {
  const path = textOf(valueIn(spec, 'httpGet', 'path')) ?? '/';
  const remedy = otherPath(container, at, path) ?? { none: `set ${dotted(`${at}/httpGet/path`)} to a path that the container serves` };
  if (status === 404 && !known && hasPorts) return { part: 'port', confidence: 0.7, why: `asks port ${port}, which is another server's (404 for ${printable(path, 80)})`, remedy: fixPort };
  if (status === 404 || status === 405 || status === 410) return { part: 'path', confidence: 0.94, why: `asks for ${printable(path, 120)}, which the container answers with ${status}`, remedy };
  if (status === 301 || status === 302 || status === 401 || status === 403 || status === 400) return { part: 'path', confidence: 0.7, why: `asks for ${printable(path, 120)}, which the container answers with ${status}`, remedy };
  // 5xx is the container's own word that it is not well.
  return undefined;
}

/** The path of another probe of the container, which passes. */
function otherPath(container: ContainerFacts, at: string, path: string): FieldChange | undefined {
  const field = at.split('/').at(-1);
  const other = ['livenessProbe', 'readinessProbe', 'startupProbe'].filter((name) => name !== field).map((name) => textOf(valueIn(container.spec, name, 'httpGet', 'path'))).find((p) => p !== undefined && p !== path);
  return other === undefined ? undefined : { summary: `Set the path of the ${field} of ${container.name} to ${other}`, patch: [{ op: 'replace', path: `${at}/httpGet/path`, value: other }], note: 'the path of its other probe' };
}

interface Refused {
  known: boolean;
  port: number;
  fixPort: Verdict['remedy'];
  hasPorts: boolean;
  probe: 'liveness' | 'readiness';
  listensHere: boolean;
}

function judgeRefused(one: Case, container: ContainerFacts, spec: unknown, at: string, { known, port, fixPort, hasPorts, probe, listensHere }: Refused): Verdict | undefined {
  if (!known && hasPorts) return { part: 'port', confidence: 0.94, why: `asks port ${port}, on which nothing listens`, remedy: fixPort };
  const others = ['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => container.spec[name]).filter((s) => s !== undefined && s !== spec).flatMap((s) => portOf(s) ?? []);
  if (!known || (others.length > 0 && !others.includes(port) && !listensHere)) return { part: 'port', confidence: hasPorts ? 0.75 : 0.8, why: `asks port ${port}, on which nothing listens`, remedy: fixPort };
  if (probe === 'readiness') return undefined;
  // The port is right and nobody listens yet: the container is killed before it has started.
  const grace = graceOf(spec);
  const failing = lastHit(one.scene, one.pod, container, [/\b(?:FATAL|panic:|Traceback|Exception in thread)\b/]);
  return failing ? undefined : timing(container, spec, at, grace < 60 ? 0.86 : 0.6, `kills the container after ${grace} s, before it listens on port ${port}`);
}

function timing(container: ContainerFacts, spec: unknown, at: string, confidence: number, why: string): Verdict {
  const seconds = numberOf(valueIn(spec, 'timeoutSeconds')) ?? 1;
  const slow = /shorter/.test(why);
  const [field, value] = slow ? ['timeoutSeconds', Math.max(5, seconds * 5)] : ['initialDelaySeconds', Math.max(60, 3 * (numberOf(valueIn(spec, 'initialDelaySeconds')) ?? 0))];
  const patch: FieldChange['patch'] = [{ op: 'add', path: `${at}/${field}`, value }];
  return { part: 'timing', confidence, why, remedy: { summary: `Set ${field} of the ${at.split('/').at(-1)} of ${container.name} to ${value}`, patch, note: 'how long it really takes is for you to measure; a startupProbe is the cleaner way for a slow start' } };
}

/** A command asks by itself: what it says is all there is. */
function judgeExec(one: Case, container: ContainerFacts, spec: unknown, message: string, at: string, probe: 'liveness' | 'readiness'): Verdict | undefined {
  const command = listOf(valueIn(spec, 'exec', 'command')).join(' ');
  const none = { none: `correct ${dotted(`${at}/exec/command`)}: ${printable(command, 120)}` };
  const asked = Number(/(?:--?(?:addr|port|p)[= ]?|:)(\d{2,5})\b/.exec(command)?.[1] ?? /-[pP] ?(\d{2,5})\b/.exec(command)?.[1]);
  const declared = portsOf(container);
  if (asked > 0 && declared.length > 0 && !declared.some((d) => d.port === asked) && !listeningPorts(one, container).includes(asked)) return { part: 'port', confidence: 0.92, why: `asks port ${asked}, on which nothing listens`, remedy: none };
  if (/executable file not found|no such file or directory|not found|can't open/i.test(message)) return { part: 'path', confidence: 0.86, why: `runs what the container does not have: ${printable(command, 80)}`, remedy: none };
  if (wrongProtocol.test(message)) return { part: 'protocol', confidence: 0.85, why: 'speaks a protocol that the container does not', remedy: none };
  if (timedOut.test(message) && probe === 'liveness') return timing(container, spec, at, 0.82, 'waits a shorter time than the command takes');
  return undefined;
}

function portOf(probe: unknown): number | undefined {
  return numberOf(valueIn(probe, 'httpGet', 'port')) ?? numberOf(valueIn(probe, 'tcpSocket', 'port')) ?? numberOf(valueIn(probe, 'grpc', 'port'));
}

function portsOf(container: ContainerFacts): { name?: string; port: number }[] {
  return listOf(container.spec['ports']).flatMap((p) => {
    const port = numberOf(valueIn(p, 'containerPort'));
    const name = textOf(valueIn(p, 'name'));
    return port === undefined ? [] : [{ port, ...(name ? { name } : {}) }];
  });
}

const listening = /(?:listen(?:ing|s)?|started|serving|running|bound|server)\b.{0,60}?(?:port[:= (s)]*|:|\bon )(\d{2,5})\b/i;

/** The ports that its log says it listens on, and that its variables name as its own. */
export function listeningPorts({ scene, pod }: Pick<Case, 'scene' | 'pod'>, container: ContainerFacts): number[] {
  const found = new Set<number>();
  for (const log of scene.facts.logs.of(pod.namespace, pod.name, container.name)) {
    for (const line of log.lines) {
      const port = Number(listening.exec(line)?.[1]);
      if (port >= 80 && port < 65_536) found.add(port);
    }
  }
  for (const entry of listOf(container.spec['env'])) {
    const value = valueIn(entry, 'value');
    if (/^(?:SERVER_|HTTP_|LISTEN_|APP_|GRPC_)?PORT$/.test(textOf(valueIn(entry, 'name')) ?? '') && typeof value === 'string' && /^\d{2,5}$/.test(value)) found.add(Number(value));
  }
  return [...found];
}

/** A Service sends there, so somebody thinks that it listens there. */
function servesPort({ scene, workload, pod }: Case, port: number): boolean {
  const services = scene.servicesOfWorkload.get(workload.key) ?? [];
  return services.some((s) => s.ports.some((p) => p.targetPort === port)) && portsOf(pod.containers.find((c) => !c.init) as ContainerFacts).length === 0;
}
