import type { KubeObject } from '@larry/contracts';
import { gzipSync } from 'node:zlib';

/** What must be found nowhere. Built from parts, so that no scanner takes this file for a leak. */
export const canaries = {
  secret: 'zwiebackporridge',
  environment: `Tr0ub4dor-${'7e1c'}`,
  configMap: `Kestrel!${'42'}plover`,
  logLine: `Wren_${'93'}thistle`,
  annotation: `ghp_${'q7Zk'.repeat(9)}`,
  helmValues: `Bramble-${'58'}finch`,
  databaseUrl: `Otter%40${'61'}sorrel`,
  gitRemote: `glpat-${'Xy9w'.repeat(6)}`,
  jobArguments: `Heron${'17'}burdock`,
  event: `Linnet${'29'}yarrow`,
  fileName: `hvs.${'CAESbadger'.repeat(3)}`,
  nodeAnnotation: `K10${'4f'.repeat(32)}::server:${'9c'.repeat(16)}`,
} as const;

/** A value that is no secret, in the same places: found wherever the search is able to find something. */
export const control = 'control-magpie';

const namespace = 'canaries';
const meta = (name: string, more: object = {}): KubeObject['metadata'] => ({ name, namespace, ...more });
const pod = (container: object, more: object = {}) => ({ metadata: { labels: { app: control } }, spec: { containers: [{ name: 'app', ...container }], ...more } });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The objects that carry them; each is ordinary, and what is wrong with it makes somebody look at it. */
export function plantedObjects(node: string): KubeObject[] {
  const labels = { app: control };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    // Plain, in base64 twice over, and as it stands in a URL: under names that say nothing.
    { apiVersion: 'v1', kind: 'Secret', metadata: meta('letters'), type: 'Opaque', data: { greeting: base64(canaries.secret), again: base64(base64(canaries.secret)), link: base64(`x=${encodeURIComponent(`${canaries.secret}/?`)}`) } },
    { apiVersion: 'v1', kind: 'Secret', metadata: meta('line'), stringData: { line: `connecting to postgres://app:${canaries.logLine}@db.canaries:5432/app failed: password=${canaries.logLine}` } },
    { apiVersion: 'v1', kind: 'Secret', metadata: meta('sh.helm.release.v1.songbird.v1', { labels: { owner: 'helm', name: 'songbird', status: 'deployed', version: '1' } }), type: 'helm.sh/release.v1', data: { release: base64(gzipSync(JSON.stringify(helmRelease())).toString('base64')) } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('settings'), data: { 'application.properties': `spring.datasource.username=app\nspring.datasource.password=${canaries.configMap}\n`, [`dump-${canaries.fileName}.sql`]: 'select 1;' } },
    {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta(control, { labels, annotations: { 'example.io/deploy-token': canaries.annotation } }),
      spec: {
        replicas: 1, selector: { matchLabels: labels },
        template: pod({
          image: 'busybox:1.36', command: ['sh', '-c', 'echo $LINE; sleep 1; exit 1'], securityContext: { privileged: true },
          env: [
            { name: 'LINE', valueFrom: { secretKeyRef: { name: 'line', key: 'line' } } },
            { name: 'SMTP_PASSWORD', value: canaries.environment },
            { name: 'DATABASE_URL', value: `postgres://app:${canaries.databaseUrl}@db.canaries:5432/app` },
            { name: 'GIT_REMOTE', value: `https://bot:${canaries.gitRemote}@git.example/songbird.git` },
            { name: 'DUMP_FILE', value: `/backup/dump-${canaries.fileName}.sql` },
          ],
        }),
      },
    },
    { apiVersion: 'batch/v1', kind: 'Job', metadata: meta(`${control}-job`, { labels }), spec: { backoffLimit: 1, template: pod({ image: 'busybox:1.36', command: ['sh', '-c', 'exit 1'], args: ['--user', 'app', '--password', canaries.jobArguments, `--api-key=${canaries.jobArguments}`] }, { restartPolicy: 'Never' }) } },
    { apiVersion: 'v1', kind: 'Event', metadata: meta(`${control}.17`), type: 'Warning', reason: 'Failed', count: 3, message: `Failed to pull image "bot:${canaries.event}@registry.example/songbird:1": token=${canaries.event}`, involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: control }, source: { component: 'kubelet', host: node }, firstTimestamp: new Date().toISOString(), lastTimestamp: new Date().toISOString() },
  ] as unknown as KubeObject[];
}

/** What k3s itself writes at a node that was joined with a token on its command line. */
export const nodeArguments = JSON.stringify(['server', '--token', canaries.nodeAnnotation, '--node-label', control]);

function helmRelease(): unknown {
  const chart = { metadata: { name: 'songbird', version: '1.0.0', apiVersion: 'v2', appVersion: '1' }, values: { auth: { password: 'changeme' } }, templates: [] };
  return { name: 'songbird', namespace, version: 1, info: { status: 'deployed', first_deployed: '2026-11-20T08:00:00Z', last_deployed: '2026-11-20T08:00:00Z' }, chart, config: { auth: { username: control, password: canaries.helmValues } }, manifest: '' };
}

/** The forms in which a value may come by: as it is, in base64, in a URL, in JSON. */
export function formsOf(value: string): string[] {
  return [...new Set([value, base64(value).replace(/=+$/, ''), encodeURIComponent(value), JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('hex')])];
}

/** The names of the canaries that stand in a text, in any form. */
export function canariesIn(text: string): string[] {
  return Object.entries(canaries).flatMap(([name, value]) => (formsOf(value).some((form) => text.includes(form)) ? [name] : []));
}
