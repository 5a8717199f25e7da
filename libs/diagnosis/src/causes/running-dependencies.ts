import { printable, valueIn } from '@larry/contracts';
import type { Workload } from '../facts/model';
import { keyOf } from '../facts/object-index';
import { serviceNameOf } from '../facts/addresses';
import type { ServiceFacts } from '../facts/services';
import { conditionsOf, lastEnd, type PodFacts } from '../facts/pod-facts';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { alikeIn, casesOf, ofWorkload } from './cause';
import { lastErrorLine } from './log-level';
import { saidNow, type SaidLine } from './log-lines';
import { networkFailureIn, type NetworkFailure } from './network-failure';
import { seen, seenContainer, seenEvent, seenLine } from './evidence';
import { eventsOfPod } from './cause';

/** A workload that says now that something cannot be reached. */
export interface Complaint {
  workload: Workload;
  said: SaidLine;
  failure: NetworkFailure;
  /** The Service that it means, where there is one. */
  service?: ServiceFacts;
  /** The name of a Service that should be there, where the host means one. */
  target?: { name: string; namespace: string };
}

const anyFailure = /refused|timed? ?out|timeout|deadline|no such host|ENOTFOUND|EAI_AGAIN|UnknownHost|resolve|resolution|host not found|not known|translate host|unreachable|No route|no route|reset by peer|ECONN|EHOST|ENET|link failure|upstream|Can't connect|can't connect|could not connect|Unavailable|bad address|gaierror|NXDOMAIN/i;

/** What every workload complains about: of its complaints the last. */
export function complaintsOf(scene: Scene): Complaint[] {
  return scene.facts.workloads.flatMap((workload) => {
    let failure: NetworkFailure | undefined;
    const said = saidNow(scene, workload, [anyFailure], (_, line) => {
      const found = networkFailureIn(line);
      if (found === undefined || isSelf(found) || (workload.unwell.length === 0 && telemetry.test(line))) return false;
      failure = found;
      return true;
    });
    return said && failure ? [{ workload, said, failure, ...targetOf(scene, workload, failure) }] : [];
  });
}

/** Who runs well goes on without these. */
const telemetry = /otel|opentelemetry|telemetry|trac(?:e|es|ing)\b|jaeger|zipkin|exporter|statsd|sentry|analytics|metrics/i;

const isSelf = ({ host }: NetworkFailure): boolean => host !== undefined && /^(?:localhost|127\.|0\.0\.0\.0|::1)/.test(host);

function targetOf(scene: Scene, workload: Workload, failure: NetworkFailure): { service?: ServiceFacts; target?: Complaint['target'] } {
  const { host, port } = failure;
  const calls = scene.callsOf.get(workload.key) ?? [];
  if (host !== undefined && /^[\d.]+$/.test(host)) {
    const service = scene.services.find((s) => s.clusterIp === host || s.pods.some((p) => podIp(p.object) === host));
    if (service) return { service, target: { name: service.name, namespace: service.namespace } };
  } else if (host !== undefined) {
    const target = serviceNameOf(host, workload.namespace, scene.facts);
    const service = target && scene.serviceAt.get(keyOf({ kind: 'Service', ...target }));
    if (target && (service || calls.some((c) => c.target.name === target.name) || !host.includes('.') || host.includes('.svc'))) return { target: { name: target.name, namespace: target.namespace }, ...(service ? { service } : {}) };
    if (host.includes('.')) return {};
  }
  // Without a name: the call to that port, or the only call there is.
  const call = calls.find((c) => port !== undefined && c.address.port === port) ?? (port === undefined && calls.length === 1 ? calls[0] : undefined);
  return call ? { target: call.target, ...(call.service ? { service: call.service } : {}) } : {};
}

function podIp(object: { [field: string]: unknown }): unknown {
  return (object['status'] as { podIP?: unknown } | undefined)?.podIP;
}

/** What a workload waits for and does not get, where no closer cause is named by the address itself. */
export function dependencyCauses(scene: Scene, complaints: Complaint[]): Candidate[] {
  return complaints.flatMap((complaint) => {
    const { workload, said, failure, service, target } = complaint;
    const ill = workload.unwell.length > 0;
    const internal = service ?? target;
    // A workload that runs and complains is a fault of its own only when what it misses is known.
    if (!ill && !internal && failure.host === undefined) return [];
    const place = failure.host === undefined ? 'something' : printable(`${failure.host}${failure.port === undefined ? '' : `:${failure.port}`}`, 120);
    const key = service?.key ?? (target && keyOf({ kind: 'Service', ...target }));
    return [
      {
        cause: 'dependency_unavailable' as const,
        object: workload.ref,
        confidence: internal ? (ill ? 0.62 : 0.45) : ill ? 0.8 : 0.6,
        title: `${workload.name} does not reach ${service ? `Service ${service.name}` : place}`,
        evidence: [seenLine(said.pod, said.log, said.line), ...(service ? [seen(service.ref, 'endpoints', `${service.readyPods.length} of ${service.pods.length} backends ready`)] : [])],
        explains: ill ? workload.unwell.map(({ pod }) => pod.key) : [workload.key],
        ...(key ? { blames: [key] } : {}),
        secondary: true,
        remedy: { none: `find out why ${service ? `Service ${service.name}` : place} does not answer` },
      },
    ];
  });
}

