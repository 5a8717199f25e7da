import { ended, fileIn, writeProblem, type ContainerFacts, type ImageBehaviour, type ListeningPort, type Script } from './behaviour';

interface HttpPort {
  port: number;
  /** Which paths are answered with 200, the others with 404; absent: all of them. */
  paths?: RegExp;
  tls?: boolean;
}

interface ServiceRow {
  images: string[];
  http?: (number | HttpPort)[];
  /** Ports that only accept connections. */
  tcp?: number[];
  /** What the `tcp` ports say to HTTP; absent: they close the connection. */
  answers?: string;
  grpc?: number[];
  uid?: number;
  /** Below this limit the kernel kills it at start. */
  needsMi?: number;
  says?: string[];
  /** Programs that may stand in `command` without changing what the container is. */
  programs?: string[];
  /** Environment variable or flag that moves the first port. */
  portEnv?: string;
  portFlag?: RegExp;
  readyMs?: number;
  /** Where it must be able to write, and its words where it cannot. */
  writesTo?: { path: string; owner?: number; says: (problem: string) => string[] };
  check?: (facts: ContainerFacts) => Script | undefined;
}

const traefikPaths = /^\/(ping|dashboard\/.*|api\/.*|metrics)$/;
/** grafana `packaging/docker/run.sh`. */
const grafanaCannotWrite = (problem: string) => ["GF_PATHS_DATA='/var/lib/grafana' is not writable.", 'You may have issues with file permissions, more information here: http://docs.grafana.org/installation/docker/#migrate-to-v51-or-later', `mkdir: can't create directory '/var/lib/grafana/plugins': ${problem}`];
/** mysqld's own check of its data directory (`sql/mysqld.cc`), after the entrypoint's chown. */
const mysqlCannotWrite = (problem: string) => [`chown: changing ownership of '/var/lib/mysql/': ${problem}`];

