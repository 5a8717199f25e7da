import { ended, fileIn, type ContainerFacts, type ImageBehaviour, type ListeningPort, type Script } from './behaviour';

interface ServiceRow {
  images: string[];
  /** Ports that answer HTTP on any path with 200 (or as `paths` says). */
  http?: number[];
  /** Ports that only accept connections. */
  tcp?: number[];
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
  check?: (facts: ContainerFacts) => Script | undefined;
}

/** Programs that run until they are stopped, by their images' documented ports and users. */
const rows: ServiceRow[] = [
  { images: ['nginx', 'nginxinc/nginx-unprivileged', 'bitnami/nginx'], http: [80, 443, 8080], programs: ['nginx'], needsMi: 6, says: ['/docker-entrypoint.sh: Configuration complete; ready for start up', 'start worker processes'] },
  { images: ['httpd', 'caddy'], http: [80, 443], says: ['AH00094: Command line: \'httpd -D FOREGROUND\''] },
  { images: ['pause', 'rancher/mirrored-pause'], uid: 65535, programs: ['pause'] },
  { images: ['redis', 'valkey/valkey', 'bitnami/redis', 'bitnamilegacy/redis'], tcp: [6379], programs: ['redis-server', 'valkey-server'], portFlag: /^--port$/, needsMi: 8, says: ['oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo', 'Ready to accept connections tcp'] },
  { images: ['haproxy'], tcp: [6379, 6380, 26379, 80, 443], http: [8404], uid: 99, says: ['New worker (8) forked', 'Loading success.'] },
  { images: ['oliver006/redis_exporter'], http: [9121], uid: 59000, says: ['Providing metrics at :9121/metrics'] },
  { images: ['prometheuscommunity/postgres-exporter'], http: [9187], uid: 65534, says: ['msg="Listening on" address=[::]:9187'] },
  { images: ['grafana/grafana'], http: [3000], uid: 472, needsMi: 48, portEnv: 'GF_SERVER_HTTP_PORT', says: ['logger=settings level=info msg="Starting Grafana"', 'logger=http.server level=info msg="HTTP Server Listen" address=[::]:3000 protocol=http'] },
  { images: ['prom/prometheus', 'prometheus/prometheus'], http: [9090], uid: 65534, needsMi: 64, programs: ['prometheus'], says: ['level=INFO msg="Server is ready to receive web requests."'] },
  { images: ['prom/alertmanager', 'prometheus/alertmanager'], http: [9093, 9094], uid: 65534, says: ['level=INFO msg="Listening on" address=[::]:9093'] },
  { images: ['prom/node-exporter', 'prometheus/node-exporter'], http: [9100], uid: 65534, says: ['level=INFO msg="Listening on" address=[::]:9100'] },
  { images: ['kube-state-metrics/kube-state-metrics'], http: [8080, 8081], uid: 65534, says: ['Started metrics server'] },
  { images: ['grafana/loki'], http: [3100], tcp: [9095], uid: 10001, says: ['level=info msg="Loki started"'] },
  { images: ['grafana/promtail'], http: [9080, 3101], says: ['level=info msg="server listening on addresses"'] },
  { images: ['n8nio/n8n'], http: [5678], uid: 1000, needsMi: 180, portEnv: 'N8N_PORT', readyMs: 800, says: ['Initializing n8n process', 'n8n ready on ::, port 5678'] },
  { images: ['traefik', 'rancher/mirrored-library-traefik'], http: [8000, 8443, 9000, 8080, 9100, 80, 443], uid: 65532, says: ['INF Traefik version built', 'INF Starting provider aggregator'] },
  { images: ['rancher/mirrored-coredns-coredns', 'coredns/coredns'], http: [8080, 8181, 9153], tcp: [53], programs: ['coredns'], says: ['.:53', '[INFO] plugin/reload: Running configuration', 'CoreDNS-1.12.3'] },
  { images: ['rancher/local-path-provisioner'], programs: ['local-path-provisioner'], says: ['msg="Applied config"', 'msg="Provisioner started"'] },
  { images: ['rancher/mirrored-metrics-server', 'metrics-server/metrics-server'], http: [10250, 4443, 443], uid: 1000, says: ['Serving securely on [::]:10250'] },
  { images: ['rancher/klipper-lb'], tcp: [80, 443], says: ['+ trap exit TERM INT'] },
  { images: ['jetstack/cert-manager-controller', 'jetstack/cert-manager-webhook', 'jetstack/cert-manager-cainjector'], http: [9402, 9403, 10250, 6080], uid: 1000, says: ['"Starting" logger="cert-manager"'] },
  { images: ['ollama/ollama'], http: [11434], needsMi: 200, readyMs: 800, portEnv: 'OLLAMA_PORT', says: ['msg="Listening on [::]:11434 (version 0.12.3)"', 'msg="no compatible GPUs were discovered"'] },
  { images: ['open-webui/open-webui'], http: [8080], needsMi: 300, readyMs: 800, says: ['INFO:     Started server process [1]', 'INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)'] },
  { images: ['qdrant/qdrant'], http: [6333], tcp: [6334], says: ['INFO qdrant::actix: Qdrant HTTP listening on 6333'] },
  { images: ['berriai/litellm'], http: [4000], needsMi: 200, says: ['INFO:     Uvicorn running on http://0.0.0.0:4000'] },
  { images: ['langflowai/langflow'], http: [7860], needsMi: 300, says: ['Langflow is running on http://0.0.0.0:7860'] },
  { images: ['minio/minio'], http: [9000, 9001], says: ['MinIO Object Storage Server', 'API: http://0.0.0.0:9000  WebUI: http://0.0.0.0:9001'] },
  { images: ['registry', 'distribution/distribution'], http: [5000], says: ['msg="listening on [::]:5000"'] },
  { images: ['oauth2-proxy/oauth2-proxy'], http: [4180], uid: 65532, says: ['HTTP: listening on [::]:4180'] },
  { images: ['edoburu/pgbouncer', 'bitnami/pgbouncer', 'bitnamilegacy/pgbouncer', 'pgbouncer/pgbouncer'], tcp: [5432, 6432], uid: 70, portEnv: 'LISTEN_PORT', says: ['LOG process up: PgBouncer 1.24.1'] },
  { images: ['prodrigestivill/postgres-backup-local'], http: [8080], says: ['new cron: @daily'] },
  { images: ['sig-storage/nfs-subdir-external-provisioner'], says: ['Started provisioner controller'] },
  { images: ['cloudflare/cloudflared'], http: [2000], uid: 65532, says: ['INF Registered tunnel connection'] },
  { images: ['mysql', 'mariadb'], tcp: [3306], needsMi: 100, check: mysqlPassword, says: ['mysqld: ready for connections.'] },
  { images: ['mongo'], tcp: [27017], needsMi: 80, says: ['Waiting for connections'] },
  { images: ['rabbitmq'], tcp: [5672], http: [15672], needsMi: 80, says: ['Server startup complete'] },
  { images: ['memcached'], tcp: [11211], uid: 11211 },
  { images: ['gitea/gitea'], http: [3000], tcp: [22], says: ['Starting new Web server: tcp:0.0.0.0:3000'] },
  { images: ['hashicorp/http-echo', 'traefik/whoami', 'stefanprodan/podinfo'], http: [5678, 80, 9898, 9797], says: ['server is listening'] },
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
  const refused = row.check?.(facts);
  if (refused) return refused;
  const ready = row.readyMs ?? 400;
  const script: Script = { lines: (row.says ?? []).map((line, i) => ({ afterMs: 100 + i * 50, line })), ports: portsOf(row, facts, ready), onTerm: { afterMs: 100, code: 0 } };
  const tooSmall = row.needsMi !== undefined && facts.memoryLimitBytes !== undefined && facts.memoryLimitBytes < row.needsMi * 2 ** 20;
  return tooSmall ? { ...script, ports: [], exit: { afterMs: ready, code: 137, reason: 'OOMKilled' as const } } : script;
}

