import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import { killedByProbe, unready } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

const fresh = { ageS: 9000, podAgeS: 3000 };
const timing = { periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3, successThreshold: 1 };

interface Failing {
  probe: Record<string, unknown>;
  /** Without "Liveness probe failed: "; POD_IP stands for the pod's address. */
  says: string;
  log: string[];
  spec?: WorkloadSpec;
  exitCode?: number;
  running?: boolean;
  livedS?: number;
}

function liveness({ probe, says, log, spec, exitCode, running, livedS }: Failing): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...fresh, ...spec, container: { livenessProbe: { ...timing, ...probe }, ...spec?.container } });
    killedByProbe(c, workload, says, { log, exitCode, running, livedS });
  };
}

function readiness({ probe, says, log, spec }: Failing): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...fresh, ...spec, container: { readinessProbe: { ...timing, ...probe }, ...spec?.container } });
    unready(c, workload, says, { log });
    workload.stuck = at.kind === 'Deployment';
  };
}

const get = (path: string, port: number | string, scheme = 'HTTP') => ({ httpGet: { path, port, scheme } });
const refused = (path: string, port: number, scheme = 'http') => `Get "${scheme}://POD_IP:${port}${path}": dial tcp POD_IP:${port}: connect: connection refused`;
const goLog = (port: number) => [`{"level":"info","msg":"listening","addr":":${port}"}`, '{"level":"info","msg":"ready"}'];
const springLog = (port: number) => [`2026-06-02T08:11:09.120Z  INFO 1 --- [main] o.s.b.w.embedded.tomcat.TomcatWebServer  : Tomcat started on port ${port} (http) with context path '/'`, '2026-06-02T08:11:09.131Z  INFO 1 --- [main] com.acme.Application                     : Started Application in 4.221 seconds'];
const uvicornLog = (port: number) => ['INFO:     Application startup complete.', `INFO:     Uvicorn running on http://0.0.0.0:${port} (Press CTRL+C to quit)`];
const nginxLog = (path: string) => [`10.42.3.1 - - [11/Jun/2026:09:12:01 +0000] "GET ${path} HTTP/1.1" 404 153 "-" "kube-probe/1.33"`];
const notTls = (path: string, port: number) => `Get "https://POD_IP:${port}${path}": http: server gave HTTP response to HTTPS client`;
const tlsOnly = 'HTTP probe failed with statuscode: 400';

