import { listOf, numberOf, printable, textOf, valueIn } from '@larry/contracts';
import { keyOf } from '../facts/object-index';
import type { Workload } from '../facts/model';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { minuteMs } from '../facts/times';
import { casesOf, lastHit, ofWorkload } from './cause';
import type { Complaint } from './running-dependencies';
import { seen, seenContainer, seenEvent, seenLine } from './evidence';

/** Ports that Istio's and Linkerd's sidecars take in every pod (Istio, *Application Requirements*; Linkerd, *Proxy ports*). */
const sidecarPorts: Record<string, readonly number[]> = {
  'istio-proxy': [15000, 15001, 15002, 15004, 15006, 15008, 15020, 15021, 15053, 15090],
  'linkerd-proxy': [4140, 4143, 4190, 4191],
};
const inUse = /address already in use|EADDRINUSE|Address already in use|port (\d+) (?:is )?already in use|Port already in use|Only one usage of each socket address|bind\(\) to .* failed \(98/i;

/** Two containers of one pod want the same port. */
export function portConflictCauses(scene: Scene): Candidate[] {
  return casesOf(scene, 'crashing', 'failed', 'unready').flatMap((one) => {
    const hit = lastHit(scene, one.pod, undefined, [inUse]);
    if (!hit) return [];
    const port = Number(hit.match[1] ?? /[:\s](\d{2,5})(?:[\s,)\]:"']|$)/.exec(hit.line.replace(/^\S*\d\d:\d\d:\d\d\S*/, ''))?.[1]);
    const others = one.pod.containers.filter((c) => c.name !== hit.log.container && (!c.init || c.sidecar));
    const declares = others.find((c) => listOf(c.spec['ports']).some((p) => valueIn(p, 'containerPort') === port));
    const mesh = others.find((c) => sidecarPorts[c.name]?.includes(port));
    const owner = declares ?? mesh;
    const container = one.pod.containers.find((c) => c.name === hit.log.container);
    return [
      ofWorkload(one, 'service_sidecar_port_conflict', owner ? 0.96 : others.length > 0 ? 0.85 : 0.7, `container ${hit.log.container} of ${one.workload.name} wants port ${Number.isNaN(port) ? '' : port}, which ${owner ? `container ${owner.name}` : 'another process of the pod'} has`, {
        evidence: [seenLine(one.pod, hit.log, hit.line), ...(container ? [seenContainer(one.pod, container)] : []), ...(owner ? [seen(one.workload.ref, `containers[${owner.name}].ports`, declares ? JSON.stringify(owner.spec['ports']) : `${owner.name} listens on ${port} in every pod`)] : [])],
        remedy: { none: 'let one of the two listen on another port, and change probes and Services with it' },
      }),
    ];
  });
}

/** A Deployment that is told to have no pods although somebody needs it. On purpose it is often so: nobody needs it then. */
export function zeroReplicaCauses(scene: Scene, complaints: Complaint[]): Candidate[] {
  return scene.facts.workloads.flatMap((workload) => {
    const { object } = workload;
    if (!object || !['Deployment', 'StatefulSet', 'ReplicaSet'].includes(workload.ref.kind) || numberOf(valueIn(object, 'spec', 'replicas')) !== 0) return [];
    if (scalesItself(scene, workload)) return [];
    const services = (scene.servicesOfWorkload.get(workload.key) ?? []).filter((s) => s.readyPods.length === 0);
    const heard = complaints.filter((c) => services.some((s) => s === c.service)).map((c) => ({ ref: c.workload.ref, at: `log:${c.said.log.container}`, text: c.said.line.slice(0, 300), ill: true }));
    const needs = [...heard, ...services.flatMap((service) => needsOf(scene, service.key, service.type, workload))];
    const scaled = scaledDown(scene, workload);
    const probe = services.some((s) => scene.facts.probes?.connectivity.some((c) => c.namespace === s.namespace && c.service === s.name && !c.connected));
    if (services.length === 0 || (needs.length === 0 && !scaled && !probe)) return [];
    return [
      {
        cause: 'deployment_zero_replicas' as const,
        object: workload.ref,
        confidence: needs.some((n) => n.ill) || probe ? 0.96 : needs.length > 0 ? 0.88 : 0.7,
        title: `${workload.ref.kind} ${workload.name} is told to have no pods`,
        evidence: [seen(workload.ref, '.spec.replicas', '0'), ...services.slice(0, 2).map((s) => seen(s.ref, 'endpoints', 'no backend')), ...needs.slice(0, 2).map((n) => seen(n.ref, n.at, n.text)), ...(scaled ? [seenEvent(scaled)] : [])],
        explains: [workload.key, ...services.map((s) => s.key)],
        remedy: { summary: `Scale ${workload.name} to 1`, patch: [{ op: 'replace' as const, path: '/spec/replicas', value: 1 }], note: 'how many it should be is for you to say' },
      },
    ];
  });
}

function scalesItself(scene: Scene, workload: Workload): boolean {
  const { objects } = scene.facts;
  const targets = [...objects.list('HorizontalPodAutoscaler', workload.namespace), ...objects.list('ScaledObject', workload.namespace)];
  const annotations = Object.keys(workload.object?.metadata.annotations ?? {}).join(' ');
  if (/autoscaling\.knative|keda\.sh|downscaler|sleep-?mode|kube-green|scale-to-zero/i.test(annotations)) return true;
  return targets.some((t) => t.kind === 'ScaledObject' && textOf(valueIn(t, 'spec', 'scaleTargetRef', 'name')) === workload.name);
}

function needsOf(scene: Scene, service: string, type: string, workload: Workload): { ref: Candidate['object']; at: string; text: string; ill: boolean }[] {
  const callers = scene.calls.filter((c) => c.service?.key === service && c.workload.key !== workload.key && c.workload.desired > 0).map((c) => ({ ref: c.workload.ref, at: c.address.from, text: printable(`${c.address.from}=${c.address.text}`, 200), ill: c.workload.state === 'not-running' }));
  const routes = scene.routes.filter((r) => keyOf({ kind: 'Service', ...r.service }) === service && !r.fromText).map((r) => ({ ref: r.object, at: r.at, text: r.text, ill: false }));
  const open = type === 'LoadBalancer' || type === 'NodePort' ? [{ ref: workload.ref, at: '.spec.type', text: `its Service is open to the world (${type})`, ill: false }] : [];
  return [...callers, ...routes, ...open];
}

/** Somebody scaled it down not long ago. */
function scaledDown(scene: Scene, workload: Workload) {
  const { facts } = scene;
  return facts.events.of(workload.key).find((e) => e.reason === 'ScalingReplicaSet' && /Scaled down .* to 0(?: from|$|\b)/.test(e.message) && (e.lastMs ?? 0) > facts.atMs - 60 * minuteMs && !/from 0/.test(e.message));
}
