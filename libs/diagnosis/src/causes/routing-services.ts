import { listOf, printable, textOf, valueIn } from '@larry/contracts';
import type { Workload } from '../facts/model';
import { keyOf } from '../facts/object-index';
import { declaredPorts, type DeclaredPort, type ServiceFacts, type ServicePort } from '../facts/services';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import { listeningPorts } from './running-probes';
import { seen } from './evidence';

/** Services that lead nowhere because of their own fields. */
export function serviceCauses(scene: Scene): Candidate[] {
  return scene.services.flatMap((service) => {
    if (service.externalName !== undefined || !service.selector) return [];
    const selector = selectorCause(scene, service);
    return selector ? [selector] : [...portCauses(scene, service), ...protocolCauses(scene, service)];
  });
}

/** Whether a probe says that a Service answers at a port, and what it said. */
function probed(scene: Scene, service: ServiceFacts, port?: ServicePort): { connected: boolean; failed: boolean } {
  const results = scene.facts.probes?.connectivity.filter((c) => c.namespace === service.namespace && c.service === service.name && (port === undefined || Number(c.port) === port.port || c.port === port.name)) ?? [];
  return { connected: results.some((r) => r.connected), failed: results.length > 0 && results.every((r) => !r.connected) };
}

function selectorCause(scene: Scene, service: ServiceFacts): Candidate | undefined {
  const { facts } = scene;
  if (service.workloads.length > 0 || service.pods.length > 0 || (facts.runtime && !facts.objects.knows('Pod'))) return undefined;
  const meant = meantBy(scene, service);
  if (!meant || probed(scene, service).connected) return undefined;
  const { workload, wrong } = meant;
  const patch: FieldChange['patch'] = wrong.map((label) => (workload.labels[label] === undefined ? { op: 'remove', path: `/spec/selector/${label.replaceAll('~', '~0').replaceAll('/', '~1')}` } : { op: 'replace', path: `/spec/selector/${label.replaceAll('~', '~0').replaceAll('/', '~1')}`, value: workload.labels[label] }));
  return {
    cause: 'service_selector_mismatch',
    object: service.ref,
    confidence: meant.sure ? 0.95 : 0.8,
    title: `Service ${service.name} selects no pod: ${workload.ref.kind} ${workload.name} has other labels`,
    evidence: [seen(service.ref, '.spec.selector', JSON.stringify(service.selector)), seen(workload.ref, '.spec.template.metadata.labels', JSON.stringify(workload.labels)), seen(service.ref, 'endpoints', 'no pod has these labels')],
    explains: [service.key],
    remedy: { summary: `Select the pods of ${workload.name}`, patch },
  };
}

/** The workload that a Service without pods is meant for: one of its name, or one with some of its labels. */
function meantBy(scene: Scene, service: ServiceFacts): { workload: Workload; wrong: string[]; sure: boolean } | undefined {
  const entries = Object.entries(service.selector ?? {});
  const near = scene.facts.workloads
    .filter((w) => w.namespace === service.namespace && !['Job', 'CronJob'].includes(w.ref.kind))
    .map((workload) => {
      const wrong = entries.filter(([label, value]) => workload.labels[label] !== value).map(([label]) => label);
      const named = workload.name === service.name || service.name.startsWith(`${workload.name}-`) || workload.name.startsWith(`${service.name}-`) || Object.values(workload.labels).includes(service.name);
      const taken = (scene.servicesOfWorkload.get(workload.key) ?? []).some((s) => s.readyPods.length > 0);
      return { workload, wrong, named, exact: workload.name === service.name, shares: entries.length - wrong.length, taken };
    })
    .filter((w) => w.named || (w.shares > 0 && !w.taken));
  const [best] = near.sort((a, b) => Number(b.exact) - Number(a.exact) || Number(b.named) - Number(a.named) || Number(a.taken) - Number(b.taken) || b.shares - a.shares);
  // A Service for a canary, a colour or a replica whose workload another Service serves is not at fault by having no pods, unless somebody needs it.
  return best && ((best.named && (best.exact || !best.taken)) || isNeeded(scene, service)) ? { workload: best.workload, wrong: best.wrong, sure: best.exact || best.shares > 0 } : undefined;
}

function isNeeded(scene: Scene, service: ServiceFacts): boolean {
  return scene.calls.some((c) => c.service === service) || scene.routes.some((r) => keyOf({ kind: 'Service', ...r.service }) === service.key);
}