/** Programs that run until they are stopped, by their images' documented ports, paths and users. */
const rows: ServiceRow[] = [
  { images: ['httpd'], http: [{ port: 80, paths: /^\/(index\.html)?$/ }], says: ['AH00094: Command line: \'httpd -D FOREGROUND\''] },
  { images: ['caddy'], http: [80, { port: 443, tls: true }], says: ['{"level":"info","msg":"serving initial configuration"}'] },
  { images: ['pause', 'rancher/mirrored-pause'], uid: 65535, programs: ['pause'] },
  { images: ['redis', 'valkey/valkey', 'bitnami/redis', 'bitnamilegacy/redis'], tcp: [6379], answers: "-ERR wrong number of arguments for 'get' command", programs: ['redis-server', 'valkey-server'], portFlag: /^--port$/, needsMi: 8, says: ['oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo', 'Ready to accept connections tcp'] },
  { images: ['haproxy'], answers: "-ERR wrong number of arguments for 'get' command", tcp: [6379, 6380, 26379, 80, 443], http: [8404], uid: 99, says: ['New worker (8) forked', 'Loading success.'] },
  { images: ['oliver006/redis_exporter'], http: [{ port: 9121, paths: /^\/(metrics|health|scrape)?$/ }], uid: 59000, says: ['Providing metrics at :9121/metrics'] },
  { images: ['prometheuscommunity/postgres-exporter'], http: [{ port: 9187, paths: /^\/(metrics|probe)?$/ }], uid: 65534, says: ['msg="Listening on" address=[::]:9187'] },
  { images: ['grafana/grafana'], http: [3000], uid: 472, needsMi: 48, writesTo: { path: '/var/lib/grafana', says: grafanaCannotWrite }, portEnv: 'GF_SERVER_HTTP_PORT', says: ['logger=settings level=info msg="Starting Grafana"', 'logger=http.server level=info msg="HTTP Server Listen" address=[::]:3000 protocol=http'] },
  { images: ['prom/prometheus', 'prometheus/prometheus'], http: [{ port: 9090, paths: /^\/(-\/(healthy|ready)|metrics|graph|query|api\/.*|federate)?$/ }], uid: 65534, needsMi: 64, programs: ['prometheus'], says: ['level=INFO msg="Server is ready to receive web requests."'] },
  { images: ['prom/alertmanager', 'prometheus/alertmanager'], http: [{ port: 9093, paths: /^\/(-\/(healthy|ready)|metrics|api\/.*)?$/ }], tcp: [9094], uid: 65534, says: ['level=INFO msg="Listening on" address=[::]:9093'] },
  { images: ['prom/node-exporter', 'prometheus/node-exporter'], http: [{ port: 9100, paths: /^\/(metrics)?$/ }], uid: 65534, says: ['level=INFO msg="Listening on" address=[::]:9100'] },
  { images: ['kube-state-metrics/kube-state-metrics'], http: [{ port: 8080, paths: /^\/(metrics|healthz|livez)?$/ }, { port: 8081, paths: /^\/(metrics|healthz|livez|readyz)?$/ }], uid: 65534, says: ['Started metrics server'] },
  { images: ['grafana/loki'], http: [{ port: 3100, paths: /^\/(ready|metrics|config|services|loki\/.*)$/ }], grpc: [9095], uid: 10001, says: ['level=info msg="Loki started"'] },
  { images: ['grafana/promtail'], http: [9080, 3101], says: ['level=info msg="server listening on addresses"'] },
  { images: ['n8nio/n8n'], http: [5678], uid: 1000, needsMi: 180, portEnv: 'N8N_PORT', readyMs: 800, check: n8nDatabase, says: ['Initializing n8n process', 'n8n ready on ::, port 5678'] },
  { images: ['traefik', 'rancher/mirrored-library-traefik'], http: [8000, 8443, { port: 9000, paths: traefikPaths }, { port: 8080, paths: traefikPaths }, { port: 9100, paths: /^\/metrics$/ }, 80, 443], uid: 65532, says: ['INF Traefik version built', 'INF Starting provider aggregator'] },
  { images: ['rancher/mirrored-coredns-coredns', 'coredns/coredns'], http: [{ port: 8080, paths: /^\/health$/ }, { port: 8181, paths: /^\/ready$/ }, { port: 9153, paths: /^\/metrics$/ }], tcp: [53], programs: ['coredns'], says: ['.:53', '[INFO] plugin/reload: Running configuration', 'CoreDNS-1.12.3'] },
  { images: ['rancher/local-path-provisioner'], programs: ['local-path-provisioner'], says: ['msg="Applied config"', 'msg="Provisioner started"'] },
  { images: ['rancher/mirrored-metrics-server', 'metrics-server/metrics-server'], http: [10250, 4443, 443].map((port) => ({ port, tls: true, paths: /^\/(livez|readyz|healthz|metrics|apis.*)$/ })), uid: 1000, says: ['Serving securely on [::]:10250'] },
  { images: ['rancher/klipper-lb'], tcp: [80, 443], says: ['+ trap exit TERM INT'] },
  { images: ['jetstack/cert-manager-controller', 'jetstack/cert-manager-webhook', 'jetstack/cert-manager-cainjector'], http: [{ port: 9402, paths: /^\/metrics$/ }, { port: 9403, paths: /^\/livez$/ }, { port: 10250, tls: true }, { port: 6080, paths: /^\/(healthz|livez)$/ }], uid: 1000, says: ['"Starting" logger="cert-manager"'] },
  { images: ['ollama/ollama'], http: [{ port: 11434, paths: /^\/(api\/.*|v1\/.*)?$/ }], needsMi: 200, readyMs: 800, portEnv: 'OLLAMA_PORT', says: ['msg="Listening on [::]:11434 (version 0.12.3)"', 'msg="no compatible GPUs were discovered"'] },
  { images: ['open-webui/open-webui'], http: [8080], needsMi: 300, readyMs: 800, says: ['INFO:     Started server process [1]', 'INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)'] },
  { images: ['qdrant/qdrant'], http: [{ port: 6333, paths: /^\/(healthz|livez|readyz|metrics|telemetry|collections.*|dashboard.*)?$/ }], grpc: [6334], says: ['INFO qdrant::actix: Qdrant HTTP listening on 6333'] },
  { images: ['berriai/litellm'], http: [{ port: 4000, paths: /^\/(health\/(liveliness|liveness|readiness)|v1\/models|ui\/?|docs|metrics)?$/ }], needsMi: 200, says: ['INFO:     Uvicorn running on http://0.0.0.0:4000'] },
  { images: ['langflowai/langflow'], http: [7860], needsMi: 300, says: ['Langflow is running on http://0.0.0.0:7860'] },
  { images: ['minio/minio'], http: [{ port: 9000, paths: /^\/minio\/health\/(live|ready|cluster(\/read)?)$/ }, 9001], says: ['MinIO Object Storage Server', 'API: http://0.0.0.0:9000  WebUI: http://0.0.0.0:9001'] },
  { images: ['registry', 'distribution/distribution'], http: [{ port: 5000, paths: /^\/(v2\/.*)?$/ }], says: ['msg="listening on [::]:5000"'] },
  { images: ['oauth2-proxy/oauth2-proxy'], http: [{ port: 4180, paths: /^\/(ping|ready|metrics|oauth2\/.*)?$/ }], uid: 65532, says: ['HTTP: listening on [::]:4180'] },
  { images: ['edoburu/pgbouncer', 'bitnami/pgbouncer', 'bitnamilegacy/pgbouncer', 'pgbouncer/pgbouncer'], tcp: [5432, 6432], uid: 70, portEnv: 'LISTEN_PORT', says: ['LOG process up: PgBouncer 1.24.1'] },
  { images: ['prodrigestivill/postgres-backup-local'], http: [8080], says: ['new cron: @daily'] },
  { images: ['sig-storage/nfs-subdir-external-provisioner'], says: ['Started provisioner controller'] },
  { images: ['cloudflare/cloudflared'], http: [2000], uid: 65532, says: ['INF Registered tunnel connection'] },
  { images: ['mysql', 'mariadb'], tcp: [3306], answers: 'J\x00\x00\x00\n8.4.6\x00', writesTo: { path: '/var/lib/mysql', owner: 999, says: mysqlCannotWrite }, needsMi: 100, check: mysqlPassword, says: ['mysqld: ready for connections.'] },
  { images: ['mongo'], tcp: [27017], answers: 'It looks like you are trying to access MongoDB over HTTP on the native driver port.', needsMi: 80, says: ['Waiting for connections'] },
  { images: ['rabbitmq'], tcp: [5672], http: [15672], needsMi: 80, says: ['Server startup complete'] },
  { images: ['memcached'], tcp: [11211], uid: 11211 },
  { images: ['gitea/gitea'], http: [3000], tcp: [22], says: ['Starting new Web server: tcp:0.0.0.0:3000'] },
  { images: ['hashicorp/http-echo'], http: [5678], uid: 65532, portFlag: /^-{1,2}listen$/, says: ['[INFO] server is listening on :5678'] },
  { images: ['traefik/whoami'], http: [80], portEnv: 'WHOAMI_PORT_NUMBER', portFlag: /^-{1,2}port$/, says: ['Starting up on port 80'] },
  { images: ['stefanprodan/podinfo'], http: [{ port: 9898, paths: /^\/(healthz|readyz|metrics|version|env|headers|api\/.*|echo|status\/200)?$/ }, { port: 9797, paths: /^\/metrics$/ }], uid: 100, portFlag: /^--port$/, programs: ['podinfo', './podinfo'], says: ['{"level":"info","msg":"Starting HTTP Server.","addr":":9898"}'] },
];