function portsOf(row: ServiceRow, facts: ContainerFacts, afterMs: number): ListeningPort[] {
  const flag = row.portFlag ? facts.args[facts.args.findIndex((arg) => row.portFlag?.test(arg)) + 1] : undefined;
  const moved = Number((row.portEnv && facts.env[row.portEnv]) || flag || NaN);
  const http = (row.http ?? []).map((port, i): ListeningPort => ({ port: i === 0 && moved ? moved : port, afterMs, http: () => 200 }));
  const tcp = (row.tcp ?? []).map((port, i): ListeningPort => ({ port: i === 0 && moved && !row.http ? moved : port, afterMs }));
  return [...http, ...tcp];
}

/** docker-library/mysql and mariadb refuse an empty first start without a word on the root password. */
function mysqlPassword(facts: ContainerFacts): Script | undefined {
  const names = ['MYSQL_ROOT_PASSWORD', 'MARIADB_ROOT_PASSWORD', 'MYSQL_ALLOW_EMPTY_PASSWORD', 'MYSQL_RANDOM_ROOT_PASSWORD', 'MARIADB_ALLOW_EMPTY_ROOT_PASSWORD', 'MARIADB_RANDOM_ROOT_PASSWORD'];
  if (names.some((name) => facts.env[name] || fileIn(facts, facts.env[`${name}_FILE`] ?? ''))) return undefined;
  return ended(1, ['[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified', '    You need to specify one of the following as an environment variable:', '    - MYSQL_ROOT_PASSWORD', '    - MYSQL_ALLOW_EMPTY_PASSWORD', '    - MYSQL_RANDOM_ROOT_PASSWORD']);
}
