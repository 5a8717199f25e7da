import type { Recipe } from '../case';
import type { Cluster } from './cluster';
import type { Target } from './objects';
import { crashLoop } from './trouble';

/** Who suffers from a fault that is somewhere else, and how it says so. */
export interface Sufferer {
  name: string;
  kind?: string;
  /** CALLEE and SERVICE_IP stand for the name and the address of what it calls. */
  log: string[];
  /** Keeps running and complains; otherwise it ends. */
  runs?: boolean;
}

/** Does `recipe`, and adds workloads that fail because of it: symptoms, and louder than the cause. */
export function feltBy(recipe: Recipe, callee: string, ...sufferers: Sufferer[]): Recipe {
  return (c, at) => {
    recipe(c, at);
    for (const one of sufferers) suffer(c, at, callee, one);
  };
}

function suffer(c: Cluster, at: Required<Target>, callee: string, { name, kind = 'Deployment', log, runs }: Sufferer): void {
  const service = c.services.find(({ metadata }) => metadata.namespace === at.namespace && metadata.name === callee);
  const port = service?.spec.ports?.[0]?.port ?? 80;
  const workload = c.workload({ kind, namespace: at.namespace, name }, { ageS: 30 * 86_400, podAgeS: 2600, container: { env: [{ name: 'UPSTREAM', value: `http://${callee}:${port}` }] } });
  const lines = log.map((line) => line.replaceAll('CALLEE', `${callee}:${port}`).replaceAll('SERVICE_IP', `${service?.spec.clusterIP ?? '10.43.77.20'}:${port}`));
  if (runs) for (const pod of workload.pods) c.log(pod, workload.main, lines);
  else crashLoop(c, workload, { exitCode: 1, log: lines, livedS: 21 });
}

/** A line of a Go, Node.js, Java or Python client whose call nobody answers. */
export const complaints = {
  go: 'FATAL dependency check failed: dial tcp SERVICE_IP: connect: connection refused',
  node: 'Error: connect ECONNREFUSED SERVICE_IP',
  java: 'org.springframework.web.client.ResourceAccessException: I/O error on GET request for "http://CALLEE/": Connection refused',
  python: "requests.exceptions.ConnectionError: HTTPConnectionPool(host='CALLEE'): Max retries exceeded with url: / (Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))",
  postgres: 'could not connect to database: dial tcp SERVICE_IP: connect: connection refused',
};
