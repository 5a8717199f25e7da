import type { Recipe, Variant } from '../case';
import { crashLoop } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';

const days = { ageS: 12 * 86_400, podAgeS: 3 * 86_400 };

/** The address of a service in a variable is wrong; the service itself stands there and works. */
function address(service: { name: string; namespace?: string; kind?: string; port?: number }, variable: { name: string; value: string }, log: string[], options: { spec?: WorkloadSpec; runs?: boolean } = {}): Recipe {
  return (c, at) => {
    c.workload({ kind: service.kind ?? 'Deployment', namespace: service.namespace ?? at.namespace, name: service.name }, { ...days, port: service.port ?? 8080 });
    const workload = c.workload(at, { ageS: 9000, podAgeS: 2600, ...options.spec, container: { env: [{ name: 'LOG_LEVEL', value: 'info' }, variable] } });
    if (options.runs) for (const pod of workload.pods) c.log(pod, workload.main, log);
    else crashLoop(c, workload, { exitCode: 1, log, livedS: 8 });
  };
}

/** `service_env_var_address_mismatch`: host misspelt, namespace left out, port of another service. */
export const envRows: Variant[] = [
  ['Deployment shop/checkout', 'host misspelt', address({ name: 'currency' }, { name: 'CURRENCY_SERVICE_ADDR', value: 'curency:80' }, ['could not connect to currency service: dial tcp: lookup curency on 10.43.0.10:53: no such host'])],
  ['Deployment web/frontend', 'runs, and fails each request', address({ name: 'productcatalog' }, { name: 'PRODUCT_CATALOG_SERVICE_ADDR', value: 'productcatalog:3550' }, ['{"severity":"error","error":"rpc error: code = Unavailable desc = connection error: desc = \\"transport: Error while dialing: dial tcp 10.43.12.3:3550: connect: connection refused\\""}'], { runs: true })],
  ['StatefulSet data/worker', 'of another namespace, without its name', address({ name: 'rabbitmq', namespace: 'queue', port: 5672 }, { name: 'AMQP_URL', value: 'amqp://rabbitmq:5672' }, ['amqp: dial tcp: lookup rabbitmq on 10.43.0.10:53: no such host'], { spec: { port: 0 } })],
  ['CronJob reports/export', 'an old namespace', address({ name: 'reporting-api' }, { name: 'API_BASE', value: 'http://reporting-api.legacy.svc.cluster.local' }, ["requests.exceptions.ConnectionError: HTTPConnectionPool(host='reporting-api.legacy.svc.cluster.local', port=80): Max retries exceeded with url: / (Caused by NameResolutionError(\"Failed to resolve 'reporting-api.legacy.svc.cluster.local' ([Errno -2] Name or service not known)\"))"], { spec: { port: 0 } })],
  ['DaemonSet logging/shipper', 'DaemonSet', address({ name: 'opensearch', kind: 'StatefulSet', port: 9200 }, { name: 'OPENSEARCH_HOST', value: 'open-search' }, ['[error] [output:opensearch:opensearch.0] no upstream connections available: getaddrinfo(host=\'open-search\', err=12): Timeout while contacting DNS servers', 'lookup open-search on 10.43.0.10:53: no such host'])],
  ['Deployment ai-agents/memory', 'Node.js', address({ name: 'qdrant', kind: 'StatefulSet', port: 6333 }, { name: 'VECTOR_URL', value: 'http://qdrant-db' }, ['Error: getaddrinfo ENOTFOUND qdrant-db', "  errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'qdrant-db'"])],
];