/**
 * Reasons in a pod's own status: the kubelet, the node's controller or a deadline ended it, not its program (kubernetes, `pkg/kubelet`:
 * lifecycle/predicate.go, nodeshutdown, preemption, active_deadline.go; `pkg/util/node`).
 */
const endedFromOutside = /^(?:Terminated|Shutdown|NodeShutdown|NodeLost|Preempting|UnexpectedAdmissionError|OutOf\w+|NodeAffinity|Evicted|DeadlineExceeded)$/;

/** A pod's phase with the words that stand beside it, the scheduler's too. */
function phaseOf(pod: PodFacts) {
  const scheduled = pod.conditions.get('PodScheduled');
  const phase = seen(pod.ref, '.status.phase', [pod.phase, pod.reason, pod.message].filter(Boolean).join(' '));
  return scheduled?.status === 'False' && scheduled.message ? [phase, seen(pod.ref, '.status.conditions[PodScheduled].message', scheduled.message)] : [phase];
}

/** A container that ends or is not ready by itself, and nothing closer says why; without any word of it the cause is unknown. */
export function applicationCauses(scene: Scene): Candidate[] {
  const crashes = casesOf(scene, 'crashing', 'failed', 'unready', 'waiting', 'unscheduled', 'terminating').map((one): Candidate => {
    const { container } = one.ailment;
    const log = container && scene.facts.logs.of(one.pod.namespace, one.pod.name, container.name)[0];
    const line = (log && lastErrorLine(log)) ?? (one.ailment.kind === 'crashing' ? log?.lines.findLast((l) => l.trim() !== '') : undefined);
    const end = container && lastEnd(container);
    const warnings = eventsOfPod(scene, one.pod).filter((e) => e.type === 'Warning');
    // The kubelet's sum of what it waits for says less than the volume's own event.
    const event = warnings.find((e) => !/^Unable to attach or mount volumes/.test(e.message)) ?? warnings[0];
    const outside = one.pod.reason !== undefined && endedFromOutside.test(one.pod.reason);
    const evidence = [...(container && !outside ? [] : phaseOf(one.pod)), ...(container ? [seenContainer(one.pod, container)] : []), ...(log && line ? [seenLine(one.pod, log, line)] : []), ...(event ? [seenEvent(event)] : [])];
    const own = !outside && (one.ailment.kind === 'crashing' || one.ailment.kind === 'failed') && end?.exitCode !== undefined && (end.exitCode !== 137 || line !== undefined);
    const failing = one.ailment.kind === 'unready' && (event !== undefined && /statuscode: 5\d\d|NOT_SERVING/.test(event.message) || (line !== undefined && log?.run === 'current'));
    if (own || failing) {
      return ofWorkload(one, 'application_error', own && line && end?.exitCode !== 0 ? 0.6 : 0.45, own ? `${container?.name ?? 'a container'} of ${one.workload.name} ends by itself with exit code ${end?.exitCode ?? 'unknown'}` : `${one.workload.name} runs and says itself that it is not well`, { evidence, secondary: true, remedy: { none: 'the application itself fails: its log says why' } });
    }
    const why = outside ? `its pod's status says ${printable(`${one.pod.reason ?? ''}: ${one.pod.message ?? 'no more'}`, 200)}` : 'nothing that can be seen says why';
    return { ...ofWorkload(one, 'unknown', 0.2, `${one.workload.name} does not run, and ${why}`, { evidence, secondary: true, remedy: { none: 'cause not known to this version: read the evidence' } }), explains: alikeIn(one) };
  });
  const empty = scene.facts.workloads.filter((w) => (w.lacksPods || w.state === 'not-running') && w.unwell.length === 0).map((workload): Candidate => ({
    cause: 'unknown',
    object: workload.ref,
    confidence: 0.2,
    title: `${workload.name} has ${workload.pods.length} of ${workload.desired} pods, and nothing that can be seen says why`,
    evidence: [seen(workload.ref, '.status', `${workload.ready} of ${workload.desired} ready`), ...troubleOf(workload)],
    explains: [workload.key],
    secondary: true,
    remedy: { none: 'cause not known to this version: read the events of the workload' },
  }));
  return [...crashes, ...empty];
}

/** `ReplicaFailure` says that pods cannot be created, `Progressing=False` that a rollout is stuck. */
function troubleOf({ ref, object }: Workload) {
  const conditions = [...conditionsOf(valueIn(object, 'status', 'conditions'))].filter(([type, c]) => (type === 'ReplicaFailure' && c.status === 'True') || (type === 'Progressing' && c.status === 'False'));
  return conditions.map(([type, c]) => seen(ref, `.status.conditions[${type}]`, [c.reason, c.message].filter(Boolean).join(': ')));
}