export const probes: Fault[] = [
  {
    class: 'running',
    cause: 'liveness_probe_incorrect_port',
    sources: [sources.prober],
    variants: [
      ['Deployment shop/cart', 'HTTP, the process listens elsewhere', liveness({ probe: get('/healthz', 8081), says: refused('/healthz', 8081), log: goLog(8080) })],
      ['StatefulSet data/redis', 'TCP', liveness({ probe: { tcpSocket: { port: 6380 } }, says: 'dial tcp POD_IP:6380: connect: connection refused', log: ['1:M 02 Jun 2026 09:00:00.012 * Running mode=standalone, port=6379.', '1:M 02 Jun 2026 09:00:00.013 * Ready to accept connections tcp'], spec: { port: 6379, image: 'docker.io/library/redis:8.0' }, exitCode: 0 })],
      ['DaemonSet monitoring/node-exporter', 'DaemonSet', liveness({ probe: get('/', 9101), says: refused('/', 9101), log: ['time=2026-05-30T11:00:00.004Z level=INFO source=tls_config.go:347 msg="Listening on" address=[::]:9100'], spec: { port: 9100 } })],
      ['Deployment erp/accounts', 'the port of another profile (Spring)', liveness({ probe: get('/actuator/health/liveness', 9000), says: refused('/actuator/health/liveness', 9000), log: springLog(8080) })],
      ['Deployment auth/policy', 'gRPC', liveness({ probe: { grpc: { port: 9091 } }, says: 'timeout: failed to connect service "POD_IP:9091" within 1s: context deadline exceeded', log: ['INFO grpc server listening on [::]:9090'], spec: { port: 9090 } })],
      ['Deployment web/blog', 'at this moment it runs between two kills', liveness({ probe: get('/', 3001), says: refused('/', 3001), log: ['  ▲ Next.js 15.3.3', '   - Local:        http://localhost:3000', ' ✓ Ready in 412ms'], spec: { port: 3000 }, running: true })],
    ],
  },
  {
    class: 'running',
    cause: 'liveness_probe_incorrect_protocol',
    sources: [sources.prober],
    variants: [
      ['Deployment shop/search-api', 'HTTPS against HTTP', liveness({ probe: get('/healthz', 8080, 'HTTPS'), says: notTls('/healthz', 8080), log: goLog(8080) })],
      ['Deployment auth/vault-agent', 'HTTP against TLS', liveness({ probe: get('/v1/sys/health', 8200), says: tlsOnly, log: ['2026-06-02T08:11:09.120Z [INFO]  http: TLS handshake error from 10.42.4.1:40122: client sent an HTTP request to an HTTPS server'], spec: { port: 8200 } })],
      ['StatefulSet data/mysql-router', 'HTTP against a database', liveness({ probe: get('/', 3306), says: 'Get "http://POD_IP:3306/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "J\\x00\\x00\\x00\\n8.4.5\\x00"', log: ["2026-05-20T08:00:07.410311Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.4.5'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL."], spec: { port: 3306 } })],
      ['Deployment payments/fraud', 'HTTP against gRPC', liveness({ probe: get('/', 50051), says: 'Get "http://POD_IP:50051/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x00\\x00\\x06\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x05\\x00\\x00@\\x00"', log: ['INFO gRPC server started, listening on 50051'], spec: { port: 50051 } })],
      ['DaemonSet edge/relay', 'gRPC against HTTP', liveness({ probe: { grpc: { port: 8080 } }, says: 'rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: http2: frame too large"', log: goLog(8080) })],
      ['StatefulSet cache/valkey', 'HTTP against Redis', liveness({ probe: get('/', 6379), says: 'Get "http://POD_IP:6379/": EOF', log: ['1:M 02 Jun 2026 09:00:00.013 * Ready to accept connections tcp', "1:M 02 Jun 2026 09:00:10.201 # Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis."], spec: { port: 6379 } })],
    ],
  },
  {
    class: 'running',
    cause: 'liveness_probe_incorrect_path',
    sources: [sources.prober],
    variants: [
      ['Deployment shop/catalogue', '404 (nginx)', liveness({ probe: get('/health', 8080), says: 'HTTP probe failed with statuscode: 404', log: nginxLog('/health') })],
      ['Deployment erp/stock', 'actuator not exposed (Spring)', liveness({ probe: get('/actuator/healthz', 8080), says: 'HTTP probe failed with statuscode: 404', log: springLog(8080) })],
      ['StatefulSet search/solr', 'StatefulSet', liveness({ probe: get('/solr/admin/alive', 8983), says: 'HTTP probe failed with statuscode: 404', log: ['2026-06-11 08:00:04.221 INFO  (main) [   ] o.e.j.s.AbstractConnector Started ServerConnector{HTTP/1.1}{0.0.0.0:8983}'], spec: { port: 8983 } })],
      ['Deployment ai-agents/embedder', '404 (FastAPI)', liveness({ probe: get('/livez', 8000), says: 'HTTP probe failed with statuscode: 404', log: [...uvicornLog(8000), 'INFO:     10.42.4.1:51120 - "GET /livez HTTP/1.1" 404 Not Found'], spec: { port: 8000 } })],
      ['DaemonSet logging/collector', 'DaemonSet, runs between two kills', liveness({ probe: get('/api/v1/healthy', 2020), says: 'HTTP probe failed with statuscode: 404', log: ['[2026/06/11 08:00:04] [ info] [http_server] listen iface=0.0.0.0 tcp_port=2020'], spec: { port: 2020 }, running: true })],
    ],
  },
  {
    class: 'running',
    cause: 'liveness_probe_incorrect_timing',
    sources: [sources.prober],
    variants: [
      ['Deployment erp/payroll', 'killed while it starts (Spring)', liveness({ probe: { ...get('/actuator/health/liveness', 8080), initialDelaySeconds: 5, periodSeconds: 5, failureThreshold: 2 }, says: refused('/actuator/health/liveness', 8080), log: ['2026-06-02T08:11:01.120Z  INFO 1 --- [main] com.acme.Application : Starting Application v3.2.0 using Java 21', '2026-06-02T08:11:08.004Z  INFO 1 --- [main] o.s.d.r.config.RepositoryConfigurationDelegate : Bootstrapping Spring Data JPA repositories'], livedS: 16 })],
      ['StatefulSet data/opensearch', 'a long recovery', liveness({ probe: { tcpSocket: { port: 9200 }, initialDelaySeconds: 10, failureThreshold: 1 }, says: 'dial tcp POD_IP:9200: connect: connection refused', log: ['[2026-06-02T08:11:01,400][INFO ][o.o.n.Node               ] [opensearch-0] initializing ...', '[2026-06-02T08:11:19,031][INFO ][o.o.e.NodeEnvironment    ] [opensearch-0] using [1] data paths'], spec: { port: 9200 }, livedS: 21 })],
      ['Deployment shop/reviews', 'a timeout of one second where it answers in two', liveness({ probe: { ...get('/healthz', 8080), timeoutSeconds: 1, failureThreshold: 1 }, says: 'Get "http://POD_IP:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)', log: [...goLog(8080), '{"level":"info","msg":"request","path":"/healthz","status":200,"took":"1.84s"}', '{"level":"info","msg":"request","path":"/healthz","status":200,"took":"2.02s"}'], livedS: 240 })],
      ['Deployment ml/ranker', 'loads a model first', liveness({ probe: { ...get('/healthz', 8000), initialDelaySeconds: 3, periodSeconds: 3, failureThreshold: 1 }, says: refused('/healthz', 8000), log: ['INFO:     Started server process [1]', 'INFO:     Waiting for application startup.', 'loading checkpoint shards:  40%'], spec: { port: 8000 }, livedS: 6 })],
      ['StatefulSet queue/artemis', 'killed while it starts', liveness({ probe: { tcpSocket: { port: 61616 }, initialDelaySeconds: 2, periodSeconds: 2, failureThreshold: 2 }, says: 'dial tcp POD_IP:61616: connect: connection refused', log: ['2026-06-02 08:11:01,120 INFO  [org.apache.activemq.artemis.integration.bootstrap] AMQ101000: Starting ActiveMQ Artemis Server version 2.41.0'], spec: { port: 61616 }, livedS: 7 })],
    ],
  },
  {
    class: 'running',
    cause: 'readiness_probe_incorrect_port',
    sources: [sources.prober],
    variants: [
      ['Deployment shop/wishlist', 'HTTP', readiness({ probe: get('/ready', 8090), says: refused('/ready', 8090), log: goLog(8080) })],
      ['Deployment pay/terminal-api', 'never gets a call, so its callers end', feltBy(readiness({ probe: get('/ready', 9999), says: refused('/ready', 9999), log: goLog(8080) }), 'terminal-api', { name: 'kiosk', log: [complaints.go] }, { name: 'receipts', log: [complaints.node], runs: true })],
      ['StatefulSet data/postgres', 'TCP', readiness({ probe: { tcpSocket: { port: 5433 } }, says: 'dial tcp POD_IP:5433: connect: connection refused', log: ['2026-06-02 09:00:00.100 UTC [1] LOG:  listening on IPv4 address "0.0.0.0", port 5432', '2026-06-02 09:00:00.181 UTC [1] LOG:  database system is ready to accept connections'], spec: { port: 5432, image: 'docker.io/library/postgres:17.5' } })],
      ['DaemonSet edge/proxy', 'DaemonSet', readiness({ probe: get('/healthz', 15020), says: refused('/healthz', 15020), log: goLog(15021), spec: { port: 15021 } })],
      ['Deployment auth/login', 'Spring', readiness({ probe: get('/actuator/health/readiness', 8443), says: refused('/actuator/health/readiness', 8443), log: springLog(8080) })],
      ['Deployment ai-agents/planner', 'FastAPI, gRPC probe', readiness({ probe: { grpc: { port: 8001 } }, says: 'timeout: failed to connect service "POD_IP:8001" within 1s: context deadline exceeded', log: uvicornLog(8000), spec: { port: 8000 } })],
    ],
  },
  {
    class: 'running',
    cause: 'readiness_probe_incorrect_protocol',
    sources: [sources.prober],
    variants: [
      ['Deployment shop/gift-cards', 'HTTPS against HTTP', readiness({ probe: get('/ready', 8080, 'HTTPS'), says: notTls('/ready', 8080), log: goLog(8080) })],
      ['StatefulSet data/etcd', 'HTTP against TLS', readiness({ probe: get('/health', 2379), says: tlsOnly, log: ['{"level":"warn","msg":"rejected connection on client endpoint","error":"tls: first record does not look like a TLS handshake"}'], spec: { port: 2379 } })],
      ['Deployment payments/ledger', 'HTTP against gRPC', readiness({ probe: get('/', 9090), says: 'Get "http://POD_IP:9090/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x00\\x00\\x06\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x05\\x00\\x00@\\x00"', log: ['INFO gRPC server listening on :9090'], spec: { port: 9090 } })],
      ['Deployment mail/smtp-relay', 'HTTP against SMTP', readiness({ probe: get('/', 25), says: 'Get "http://POD_IP:25/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "220 mail.example.com ESMTP Postfix"', log: ['postfix/postfix-script: starting the Postfix mail system'], spec: { port: 25 } })],
      ['DaemonSet network/dns-cache', 'HTTPS against HTTP, DaemonSet', readiness({ probe: get('/health', 8181, 'HTTPS'), says: notTls('/health', 8181), log: ['.:53', 'CoreDNS-1.12.1'], spec: { port: 8181 } })],
    ],
  },
  {
    class: 'running',
    cause: 'readiness_probe_incorrect_path',
    sources: [sources.prober],
    variants: [
      ['Deployment shop/storefront', '404', readiness({ probe: get('/readyz', 8080), says: 'HTTP probe failed with statuscode: 404', log: nginxLog('/readyz') })],
      ['Deployment bank/iban-check', 'never gets a call, so its callers end', feltBy(readiness({ probe: get('/health/redy', 8080), says: 'HTTP probe failed with statuscode: 404', log: nginxLog('/health/redy') }), 'iban-check', { name: 'transfer', log: [complaints.java] })],
      ['StatefulSet search/meilisearch', 'StatefulSet', readiness({ probe: get('/healthy', 7700), says: 'HTTP probe failed with statuscode: 404', log: ['[2026-06-11T08:00:04Z INFO  actix_server::server] starting service: "actix-web-service-0.0.0.0:7700"'], spec: { port: 7700 } })],
      ['Deployment ai-agents/gateway', 'FastAPI', readiness({ probe: get('/health/ready', 8000), says: 'HTTP probe failed with statuscode: 404', log: [...uvicornLog(8000), 'INFO:     10.42.4.1:51120 - "GET /health/ready HTTP/1.1" 404 Not Found'], spec: { port: 8000 } })],
      ['Deployment erp/crm', 'wants a login', readiness({ probe: get('/api/status', 8080), says: 'HTTP probe failed with statuscode: 401', log: springLog(8080) })],
      ['DaemonSet edge/cache', 'DaemonSet', readiness({ probe: get('/status/ready', 6081), says: 'HTTP probe failed with statuscode: 404', log: ['Info: Child (21) said Child starts'], spec: { port: 6081 } })],
    ],
  },
];
