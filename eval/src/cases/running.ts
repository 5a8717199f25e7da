import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import { crashLoop, restarted, setCondition, type Death } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

const older = { ageS: 6 * 86_400, podAgeS: 2 * 86_400 };
const limits = (memory: string) => ({ resources: { requests: { cpu: '100m', memory }, limits: { memory } } });

function dies(death: Death, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => crashLoop(c, c.workload(at, { ...older, ...spec }), death);
}

/** The kernel's and kubelet's word on the node, where the status says only 137. */
function killedOnNode(process: string, by: 'SystemOOM' | 'OOMKilling', spec: WorkloadSpec): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...older, ...spec });
    crashLoop(c, workload, { exitCode: 137, reason: 'Error', log: ['worker: processing batch 4412'], livedS: 900 });
    for (const pod of workload.pods) {
      const pid = c.chance.int(20_000, 90_000);
      const node = c.node(String(pod.spec.nodeName));
      const message = by === 'SystemOOM' ? `System OOM encountered, victim process: ${process}, pid: ${pid}` : `Memory cgroup out of memory: Killed process ${pid} (${process}) total-vm:2948172kB, anon-rss:523944kB, file-rss:1104kB, shmem-rss:0kB, UID:1000 pgtables:1480kB oom_score_adj:992`;
      c.event(node, { reason: by, message, from: by === 'SystemOOM' ? 'kubelet' : 'kernel-monitor', lastS: 120 });
      if (by === 'OOMKilling') c.event(pod, { reason: 'OOMKilling', message, from: 'kernel-monitor', lastS: 120 });
    }
  };
}

/** Two containers of a pod want the same port. */
function samePort(port: number, sidecar: string, log: string[], spec: WorkloadSpec = {}, loser?: string): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ageS: 7200, podAgeS: 2500, port, ...spec, sidecars: [{ name: sidecar, image: `registry.example.com/mesh/${sidecar}:1`, ports: [{ containerPort: port, protocol: 'TCP' }] }] });
    crashLoop(c, workload, { exitCode: 1, log, container: loser ?? sidecar });
  };
}

function scaledToZero(spec: WorkloadSpec = {}, user?: string): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...older, ...spec, replicas: 0, pods: 0 });
    c.event(workload.root, { type: 'Normal', reason: 'ScalingReplicaSet', message: `Scaled down replica set ${workload.controller.metadata.name} from 2 to 0`, from: 'deployment-controller', lastS: 1800 });
    if (user === undefined) return;
    const caller = c.workload({ kind: 'Deployment', namespace: at.namespace, name: user }, { container: { env: [{ name: 'UPSTREAM', value: `http://${at.name}` }] } });
    for (const pod of caller.pods) c.log(pod, caller.main, [`ERROR upstream request failed: Get "http://${at.name}/": dial tcp 10.43.17.80:80: connect: connection refused`]);
  };
}

/** Runs, is ready, and works no more: only its log tells. */
function crashes(exitCode: number, log: string[], spec: WorkloadSpec = {}): Recipe {
  return dies({ exitCode, log, livedS: 5 }, spec);
}

function needsOutside(host: string, log: string[], spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    const env = [{ name: 'UPSTREAM_URL', value: host }];
    crashLoop(c, c.workload(at, { ...older, ...spec, container: { env, ...spec.container } }), { exitCode: 1, log, livedS: 31 });
  };
}