function portCauses(scene: Scene, service: ServiceFacts): Candidate[] {
  const backends = podSpecsOf(service);
  if (backends.length === 0) return [];
  return service.ports.flatMap((port) => {
    const declared = backends.flatMap((b) => declaredPorts(b.podSpec));
    const verdict = portVerdict(scene, service, port, declared, backends);
    if (verdict === undefined) return [];
    const right = rightPort(service, port, declared);
    const at = `/spec/ports/${port.index}/targetPort`;
    return [
      {
        cause: 'service_port_mapping_mismatch' as const,
        object: service.ref,
        confidence: verdict,
        title: `Service ${service.name} sends port ${port.port} to ${typeof port.targetPort === 'string' ? `a port named ${printable(port.targetPort, 60)}` : `port ${port.targetPort}`}, on which its pods do not listen`,
        evidence: [seen(service.ref, `.spec.ports[${port.index}]`, JSON.stringify(listOf(valueIn(service.object, 'spec', 'ports'))[port.index])), ...backends.slice(0, 2).map((b) => seen(b.ref, 'containers[].ports', declaredText(declaredPorts(b.podSpec)))), ...probeEvidence(scene, service, port)],
        alternatives: [{ cause: 'service_selector_mismatch' as const, why: `it selects ${service.pods.length} pods, ${service.readyPods.length} of them ready` }],
        explains: [service.key],
        remedy: right === undefined ? { none: 'name the port that the container listens on as targetPort' } : { summary: `Send port ${port.port} of Service ${service.name} to ${right}`, patch: [{ op: 'replace', path: at, value: right }] },
      },
    ];
  });
}

function podSpecsOf(service: ServiceFacts): Workload[] {
  return service.workloads.filter((w) => w.desired > 0 || w.pods.length > 0 || w.ref.kind === 'Deployment');
}

const declaredText = (ports: DeclaredPort[]): string => ports.map((p) => `${p.name ? `${p.name}=` : ''}${p.port}/${p.protocol}`).join(', ') || 'none declared';

function probeEvidence(scene: Scene, service: ServiceFacts, port: ServicePort) {
  const result = scene.facts.probes?.connectivity.find((c) => c.namespace === service.namespace && c.service === service.name && Number(c.port) === port.port);
  return result ? [seen(service.ref, 'probes:connectivity', JSON.stringify(result))] : [];
}

/** A name must be there. A number need not be declared: only what else is known makes it wrong. */
function portVerdict(scene: Scene, service: ServiceFacts, port: ServicePort, declared: DeclaredPort[], backends: Workload[]): number | undefined {
  const { connected, failed } = probed(scene, service, port);
  if (connected) return undefined;
  if (typeof port.targetPort === 'string' && !/^\d+$/.test(port.targetPort)) return declared.some((d) => d.name === port.targetPort) ? undefined : 0.96;
  const target = Number(port.targetPort);
  // A headless name leads to the pods themselves, whatever its targetPort.
  if (service.clusterIp === 'None' || declared.some((d) => d.port === target)) return undefined;
  if (backends.some((b) => mentions(b.podSpec, target)) || listens(scene, service, target)) return undefined;
  const complained = scene.calls.some((c) => c.service === service && c.workload.state === 'not-running');
  // What times out may be kept away; what is refused has no listener.
  if (failed && service.readyPods.length > 0 && (declared.length > 0 || !timedOut(scene, service))) return 0.95;
  if (declared.length === 0) {
    const others = openPorts(scene, service);
    return others.length > 0 && !others.includes(target) && complained ? 0.8 : undefined;
  }
  // Somebody else of the Service's ports is right: then the odd one may be a port that nobody declared.
  const alone = service.ports.every((p) => !declared.some((d) => d.port === p.targetPort || d.name === p.targetPort));
  return complained ? 0.9 : alone ? 0.78 : undefined;
}

function timedOut(scene: Scene, service: ServiceFacts): boolean {
  return scene.facts.probes?.connectivity.some((c) => c.namespace === service.namespace && c.service === service.name && c.timedOut === true) === true;
}

function rightPort(service: ServiceFacts, port: ServicePort, declared: DeclaredPort[]): number | string | undefined {
  const usual = declared.filter((d) => d.protocol === port.protocol);
  const named = usual.find((d) => d.name !== undefined && d.name === port.name) ?? usual.find((d) => d.port === port.port);
  const free = usual.filter((d) => !service.ports.some((p) => p !== port && (p.targetPort === d.port || p.targetPort === d.name)));
  return named?.port ?? (free.length === 1 || usual.length === 1 ? (free[0] ?? usual[0])?.port : undefined);
}

