import type { Fault, Recipe } from '../case';
import type { Cluster, ProbeResults } from '../cluster/cluster';
import type { Service, Target } from '../cluster/objects';
import { crashLoop } from '../cluster/trouble';
import type { Workload, WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';
import { envRows } from './environment';

const days = { ageS: 12 * 86_400, podAgeS: 3 * 86_400 };

/** A service's workload and one that calls it. `SERVICE_IP` in the caller's log stands for the cluster IP. */
interface Pair {
  kind?: string;
  spec?: WorkloadSpec;
  /** What is wrong with the Service. */
  break: (service: Service, workload: Workload) => void;
  caller?: string;
  log?: string[];
  probe?: Partial<NonNullable<ProbeResults['connectivity']>[number]>;
}

function broken({ kind = 'Deployment', spec, break: breakIt, caller, log, probe }: Pair): Recipe {
  return (c, at) => {
    const workload = c.workload({ kind, namespace: at.namespace, name: at.name }, { ...days, ...spec });
    if (spec?.service === false) c.service({ namespace: at.namespace, name: at.name }, { app: at.name }, [{ name: 'main', port: spec.port ?? 80, targetPort: spec.port ?? 8080 }]);
    const service = c.serviceOf(workload);
    breakIt(service, workload);
    if (caller) call(c, at, caller, service, log ?? []);
    if (probe) connect(c, at, service, probe);
  };
}

function call(c: Cluster, at: Required<Target>, name: string, service: Service, log: string[]): void {
  const workload = c.workload({ kind: 'Deployment', namespace: at.namespace, name }, { ...days, container: { env: [{ name: 'UPSTREAM_URL', value: `http://${at.name}:${service.spec.ports?.[0]?.port}` }] } });
  for (const pod of workload.pods) c.log(pod, workload.main, log.map((line) => line.replaceAll('SERVICE_IP', service.spec.clusterIP ?? '')));
}

function connect(c: Cluster, at: Required<Target>, service: Service, result: Partial<NonNullable<ProbeResults['connectivity']>[number]>): void {
  const row = { namespace: at.namespace, service: at.name, port: service.spec.ports?.[0]?.port ?? 80, connected: false, ...(service.spec.clusterIP ? { address: service.spec.clusterIP } : {}), ...result };
  c.probes = { kind: 'ProbeResults', version: 1, connectivity: [...(c.probes?.connectivity ?? []), row] };
}

const selects = (selector: Record<string, string>) => (service: Service) => void (service.spec.selector = selector);
const targets = (targetPort: number | string) => (service: Service) => void Object.assign(service.spec.ports?.[0] ?? {}, { targetPort });
const speaks = (protocol: string) => (service: Service) => void Object.assign(service.spec.ports?.[0] ?? {}, { protocol });
const refused = (name: string) => [`ERROR upstream ${name}: dial tcp SERVICE_IP:80: connect: connection refused`];

/** An ExternalName that leads nowhere. */
function external(to: string, caller: string, log: string[], crashes = false): Recipe {
  return (c, at) => {
    c.service({ namespace: at.namespace, name: at.name }, undefined, [{ port: 443 }], { type: 'ExternalName', externalName: to, clusterIP: undefined, clusterIPs: undefined });
    const workload = c.workload({ kind: 'Deployment', namespace: at.namespace, name: caller }, { ...days, container: { env: [{ name: 'REMOTE', value: `https://${at.name}` }] } });
    if (crashes) crashLoop(c, workload, { exitCode: 1, log });
    else for (const pod of workload.pods) c.log(pod, workload.main, log);
  };
}

/** A pod whose own DNS settings keep it from the cluster's names. */
function ownDns(pod: WorkloadSpec['pod'], log: string[], spec: WorkloadSpec = {}, needs = 'api'): Recipe {
  return (c, at) => {
    c.workload({ kind: 'Deployment', namespace: at.namespace, name: needs }, days);
    crashLoop(c, c.workload(at, { ageS: 7200, podAgeS: 2600, ...spec, pod, container: { env: [{ name: 'API_URL', value: `http://${needs}.${at.namespace}.svc.cluster.local` }] } }), { exitCode: 1, log, livedS: 6 });
  };
}

const noHost = (host: string, server: string) => [`ERROR Get "http://${host}/": dial tcp: lookup ${host} on ${server}: no such host`];

/** A policy that lets the caller's packets vanish. */
function policy(spec: Record<string, unknown>, callee: string, caller: string, log: string[], options: { kind?: string; port?: number; crashes?: boolean; timedOut?: boolean } = {}): Recipe {
  return (c, at) => {
    const port = options.port ?? 8080;
    const server = c.workload({ kind: options.kind ?? 'Deployment', namespace: at.namespace, name: callee }, { ...days, port });
    const service = c.serviceOf(server);
    c.add('networking.k8s.io/v1', 'NetworkPolicy', { name: at.name, namespace: at.namespace }, { spec }, 2500);
    const user = c.workload({ kind: 'Deployment', namespace: at.namespace, name: caller }, { ...days, container: { env: [{ name: 'UPSTREAM', value: `http://${callee}` }] } });
    const lines = log.map((line) => line.replaceAll('SERVICE_IP', service.spec.clusterIP ?? ''));
    if (options.crashes) crashLoop(c, user, { exitCode: 1, log: lines, livedS: 33 });
    else for (const pod of user.pods) c.log(pod, user.main, lines);
    if (options.timedOut) connect(c, { ...at, name: callee }, service, { timedOut: true });
  };
}

const ingressTo = (name: string, port: number | string, host: string) => ({ ingressClassName: 'traefik', rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: typeof port === 'number' ? { number: port } : { name: port } } } }] } }] });

