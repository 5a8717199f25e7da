// A cluster of many pods as objects: what a real one holds around them, in its proportions and about its sizes.
import { kubeTesting } from './libraries.mjs';

const { aDeployment, anObject, aPod, aReplicaSet, aService } = kubeTesting;
const podsPerDeployment = 10;
const deploymentsPerNamespace = 20;
const podsPerNode = 50;

export function* bigCluster(pods) {
  const deployments = Math.ceil(pods / podsPerDeployment);
  const namespaces = Math.ceil(deployments / deploymentsPerNamespace);
  for (let n = 0; n < Math.ceil(pods / podsPerNode); n++) yield aNode(`node-${n}`);
  for (let n = 0; n < namespaces; n++) yield* namespaceObjects(`team-${n}`);
  for (let d = 0; d < deployments; d++) yield* application(d, `team-${Math.floor(d / deploymentsPerNamespace)}`, Math.min(podsPerDeployment, pods - d * podsPerDeployment));
}

function aNode(name) {
  const status = { conditions: [{ type: 'Ready', status: 'True' }], capacity: { cpu: '8', memory: '32Gi', pods: '110' }, nodeInfo: { kubeletVersion: 'v1.35.2+k3s1' } };
  return anObject('v1', 'Node', { name, status }, false);
}

function* namespaceObjects(name) {
  yield anObject('v1', 'Namespace', { name, labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } }, false);
  yield anObject('v1', 'ServiceAccount', { name: 'default', namespace: name });
  yield anObject('networking.k8s.io/v1', 'NetworkPolicy', { name: 'deny', namespace: name, spec: { podSelector: {}, policyTypes: ['Ingress'] } });
}

function* application(index, namespace, pods) {
  const name = `app-${index}`;
  const labels = { app: name, 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': namespace };
  const template = podSpec(name);
  const deployment = withManagers(aDeployment({ name, namespace, labels, spec: { replicas: pods, selector: { matchLabels: { app: name } } }, template }));
  const set = withManagers(aReplicaSet({ name: `${name}-7d9c5b8f6d`, namespace, labels, controller: deployment, spec: { replicas: pods, selector: { matchLabels: { app: name } } }, template }));
  yield deployment;
  yield set;
  yield aService({ name, namespace, labels });
  yield anObject('v1', 'ConfigMap', { name, namespace, data: { 'app.yaml': 'level: info\n'.repeat(20) } });
  for (let p = 0; p < pods; p++) {
    const pod = aPod({ name: `${name}-7d9c5b8f6d-${p}`, namespace, labels, controller: set, spec: { ...template, nodeName: `node-${Math.floor((index * podsPerDeployment + p) / podsPerNode)}` }, status: podStatus(name, p) });
    yield withManagers(pod);
  }
}

function podSpec(name) {
  return {
    serviceAccountName: 'default',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'app',
        image: `registry.example.com/${name}:1.4.${name.length}`,
        ports: [{ containerPort: 8080 }],
        env: Array.from({ length: 12 }, (_, i) => ({ name: `SETTING_${i}`, value: `value-${i}` })),
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
        livenessProbe: { httpGet: { path: '/healthz', port: 8080 } },
      },
    ],
    volumes: [{ name: 'config', configMap: { name } }],
    tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
  };
}

/** One pod in a hundred is in trouble. */
function podStatus(name, index) {
  const crashing = name.endsWith('7') && index === 0;
  const state = crashing ? { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' } } : { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const container = { name: 'app', ready: !crashing, restartCount: crashing ? 40 : 0, state, image: `registry.example.com/${name}`, imageID: `registry.example.com/${name}@sha256:${'0'.repeat(64)}` };
  return {
    phase: 'Running',
    podIP: '10.42.0.1',
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: crashing ? 'False' : 'True', lastTransitionTime: '2026-01-01T00:00:00Z' })),
    containerStatuses: [container],
  };
}

/** Field ownership is a good third of what a real API server sends. */
function withManagers(object) {
  const fields = { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } }, 'f:spec': Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f:field${i}`, { '.': {}, 'f:name': {}, 'f:value': {} }])) };
  object.metadata.managedFields = [
    { manager: 'kube-controller-manager', operation: 'Update', apiVersion: object.apiVersion, time: '2026-01-01T00:00:00Z', fieldsType: 'FieldsV1', fieldsV1: fields },
    { manager: 'k3s', operation: 'Update', apiVersion: object.apiVersion, time: '2026-01-01T00:00:00Z', fieldsType: 'FieldsV1', subresource: 'status', fieldsV1: fields },
  ];
  return object;
}