export const services: ImageBehaviour[] = rows.map((row) => ({ repositories: row.images, uid: row.uid ?? 0, run: (facts) => serve(row, facts) }));

/** k3s' own jobs that install a chart and end. */
export const helmJob: ImageBehaviour = {
  repositories: ['rancher/klipper-helm'],
  uid: 1000,
  run: () => ended(0, ['CHART_PATH=/tmp/chart.tgz', 'Release is already at the wanted version'], 400),
};

function serve(row: ServiceRow, facts: ContainerFacts) {
  const program = facts.command[0]?.replace(/^.*\//, '');
  const known = row.programs ?? [];
  if (program && !known.includes(program) && !/(entrypoint|tini|dumb-init)/.test(program)) return { unknown: `what ${facts.command.join(' ')} does in ${facts.repository} is not known` };
  const refused = row.check?.(facts) ?? unwritable(row, facts);
  if (refused) return refused;
  const ready = row.readyMs ?? 400;
  const script: Script = { lines: (row.says ?? []).map((line, i) => ({ afterMs: 100 + i * 50, line })), ports: portsOf(row, facts, ready), onTerm: { afterMs: 100, code: 0 } };
  const tooSmall = row.needsMi !== undefined && facts.memoryLimitBytes !== undefined && facts.memoryLimitBytes < row.needsMi * 2 ** 20;
  return tooSmall ? { ...script, ports: [], exit: { afterMs: ready, code: 137, reason: 'OOMKilled' as const } } : script;
}

function unwritable({ writesTo, uid = 0 }: ServiceRow, facts: ContainerFacts): Script | undefined {
  const problem = writesTo && writeProblem(facts, writesTo.path, writesTo.owner ?? uid);
  return problem && ended(1, writesTo.says(problem));
}

function portsOf(row: ServiceRow, facts: ContainerFacts, afterMs: number): ListeningPort[] {
  const moved = movedPort(row, facts);
  const http = (row.http ?? []).map((each, i): ListeningPort => {
    const { port, paths, tls }: HttpPort = typeof each === 'number' ? { port: each } : each;
    return { port: i === 0 && moved ? moved : port, afterMs, http: (path) => (!paths || paths.test(path) ? 200 : 404), ...(tls ? { tls } : {}) };
  });
  const tcp = (row.tcp ?? []).map((port, i): ListeningPort => ({ port: i === 0 && moved && !row.http ? moved : port, afterMs, says: row.answers ?? '' }));
  // The settings frame of HTTP/2 is the first that such a server says.
  const grpc = (row.grpc ?? []).map((port): ListeningPort => ({ port, afterMs, says: '\0\0\u0006\u0004\0\0\0\0\0', grpc: true }));
  return [...http, ...tcp, ...grpc];
}

/** Where a variable or a flag (`--port 1`, `--port=1`, `-listen=:1`) moves the first port. */
function movedPort({ portEnv, portFlag }: ServiceRow, { env, args, command }: ContainerFacts): number | undefined {
  const words = [...command, ...args].flatMap((word) => word.split('='));
  const at = portFlag ? words.findIndex((word) => portFlag.test(word)) : -1;
  const flag = at < 0 ? undefined : words[at + 1]?.replace(/^.*:/, '');
  return Number((portEnv && env[portEnv]) || flag) || undefined;
}

/** What n8n says when it cannot reach the database of its settings (n8n `packages/cli/src/commands/base-command.ts`, node-postgres and Node's `dns`, `net`). */
function n8nDatabase(facts: ContainerFacts): Script | undefined {
  const { DB_TYPE, DB_POSTGRESDB_HOST: host, DB_POSTGRESDB_PORT } = facts.env;
  const port = Number(DB_POSTGRESDB_PORT ?? 5432);
  const found = DB_TYPE === 'postgresdb' && host ? facts.dial(host, port) : 'open';
  if (found === 'open') return undefined;
  const why = { 'unknown host': `getaddrinfo ENOTFOUND ${host}`, refused: `connect ECONNREFUSED ${host}:${port}`, 'timed out': `connect ETIMEDOUT ${host}:${port}` }[found];
  return ended(1, ['Initializing n8n process', 'There was an error initializing DB', why], 900);
}

/** docker-library/mysql and mariadb refuse an empty first start without a word on the root password. */
function mysqlPassword(facts: ContainerFacts): Script | undefined {
  const names = ['MYSQL_ROOT_PASSWORD', 'MARIADB_ROOT_PASSWORD', 'MYSQL_ALLOW_EMPTY_PASSWORD', 'MYSQL_RANDOM_ROOT_PASSWORD', 'MARIADB_ALLOW_EMPTY_ROOT_PASSWORD', 'MARIADB_RANDOM_ROOT_PASSWORD'];
  if (names.some((name) => facts.env[name] || fileIn(facts, facts.env[`${name}_FILE`] ?? ''))) return undefined;
  return ended(1, ['[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified', '    You need to specify one of the following as an environment variable:', '    - MYSQL_ROOT_PASSWORD', '    - MYSQL_ALLOW_EMPTY_PASSWORD', '    - MYSQL_RANDOM_ROOT_PASSWORD']);
}