export const routing: Fault[] = [
  {
    class: 'routing',
    cause: 'service_selector_mismatch',
    sources: [sources.services],
    variants: [
      ['Service shop/cart', 'misspelt value', broken({ break: selects({ app: 'crat' }), caller: 'checkout', log: refused('cart') })],
      ['Service data/redis', 'StatefulSet', broken({ kind: 'StatefulSet', spec: { port: 6379 }, break: selects({ app: 'redis-master' }), caller: 'sessions', log: ['redis: dial tcp SERVICE_IP:80: connect: connection refused'] })],
      ['Service web/blog', 'one label too many', broken({ break: selects({ app: 'blog', tier: 'frontend' }), probe: {} })],
      ['Service edge/agent', 'DaemonSet, another key', broken({ kind: 'DaemonSet', spec: { service: true }, break: selects({ 'app.kubernetes.io/name': 'agent' }), caller: 'hub', log: refused('agent') })],
      ['Service crm/api', 'another version', broken({ spec: { labels: { version: 'v2' } }, break: selects({ app: 'api', version: 'v1' }), caller: 'portal', log: refused('api'), probe: {} })],
    ],
  },
  {
    class: 'routing',
    cause: 'service_port_mapping_mismatch',
    sources: [sources.services],
    variants: [
      ['Service shop/catalog', 'a port nobody listens on', broken({ break: targets(8081), caller: 'frontend', log: refused('catalog'), probe: { targetPort: 8081 } })],
      ['Service data/postgres-rw', 'StatefulSet', broken({ kind: 'StatefulSet', spec: { port: 5432 }, break: targets(5433), caller: 'orders', log: ['pq: dial tcp SERVICE_IP:80: connect: connection refused'] })],
      ['Service web/assets', 'a port name that no container has', broken({ break: targets('web'), caller: 'landing', log: refused('assets') })],
      ['Service auth/keycloak', 'the management port of another image', broken({ break: targets(9990), probe: { targetPort: 9990 } })],
      ['Service mail/roundcube', 'port 80 of a container on 8080', broken({ break: targets(80), caller: 'portal', log: refused('roundcube') })],
      ['Service edge/metrics', 'DaemonSet', broken({ kind: 'DaemonSet', spec: { service: true, port: 9100 }, break: targets(9110), caller: 'scraper', log: ['level=ERROR msg="scrape failed" err="Get \\"http://SERVICE_IP:80/metrics\\": dial tcp SERVICE_IP:80: connect: connection refused"'] })],
    ],
  },
  {
    class: 'routing',
    cause: 'service_protocol_mismatch',
    sources: [sources.services],
    variants: [
      ['Service shop/session-cache', 'UDP where the container speaks TCP', broken({ break: speaks('UDP'), caller: 'login', log: ['dial tcp SERVICE_IP:80: i/o timeout'] })],
      ['Service data/mysql', 'StatefulSet', broken({ kind: 'StatefulSet', spec: { port: 3306 }, break: speaks('UDP'), caller: 'orders', log: ["ERROR 2003 (HY000): Can't connect to MySQL server on 'mysql:80' (110)"], probe: { timedOut: true } })],
      ['Service logs/syslog', 'TCP where the container speaks UDP', broken({ spec: { service: true, container: { ports: [{ name: 'syslog', containerPort: 5514, protocol: 'UDP' }] }, port: 5514 }, break: speaks('TCP'), caller: 'shipper', log: ['dial tcp SERVICE_IP:80: connect: connection refused'] })],
      ['Service auth/radius-api', 'SCTP', broken({ break: speaks('SCTP'), caller: 'vpn', log: ['dial tcp SERVICE_IP:80: i/o timeout'] })],
      ['Service queue/nats', 'StatefulSet, UDP', broken({ kind: 'StatefulSet', spec: { port: 4222 }, break: speaks('UDP'), probe: { timedOut: true } })],
    ],
  },
  {
    class: 'routing',
    cause: 'service_dns_resolution_failure',
    sources: [sources.resolver, 'kubernetes 1.3x pkg/kubelet/network/dns: dnsPolicy Default, None, ClusterFirst of a hostNetwork pod'],
    variants: [
      ['Service payments/bank', 'ExternalName misspelt', external('api.bnak.example.com', 'transfers', noHost('bank', '10.43.0.10:53'), true)],
      ['Service data/legacy-db', 'ExternalName of a namespace that is no more', external('db.legacy.svc.cluster.local', 'importer', ['getaddrinfo ENOTFOUND legacy-db', "  errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'legacy-db'"])],
      ['Deployment shop/delivery', 'dnsPolicy Default', ownDns({ dnsPolicy: 'Default' }, noHost('api.shop.svc.cluster.local', '192.168.50.1:53'))],
      ['StatefulSet data/connect', 'dnsPolicy None', ownDns({ dnsPolicy: 'None', dnsConfig: { nameservers: ['8.8.8.8'] } }, ['java.net.UnknownHostException: api.data.svc.cluster.local: Name or service not known'])],
      ['DaemonSet edge/exporter', 'hostNetwork with ClusterFirst', ownDns({ hostNetwork: true, dnsPolicy: 'ClusterFirst' }, noHost('api.edge.svc.cluster.local', '127.0.0.53:53'))],
      ['Service crm/search', 'only the probe tells', (c, at) => {
        external('search.old-provider.example', 'frontend', ['WARN search: lookup search on 10.43.0.10:53: no such host'])(c, at);
        connect(c, at, c.services[c.services.length - 1] as Service, {});
      }],
    ],
  },
  {
    class: 'routing',
    cause: 'service_env_var_address_mismatch',
    sources: [sources.resolver, sources.services],
    variants: envRows,
  },
  {
    class: 'routing',
    cause: 'gateway_misroute',
    sources: [sources.ingress],
    variants: [
      ['Ingress shop/storefront', 'backend that does not exist', (c, at) => {
        c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'frontend' }, days);
        c.add('networking.k8s.io/v1', 'Ingress', { name: at.name, namespace: at.namespace }, { spec: ingressTo('front-end', 80, 'shop.example.com') });
      }],
      ['Ingress wiki/wiki', 'port that the Service has not', (c, at) => {
        c.workload({ kind: 'StatefulSet', namespace: at.namespace, name: 'bookstack' }, days);
        c.add('networking.k8s.io/v1', 'Ingress', { name: at.name, namespace: at.namespace }, { spec: ingressTo('bookstack', 8080, 'wiki.example.com') });
      }],
      ['HTTPRoute api/public', 'BackendNotFound', (c, at) => {
        c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'users-v2' }, days);
        const parent = { parentRef: { name: 'edge', namespace: 'gateway' }, controllerName: 'traefik.io/gateway-controller', conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '', lastTransitionTime: c.ago(9000) }, { type: 'ResolvedRefs', status: 'False', reason: 'BackendNotFound', message: 'Cannot load HTTPBackendRef users: getting service: service "users" not found', lastTransitionTime: c.ago(2000) }] };
        c.add('gateway.networking.k8s.io/v1', 'HTTPRoute', { name: at.name, namespace: at.namespace }, { spec: { parentRefs: [{ name: 'edge', namespace: 'gateway' }], hostnames: ['api.example.com'], rules: [{ backendRefs: [{ name: 'users', port: 80 }] }] }, status: { parents: [parent] } });
      }],
      ['VirtualService mesh/reviews', 'destination that does not exist', (c, at) => {
        c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'reviews' }, days);
        c.add('networking.istio.io/v1', 'VirtualService', { name: at.name, namespace: at.namespace }, { spec: { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews-v3', port: { number: 80 } } }] }] } });
      }],
      ['ConfigMap edge/nginx-routes', 'the route table of an nginx', (c, at) => {
        c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'billing-api' }, days);
        c.add('v1', 'ConfigMap', { name: at.name, namespace: at.namespace }, { data: { 'default.conf': 'server {\n  listen 8080;\n  location /billing/ {\n    set $upstream http://biling-api.edge.svc.cluster.local;\n    proxy_pass $upstream;\n  }\n}\n' } });
        const gateway = c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'nginx-gateway' }, { ...days, image: 'docker.io/library/nginx:1.29', pod: { volumes: [{ name: 'routes', configMap: { name: at.name } }] }, container: { volumeMounts: [{ name: 'routes', mountPath: '/etc/nginx/conf.d' }] } });
        for (const pod of gateway.pods) c.log(pod, gateway.main, ['2026/06/02 09:41:11 [error] 29#29: *118 biling-api.edge.svc.cluster.local could not be resolved (3: Host not found), client: 10.42.3.1, server: , request: "GET /billing/1 HTTP/1.1", host: "edge.example.com"', '10.42.3.1 - - [02/Jun/2026:09:41:11 +0000] "GET /billing/1 HTTP/1.1" 502 157']);
      }],
      ['Ingress media/photos', 'port name that the Service has not', (c, at) => {
        c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'photoprism' }, { ...days, port: 2342 });
        c.add('networking.k8s.io/v1', 'Ingress', { name: at.name, namespace: at.namespace }, { spec: ingressTo('photoprism', 'web', 'photos.example.com') });
      }],
    ],
  },
  {
    class: 'routing',
    cause: 'network_policy_blocks',
    sources: [sources.policy],
    variants: [
      ['NetworkPolicy shop/default-deny', 'denies all', policy({ podSelector: {}, policyTypes: ['Ingress'] }, 'inventory', 'checkout', ['ERROR inventory: dial tcp SERVICE_IP:80: i/o timeout'], { timedOut: true })],
      ['NetworkPolicy data/postgres', 'lets others in', policy({ podSelector: { matchLabels: { app: 'postgres-main' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'orders-v1' } } }], ports: [{ port: 5432, protocol: 'TCP' }] }] }, 'postgres-main', 'orders', ['failed to connect to `host=postgres-main`: dial error (timeout: dial tcp SERVICE_IP:80: i/o timeout)'], { kind: 'StatefulSet', port: 5432, crashes: true })],
      ['NetworkPolicy crm/backend-ingress', 'the wrong port', policy({ podSelector: { matchLabels: { app: 'backend' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 9090, protocol: 'TCP' }] }] }, 'backend', 'web', ['Error: connect ETIMEDOUT SERVICE_IP:80'], { timedOut: true })],
      ['NetworkPolicy auth/egress', 'no way out', policy({ podSelector: { matchLabels: { app: 'login' } }, policyTypes: ['Egress'], egress: [{ to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }], ports: [{ port: 53, protocol: 'UDP' }] }] }, 'directory', 'login', ['ldap: dial tcp SERVICE_IP:80: i/o timeout'], { crashes: true })],
      ['NetworkPolicy iot/deny-external', 'by namespace', policy({ podSelector: { matchLabels: { app: 'broker' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'iot' } } }] }] }, 'broker', 'bridge', ['mqtt: network Error : dial tcp SERVICE_IP:80: i/o timeout'], { crashes: true, timedOut: true })],
    ],
  },
];
