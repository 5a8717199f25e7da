import type { KubeObject } from '@larry/contracts';
import type { Chance } from './chance';
import type { Workload } from './workload';

const openings = [
  ['Picked up JAVA_TOOL_OPTIONS: -XX:MaxRAMPercentage=75', ' :: Spring Boot ::                (v3.4.5)', 'INFO 1 --- [main] o.s.b.f.s.DefaultListableBeanFactory : Bean definitions read: 412'],
  ['> app@2.1.0 start', '> node server.js', '', '(node:1) [DEP0040] DeprecationWarning: The `punycode` module is deprecated. Please use a userland alternative instead.'],
  ['INFO configuration loaded from /etc/app/config.yaml', 'DEBUG feature flags: {"beta":false,"errors.verbose":true}', 'WARN metrics: OTEL exporter not configured, traces are dropped', 'INFO registered 48 routes'],
  ['[entrypoint] umask 0022, uid 1000', '[entrypoint] waiting 0 s', 'INFO cache warmed: 0 errors, 1204 entries'],
];
const endings = [
  ['INFO shutdown hook: closing 2 idle connections', 'INFO bye'],
  ['npm error Lifecycle script `start` failed with error:', 'npm error code 1', 'npm error path /app'],
  ['', 'exit status 1'],
  ['INFO flushing telemetry', 'INFO flushed 3 spans'],
];

/** What a program logs as an error: its own failure, and what goes on about it. */
const failure = /error|exception|refused|denied|fail|could not|cannot|caused by|fatal|panic|timed out|too many|read-only/i;

/**
 * Logs as programs of one's own write them: the line that matters among others, and sometimes every line as JSON.
 * Images of somebody else's program (a database, a proxy, pgAdmin) keep the exact log that the case gives.
 */
export function dressLogs(chance: Chance, workloads: readonly Workload[], logs: Record<string, string[]>): void {
  for (const workload of workloads) {
    if (!workload.template.containers[0]?.image.startsWith('registry.example.com/apps/')) continue;
    const style = chance.pick(['bare', 'bare', 'among others', 'among others', 'json']);
    const opening = chance.pick(openings);
    const ending = chance.pick(endings);
    for (const pod of workload.pods) {
      for (const suffix of ['', ':previous']) {
        const key = `${pod.metadata.namespace}/${pod.metadata.name}/${workload.main}${suffix}`;
        const lines = logs[key];
        if (lines === undefined || lines.length === 0) continue;
        const running = suffix === '' && pod.status.containerStatuses?.some(({ name, ready }) => name === workload.main && ready);
        if (style === 'among others') logs[key] = [...opening, ...lines, ...(running ? [] : ending)];
        if (style === 'json' && lines.length <= 2) logs[key] = lines.map((msg, index) => JSON.stringify({ ts: 1_780_000_000 + index, level: failure.test(msg) || (index === lines.length - 1 && !running) ? 'error' : 'info', logger: 'app', msg }));
      }
    }
  }
}

/** Marks of who manages a workload: Helm for a third, kubectl for a third, nobody for the rest. */
export function dressOwners(chance: Chance, workloads: readonly Workload[]): void {
  for (const { root } of workloads) {
    const by = chance.pick(['helm', 'kubectl', 'nobody']);
    if (root.kind === 'Pod' || by === 'nobody') continue;
    const fields = (names: string[]) => ({ 'f:spec': Object.fromEntries(names.map((name) => [`f:${name}`, {}])) });
    const manager = by === 'helm' ? 'helm' : 'kubectl-client-side-apply';
    mark(root, by);
    root.metadata.managedFields = [
      { manager, operation: 'Update', apiVersion: root.apiVersion, fieldsType: 'FieldsV1', fieldsV1: fields(['replicas', 'template']) },
      { manager: 'k3s', operation: 'Update', apiVersion: root.apiVersion, fieldsType: 'FieldsV1', fieldsV1: { 'f:status': { 'f:conditions': {} } }, subresource: 'status' },
    ];
  }
}

function mark(root: KubeObject, by: string): void {
  const { metadata } = root;
  if (by === 'helm') {
    metadata.labels = { ...metadata.labels, 'app.kubernetes.io/managed-by': 'Helm', 'helm.sh/chart': `${metadata.name}-1.2.3` };
    metadata.annotations = { ...metadata.annotations, 'meta.helm.sh/release-name': metadata.name, 'meta.helm.sh/release-namespace': metadata.namespace ?? '' };
  } else metadata.annotations = { ...metadata.annotations, 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ apiVersion: root.apiVersion, kind: root.kind, metadata: { name: metadata.name, namespace: metadata.namespace } }) };
}