/** A variable, an argument or a probe that names the port: the container listens there, declared or not. */
function mentions(podSpec: unknown, port: number): boolean {
  const word = new RegExp(String.raw`(?<![\d.])${port}(?![\d.])`);
  return listOf(valueIn(podSpec, 'containers')).some((c) => {
    const env = listOf(valueIn(c, 'env')).filter((e) => /PORT|LISTEN|BIND|ADDR$/i.test(textOf(valueIn(e, 'name')) ?? '') && !/(?:HOST|SERVICE|URL|DB|DATABASE|REDIS|MYSQL|POSTGRES)/i.test(textOf(valueIn(e, 'name')) ?? ''));
    const texts = [...env.map((e) => valueIn(e, 'value')), ...listOf(valueIn(c, 'args')), ...listOf(valueIn(c, 'command'))];
    const probes = ['readinessProbe', 'livenessProbe', 'startupProbe'].map((p) => JSON.stringify(valueIn(c, p) ?? ''));
    return [...texts, ...probes].some((t) => typeof t === 'string' && word.test(t));
  });
}

function listens(scene: Scene, service: ServiceFacts, port: number): boolean {
  return openPorts(scene, service).includes(port);
}

function openPorts(scene: Scene, service: ServiceFacts): number[] {
  return service.pods.slice(0, 2).flatMap((pod) => pod.containers.flatMap((container) => listeningPorts({ scene, pod }, container)));
}

/** Istio's and the Gateway's names for what a port speaks, where the container's own name says something else. */
const speaks = /^(http2|https|http|grpc-web|grpc|mongo|mysql|redis)(?:-|$)/;

function protocolCauses(scene: Scene, service: ServiceFacts): Candidate[] {
  const declared = podSpecsOf(service).flatMap((b) => declaredPorts(b.podSpec));
  return service.ports.flatMap((port) => {
    const target = declared.filter((d) => d.port === port.targetPort || d.name === port.targetPort);
    if (target.length === 0) return [];
    const transport = target.some((d) => d.protocol === port.protocol) ? undefined : target[0];
    const spoken = transport ? undefined : applicationMismatch(scene, service, port, target);
    if (!transport && !spoken) return [];
    const at = `.spec.ports[${port.index}].${transport ? 'protocol' : port.appProtocol ? 'appProtocol' : 'name'}`;
    return [
      {
        cause: 'service_protocol_mismatch' as const,
        object: service.ref,
        confidence: transport ? 0.94 : 0.8,
        title: transport ? `Service ${service.name} sends ${port.protocol} to port ${String(port.targetPort)}, which its pods offer for ${transport.protocol}` : `Service ${service.name} declares port ${port.port} as ${spoken?.says ?? ''}, and its pods speak ${spoken?.is ?? ''}`,
        evidence: [seen(service.ref, at, transport ? port.protocol : (spoken?.says ?? '')), seen(podSpecsOf(service)[0]?.ref ?? service.ref, 'containers[].ports', declaredText(target)), ...probeEvidence(scene, service, port)],
        explains: [service.key],
        remedy: transport
          ? { summary: `Send ${transport.protocol} instead of ${port.protocol}`, patch: [{ op: 'replace', path: `/spec/ports/${port.index}/protocol`, value: transport.protocol }] }
          : { none: `declare what the pods speak in ${at}` },
      },
    ];
  });
}

function applicationMismatch(scene: Scene, service: ServiceFacts, port: ServicePort, target: DeclaredPort[]): { says: string; is: string } | undefined {
  const says = speaks.exec((port.appProtocol ?? port.name ?? '').toLowerCase().replace(/^kubernetes\.io\/h2c$/, 'http2'))?.[1] ?? '';
  const is = speaks.exec(target[0]?.name ?? '')?.[1] ?? '';
  const family = (name: string): string => (name === 'grpc' || name === 'http2' ? 'http2' : name === 'grpc-web' ? 'http' : name);
  const meshed = service.pods.some((p) => p.containers.some((c) => c.name === 'istio-proxy')) || scene.facts.objects.get('Namespace', undefined, service.namespace)?.metadata.labels?.['istio-injection'] === 'enabled';
  return says && is && family(says) !== family(is) && (meshed || port.appProtocol !== undefined || probed(scene, service, port).failed) ? { says, is } : undefined;
}