export const running: Fault[] = [
  {
    class: 'running',
    cause: 'oom_killed',
    sources: [sources.memory],
    variants: [
      ['Deployment shop/recommender', 'the status says it', dies({ exitCode: 137, reason: 'OOMKilled', log: ['building similarity matrix'], livedS: 40 }, { container: limits('256Mi') })],
      ['StatefulSet data/neo4j', 'StatefulSet', dies({ exitCode: 137, reason: 'OOMKilled', log: ['INFO  Starting...', 'INFO  This instance is ServerId{2b1c} '], livedS: 70 }, { port: 7687, container: limits('512Mi') })],
      ['Deployment ml/featurizer', 'the status says only 137; the node-problem-detector says why', killedOnNode('python3', 'OOMKilling', { container: limits('512Mi') })],
      ['CronJob analytics/rollup', 'Job pods that failed', (c, at) => {
        const workload = c.workload(at, { port: 0, pods: 3, container: limits('128Mi'), podAgeS: 1400 });
        for (const pod of workload.pods) {
          pod.status.phase = 'Failed';
          setCondition(pod, 'Ready', 'False', { reason: 'PodFailed' });
          for (const status of pod.status.containerStatuses ?? []) Object.assign(status, { ready: false, started: false, state: { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: c.ago(1300), finishedAt: c.ago(1200), containerID: status.containerID } } });
        }
      }],
      ['DaemonSet logging/fluentd', 'runs between two kills', (c, at) => restarted(c, c.workload(at, { ...older, port: 24224, container: limits('200Mi') }), { exitCode: 137, reason: 'OOMKilled', log: ['[info]: #0 fluentd worker is now running worker=0'], restarts: 14, ready: true, livedS: 600 })],
      ['StatefulSet stock/stock-db', 'its clients end with it', feltBy(dies({ exitCode: 137, reason: 'OOMKilled', log: ['LOG:  database system was interrupted', 'LOG:  redo starts at 0/1A2B3C'], livedS: 55 }, { port: 5432, container: limits('256Mi') }), 'stock-db', { name: 'counter', log: [complaints.postgres] }, { name: 'planner', log: [complaints.postgres] })],
      ['Deployment bi/superset', 'SystemOOM of a Java heap', killedOnNode('java', 'SystemOOM', { replicas: 1, container: limits('1Gi') })],
      ['Deployment web/imgproxy', 'only the side container', dies({ exitCode: 137, reason: 'OOMKilled', log: ['warming cache'], container: 'cache', livedS: 25 }, { sidecars: [{ name: 'cache', image: 'registry.example.com/web/cache:2', ...limits('32Mi') }] })],
    ],
  },
  {
    class: 'running',
    cause: 'service_sidecar_port_conflict',
    sources: ['Go net "bind: address already in use"; Node.js EADDRINUSE; nginx bind(); Envoy listener errors'],
    variants: [
      ['Deployment shop/profile', 'Go', samePort(8080, 'metrics', ['2026/06/02 08:11:09 listen tcp :8080: bind: address already in use'])],
      ['Deployment web/next', 'Node.js', samePort(3000, 'exporter', ['Error: listen EADDRINUSE: address already in use 0.0.0.0:3000', "  code: 'EADDRINUSE', errno: -98, syscall: 'listen', address: '0.0.0.0', port: 3000"])],
      ['StatefulSet data/kafka-rest', 'the main container loses (Java)', samePort(8082, 'jmx', ['Exception in thread "main" java.net.BindException: Address already in use'], {}, 'kafka-rest')],
      ['Deployment payments/authorise', 'nginx', samePort(8443, 'nginx', ['nginx: [emerg] bind() to 0.0.0.0:8443 failed (98: Address already in use)'])],
      ['DaemonSet edge/ingress-shim', 'Envoy', samePort(15001, 'envoy', ["[critical][main] error initializing configuration: error adding listener: cannot bind '0.0.0.0:15001': Address already in use"])],
      ['Deployment ai-agents/tools', 'Python', samePort(9000, 'mcp', ["OSError: [Errno 98] Address already in use", "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 9000): address already in use"])],
    ],
  },
  {
    class: 'running',
    cause: 'deployment_zero_replicas',
    sources: ['kubernetes 1.3x apps/v1 Deployment: spec.replicas 0 leaves its Service without endpoints'],
    variants: [
      ['Deployment shop/payment', 'its caller complains', scaledToZero({}, 'checkout')],
      ['Deployment auth/sessions', 'its caller complains', scaledToZero({ port: 9000 }, 'login')],
      ['Deployment api/quotes', 'its caller complains', scaledToZero({}, 'frontend')],
      ['Deployment media/thumbor', 'behind an Ingress', (c, at) => {
        scaledToZero({ port: 8888 })(c, at);
        c.add('networking.k8s.io/v1', 'Ingress', { name: 'thumbor', namespace: at.namespace }, { spec: { rules: [{ host: 'img.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: at.name, port: { number: 80 } } } }] } }] } });
      }],
      ['Deployment ops/secrets-broker', 'its callers end', feltBy(scaledToZero(), 'secrets-broker', { name: 'deployer', log: [complaints.go] }, { name: 'scanner', log: [complaints.python] })],
      ['Deployment iot/telemetry', 'its caller complains', scaledToZero({}, 'dashboard')],
    ],
  },
  {
    class: 'running',
    cause: 'dependency_unavailable',
    sources: ['Go net, Node.js, Python requests and Java connection errors towards hosts outside the cluster'],
    variants: [
      ['Deployment payments/psp', 'Go', needsOutside('https://api.psp.example.com', ['{"level":"fatal","msg":"cannot reach payment provider","error":"Get \\"https://api.psp.example.com/v1/ping\\": dial tcp 203.0.113.40:443: connect: connection refused"}'])],
      ['StatefulSet data/replica', 'a database elsewhere', needsOutside('postgres://repl@198.51.100.12:5432/main', ['could not connect to the primary server: connection to server at "198.51.100.12", port 5432 failed: Connection timed out', '\tIs the server running on that host and accepting TCP/IP connections?'], { port: 5432 })],
      ['Deployment mail/notifier', 'Node.js', needsOutside('smtp://smtp.provider.example', ['Error: connect ETIMEDOUT 198.51.100.25:587', "  errno: -110, code: 'ETIMEDOUT', syscall: 'connect', address: '198.51.100.25', port: 587"])],
      ['CronJob ops/sync-ldap', 'Python', needsOutside('ldaps://ldap.corp.example', ['ldap3.core.exceptions.LDAPSocketOpenError: socket connection error while opening: [Errno 113] No route to host'], { port: 0 })],
      ['Deployment erp/tax', 'Java, answers 503', needsOutside('https://tax.gov.example', ['Exception in thread "main" org.springframework.web.client.HttpServerErrorException$ServiceUnavailable: 503 Service Unavailable on GET request for "https://tax.gov.example/api/rates": "upstream maintenance"'])],
    ],
  },
  {
    class: 'running',
    cause: 'application_error',
    sources: ['stack traces of Go, Java, Python, Node.js, Rust, .NET as their runtimes print them'],
    variants: [
      ['Deployment shop/promotions', 'Go nil pointer', crashes(2, ['panic: runtime error: invalid memory address or nil pointer dereference', '[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x6f2b11]', '', 'goroutine 1 [running]:', 'main.(*Engine).load(0x0)', '\t/src/engine.go:88 +0x31'])],
      ['Deployment tax/rates', 'its caller ends too', feltBy(crashes(1, ['Traceback (most recent call last):', '  File "/srv/rates.py", line 12, in <module>', '    TABLE = parse(open("table.csv"))', 'ValueError: could not convert string to float: "n/a"']), 'rates', { name: 'tills', log: [complaints.java] })],
      ['StatefulSet data/ingest', 'Java', crashes(1, ['Exception in thread "main" java.lang.NullPointerException: Cannot invoke "com.acme.Schema.version()" because "this.schema" is null', '\tat com.acme.ingest.Main.run(Main.java:57)'])],
      ['Deployment ml/scorer', 'Python', crashes(1, ['Traceback (most recent call last):', '  File "/app/score.py", line 91, in <module>', '    weights = table["v4"]', "KeyError: 'v4'"])],
      ['CronJob reports/kpi', 'Node.js', crashes(1, ['TypeError: Cannot read properties of undefined (reading \'total\')', '    at buildReport (/app/report.js:41:22)', 'Node.js v22.16.0'], { port: 0 })],
      ['DaemonSet edge/sensor', 'Rust', crashes(101, ["thread 'main' panicked at src/main.rs:44:9:", 'index out of bounds: the len is 3 but the index is 3', 'note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace'])],
      ['Deployment crm/sync', '.NET', crashes(139, ['Unhandled exception. System.InvalidOperationException: Sequence contains no elements', '   at System.Linq.ThrowHelper.ThrowNoElementsException()'])],
    ],
  },
];
