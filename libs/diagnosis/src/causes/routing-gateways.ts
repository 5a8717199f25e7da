import { printable } from '@larry/contracts';
import { keyOf } from '../facts/object-index';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import type { Route } from '../graph/routes';
import { nearName } from './startup-config';
import { dotted, seen } from './evidence';

/** Routes that send requests to a Service that is not there, at a port that it does not have, or to another than the path is named for. */
export function gatewayCauses(scene: Scene): Candidate[] {
  return scene.routes.flatMap((route) => missingBackend(scene, route) ?? wrongPort(scene, route) ?? strayPath(scene, route) ?? []);
}

function missingBackend(scene: Scene, route: Route): Candidate | undefined {
  const { namespace, name } = route.service;
  if (!scene.facts.objects.isMissing('Service', namespace, name)) return undefined;
  const names = scene.facts.objects.list('Service', namespace).map((s) => s.metadata.name);
  const near = nearName(names, name, true) ?? byPath(route, names);
  // Text of a configuration may name what is no Service; a gateway's own object may not.
  if (route.fromText && near === undefined) return undefined;
  // A tree of manifests need not hold what somebody else applies.
  if (!scene.facts.runtime && near === undefined) return undefined;
  return made(route, route.fromText ? 0.85 : 0.94, `sends ${printable(route.path ?? 'requests', 100)} to Service ${name}, which does not exist`, [seen({ apiVersion: 'v1', kind: 'Service', namespace, name }, '.', 'there is no such object')], near === undefined || route.fromText ? undefined : { summary: `Send it to ${near}`, patch: [{ op: 'replace', path: route.at, value: near }], note: 'the nearest name that exists: check that it is the one meant' });
}

function wrongPort(scene: Scene, route: Route): Candidate | undefined {
  const service = scene.serviceAt.get(keyOf({ kind: 'Service', ...route.service }));
  if (!service || route.port === undefined || service.externalName || service.ports.length === 0) return undefined;
  if (service.ports.some((p) => p.port === Number(route.port) || p.name === route.port) || (route.fromText && service.clusterIp === 'None')) return undefined;
  const right = service.ports.length === 1 ? service.ports[0]?.port : undefined;
  const at = portPointer(route);
  return made(route, route.fromText ? 0.84 : 0.93, `sends ${printable(route.path ?? 'requests', 100)} to port ${String(route.port)} of Service ${service.name}, which has ${service.ports.map((p) => p.port).join(', ')}`, [seen(service.ref, '.spec.ports', service.ports.map((p) => `${p.name ?? ''} ${p.port}`.trim()).join(', '))], right !== undefined && at ? { summary: `Send it to port ${right}`, patch: [{ op: 'replace', path: at.path, value: at.wrap(right) }] } : undefined);
}

function portPointer(route: Route): { path: string; wrap: (port: number) => unknown } | undefined {
  if (route.object.kind === 'Ingress') return { path: route.at.replace(/\/name$/, '/port'), wrap: (number) => ({ number }) };
  if (/Route$/.test(route.object.kind) && !route.fromText) return { path: route.at.replace(/\/name$/, '/port'), wrap: (number) => number };
  return route.object.kind === 'VirtualService' ? { path: route.at.replace(/\/host$/, '/port/number'), wrap: (number) => number } : undefined;
}

/**
 * A path that is named for one Service and leads to another, in a table whose other paths lead where they are named for:
 * `/cart` to `orders` beside `/orders` to `orders`.
 */
function strayPath(scene: Scene, route: Route): Candidate | undefined {
  const names = scene.facts.objects.list('Service', route.service.namespace).map((s) => s.metadata.name);
  const meant = byPath(route, names);
  if (meant === undefined || meant === route.service.name || related(meant, route.service.name)) return undefined;
  const table = scene.routes.filter((r) => r.key === route.key && r !== route);
  const straight = table.filter((r) => byPath(r, names) === r.service.name);
  if (straight.length === 0) return undefined;
  return made(route, straight.length >= 2 ? 0.86 : 0.74, `sends ${printable(route.path ?? '', 100)} to Service ${route.service.name}, and Service ${meant} has that name`, straight.slice(0, 2).map((r) => seen(r.object, dotted(r.at), r.text)), route.fromText ? undefined : { summary: `Send it to ${meant}`, patch: [{ op: 'replace', path: route.at, value: meant }] });
}

const affixes = /^(?:ts|svc|app|api)-|-(?:service|svc|api|server|app|backend)$|service$/g;
const stem = (name: string): string => name.toLowerCase().replace(affixes, '').replace(affixes, '').replace(/[^a-z0-9]/g, '').replace(/s$/, '');
const related = (a: string, b: string): boolean => stem(a) === stem(b) || a.startsWith(`${b}-`) || b.startsWith(`${a}-`);

/** The one Service whose name a segment of the path is. */
function byPath(route: Route, names: string[]): string | undefined {
  const segments = (route.path ?? '').split('/').filter((s) => s !== '' && !/^(?:api|v\d+|\*+|\{.*\})$/i.test(s)).map(stem).filter((s) => s.length > 2);
  for (const segment of segments) {
    const found = names.filter((name) => stem(name) === segment);
    if (found.length === 1) return found[0];
    if (found.length > 1) return found.includes(route.service.name) ? route.service.name : undefined;
  }
  return undefined;
}

function made(route: Route, confidence: number, what: string, evidence: Candidate['evidence'], change?: FieldChange): Candidate {
  return {
    cause: 'gateway_misroute',
    object: route.object,
    confidence,
    title: `${route.object.kind} ${route.object.name} ${what}`,
    evidence: [seen(route.object, dotted(route.at), route.text), ...evidence],
    explains: [route.key],
    remedy: change ?? { none: `correct ${dotted(route.at)} of ${route.object.kind} ${route.object.name}` },
  };
}

