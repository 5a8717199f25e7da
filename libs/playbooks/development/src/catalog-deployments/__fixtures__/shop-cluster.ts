import type { KubeObject, TaskResult } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { aConfigMap, aDeployment, aNamespace, anEvent, anObject, aPod, aReplicaSet, aSecret, aService, aStatefulSet } from '@larry/kube/testing';
import type { PlaybookContext } from '@larry/playbook';

const digest = `sha256:${'ab'.repeat(32)}`;
const namespace = 'shop';

/** A shop: ingress → service → deployment of two pods, which needs a Secret, a ConfigMap, a claim and a database by its host name. */
export function shopObjects(): KubeObject[] {
  const web = aDeployment({
    name: 'web',
    namespace,
    labels: { 'app.kubernetes.io/name': 'web' },
    status: { readyReplicas: 2 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          serviceAccountName: 'web',
          containers: [
            {
              name: 'app',
              image: 'example.com/web:1.4',
              ports: [{ containerPort: 8080 }],
              env: [
                { name: 'DB_URL', value: 'postgresql://web:secret@db.shop.svc.cluster.local:5432/web' },
                { name: 'CACHE_HOST', value: 'cache' },
                { name: 'GREETING', value: 'db is a word' },
                { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'web', key: 'token' } } },
              ],
              envFrom: [{ configMapRef: { name: 'web' } }],
            },
          ],
          volumes: [
            { name: 'data', persistentVolumeClaim: { claimName: 'uploads' } },
            { name: 'tls', secret: { secretName: 'missing-tls' } },
            { name: 'maybe', configMap: { name: 'maybe', optional: true } },
          ],
        },
      },
    },
  });
  const set = aReplicaSet({ name: 'web-1', namespace, controller: web });
  const pod = (id: string) =>
    aPod({
      name: `web-1-${id}`,
      namespace,
      controller: set,
      spec: { containers: [{ name: 'app', image: 'example.com/web:1.4' }] },
      status: { conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [{ name: 'app', restartCount: 1, imageID: `example.com/web@${digest}` }] },
    });
  const pods = [pod('a'), pod('b')];
  return [
    aNamespace(namespace),
    web,
    set,
    ...pods,
    aService({ name: 'web', namespace }),
    aService({ name: 'cache', namespace, spec: { selector: { app: 'nothing' } } }),
    aStatefulSet({ name: 'db', namespace, template: { containers: [{ name: 'pg', image: 'postgres:17' }] } }),
    aService({ name: 'db', namespace, spec: { ports: [{ port: 5432 }] } }),
    anObject('networking.k8s.io/v1', 'Ingress', { name: 'web', namespace, spec: { rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 'web' } } }] } }] } }),
    aSecret({ name: 'web', namespace, data: { token: 'aHVudGVyMg==' } }),
    aSecret({ name: 'forgotten', namespace, data: { x: 'eA==' } }),
    aConfigMap({ name: 'web', namespace, data: { mode: 'prod' } }),
    anObject('v1', 'PersistentVolumeClaim', { name: 'uploads', namespace }),
    anObject('v1', 'ServiceAccount', { name: 'web', namespace }),
    anObject('cert-manager.io/v1', 'Certificate', { name: 'web', namespace, spec: { secretName: 'forgotten' } }),
    anEvent(pods[0] as KubeObject, { reason: 'Pulled' }),
  ];
}

export const shopDigest = digest;

/** A context over a reader whose time stands still. */
export function aContext<Options>(cluster: ClusterReader, options: Options, results: Record<string, TaskResult> = {}): PlaybookContext<Options> {
  const quiet = () => undefined;
  return {
    run: 'run-1',
    task: 'catalog-deployments',
    cluster,
    options,
    signal: new AbortController().signal,
    results: new Map(Object.entries(results)),
    now: () => new Date('2026-06-01T12:00:00Z'),
    progress: quiet,
    wait: async () => undefined,
    log: { debug: quiet, info: quiet, warn: quiet },
  };
}
