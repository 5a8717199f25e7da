import type { Cluster } from './cluster';
import { crashLoop, unready } from './trouble';
import type { Workload, WorkloadSpec } from './workload';

/** Fourteen workloads that call each other, as a shop made of microservices does: who calls whom, and on which port. */
const calls: Record<string, string[]> = {
  frontend: ['catalog', 'cart', 'currency', 'recommend', 'shipping', 'checkout', 'ads', 'users'],
  checkout: ['cart', 'currency', 'shipping', 'payment', 'email', 'catalog', 'orders'],
  recommend: ['catalog'],
  cart: ['cart-redis'],
  orders: ['orders-db'],
  users: ['users-db'],
  catalog: [],
  currency: [],
  shipping: [],
  payment: [],
  email: [],
  ads: [],
  'cart-redis': [],
  'orders-db': [],
  'users-db': [],
};
const stores: Record<string, { image: string; port: number }> = {
  'cart-redis': { image: 'docker.io/library/redis:8.0', port: 6379 },
  'orders-db': { image: 'docker.io/library/postgres:17.5', port: 5432 },
  'users-db': { image: 'docker.io/library/mysql:8.4.5', port: 3306 },
};
const namespace = 'market';

/** Where a member listens, and behind which port of its Service. */
export const portOf = (name: string): number => stores[name]?.port ?? 8080;
export const kindOf = (name: string): string => (stores[name] ? 'StatefulSet' : 'Deployment');

/** What a member's pods look like while all is well; a case changes a part of it. */
export function member(name: string, spec: WorkloadSpec = {}): WorkloadSpec {
  const env = (calls[name] ?? []).map((callee) => ({ name: `${callee.toUpperCase().replaceAll('-', '_')}_ADDR`, value: `${callee}:${portOf(callee)}` }));
  return { ageS: 40 * 86_400, podAgeS: 2 * 86_400, replicas: 1, service: false, port: portOf(name), ...(stores[name] ? { image: stores[name].image } : {}), ...spec, container: { env, ...spec.container } };
}

/** A member with its Service. */
export function open(c: Cluster, name: string, spec: WorkloadSpec = {}): Workload {
  const workload = c.workload({ kind: kindOf(name), namespace, name }, member(name, spec));
  c.service({ namespace, name }, { app: name }, [{ name: 'main', port: portOf(name), targetPort: portOf(name) }]);
  return workload;
}

/** How callers learn that a member does not answer. */
export type Silence = 'refused' | 'timeout' | 'no pods' | 'none';

/**
 * Everybody who is not there yet, in order; those who call `broken` complain, and those who call them in their turn.
 * Every second of them is not ready any more or ends, as programs do that check what they need.
 */
export function restOfMarket(c: Cluster, broken: string | undefined, silence: Silence): void {
  const hurt = broken === undefined || silence === 'none' ? [] : callersOf(broken);
  for (const name of Object.keys(calls)) {
    if (c.has({ kind: kindOf(name), namespace, name })) continue;
    const workload = open(c, name);
    const depth = hurt.findIndex((level) => level.includes(name));
    if (depth >= 0) complain(c, workload, depth === 0 ? (broken ?? '') : (hurt[depth - 1]?.find((one) => calls[name]?.includes(one)) ?? ''), silence, depth);
  }
}

/** Who calls it, then who calls those, nearest first. */
function callersOf(broken: string): string[][] {
  const levels: string[][] = [];
  const seen = new Set([broken]);
  for (let now = [broken]; now.length > 0; ) {
    const next = Object.keys(calls).filter((name) => !seen.has(name) && calls[name]?.some((callee) => now.includes(callee)));
    next.forEach((name) => seen.add(name));
    if (next.length > 0) levels.push(next);
    now = next;
  }
  return levels;
}

function complain(c: Cluster, workload: Workload, callee: string, silence: Silence, depth: number): void {
  const address = c.services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === callee)?.spec.clusterIP ?? '10.96.4.4';
  const why = silence === 'timeout' ? 'i/o timeout' : 'connect: connection refused';
  const direct = `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${address}:${portOf(callee)}: ${why}"`;
  const log = depth === 0 ? [`ERROR ${callee}: ${direct}`, `WARN ${callee}: giving up after 3 attempts`] : [`ERROR POST /${callee}: 500 Internal Server Error: ${callee} failed`, `ERROR request failed: could not reach ${callee}`];
  const behaviour = depth > 0 ? 'runs' : c.chance.pick(['runs', 'unready', 'ends']);
  if (behaviour === 'ends') return crashLoop(c, workload, { exitCode: 1, log, livedS: 30 });
  if (behaviour === 'unready') {
    Object.assign(workload.template.containers[0] ?? {}, { readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 5 } });
    return unready(c, workload, 'HTTP probe failed with statuscode: 503', { log });
  }
  for (const pod of workload.pods) c.log(pod, workload.main, ['INFO listening', ...log]);
}
