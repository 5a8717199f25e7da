import type { KubeObject } from '@larry/contracts';
import { aDeployment } from '@larry/kube/testing';
import { ingress, service } from '../rules/exposure/__fixtures__/objects';
import { policy } from '../rules/network-policy/__fixtures__/policies';
import { secretValues } from '../rules/plain-secrets/__fixtures__/values';
import { breaches } from '../rules/pod-security-standards/__fixtures__/breaches';
import { binding, right, role } from '../rules/rbac-risk/__fixtures__/rbac';
import { namespace } from './scan';

const rbac = 'rbac.authorization.k8s.io';
const rights: [string, object][] = [
  ['wildcard', right(['*'], ['get'])],
  ['read-secrets', right(['secrets'], ['list'])],
  ['escalate', right(['clusterroles'], ['escalate'], [rbac])],
  ['pod-exec', right(['pods/exec'], ['create'])],
  ['create-pods', right(['pods'], ['create'])],
  ['nodes-proxy', right(['nodes/proxy'], ['get'])],
  ['token-request', right(['serviceaccounts/token'], ['create'])],
  ['certificates', right(['certificatesigningrequests/approval'], ['update'], ['certificates.k8s.io'])],
  ['webhooks', right(['mutatingwebhookconfigurations'], ['update'], ['admissionregistration.k8s.io'])],
  ['volumes', right(['persistentvolumes'], ['create'])],
];

/** Objects in three namespaces that break every rule of every family at least once. */
export function everyRule(): KubeObject[] {
  const app = 'ServiceAccount database/app';
  return [
    namespace('database', { 'pod-security.kubernetes.io/warn': 'severe' }),
    namespace('guarded'),
    namespace('empty'),
    ...breaches.map(({ spec, metadata }, i) => brokenPod(i, spec(), metadata)),
    aDeployment({ name: 'images', namespace: 'guarded', template: { containers: images() } }),
    policy('some', { podSelector: { matchLabels: { app: 'images' } }, policyTypes: ['Ingress'], ingress: [{}] }, 'guarded'),
    ...rights.flatMap(([name, entry]) => [role(name, [entry]), binding(name, name, [app])]),
    binding('admin', 'cluster-admin', [app, 'User jane']),
    binding('open', 'read-secrets', ['Group system:unauthenticated', 'Group system:authenticated', 'ServiceAccount database/default']),
    service({ type: 'LoadBalancer', ports: [{ port: 5432 }] }, {}),
    named(service({ type: 'LoadBalancer', ports: [{ port: 80 }] }), 'lb'),
    named(service({ type: 'NodePort', ports: [{ port: 80 }] }), 'np'),
    named(service({ externalIPs: ['192.0.2.1'], ports: [{ port: 80 }] }), 'ip'),
    ingress({ rules: [{ host: 'a.example.com' }] }),
    named(ingress({ rules: [{}] }), 'any'),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'database' }, data: { token: secretValues.githubToken, 'a.properties': 'db.password=hunter2\n' } },
  ]; // prettier-ignore
}

function brokenPod(index: number, spec: Record<string, unknown>, metadata: unknown): KubeObject {
  const object = aDeployment({ name: `broken-${index}`, namespace: 'database', template: spec });
  const template = (object['spec'] as { template: { metadata: object } }).template;
  template.metadata = { ...template.metadata, ...(metadata as object | undefined) };
  return object;
}

function images(): object[] {
  const env = [{ name: 'DB_PASSWORD', value: 'hunter2' }];
  return ['app:latest', 'app:1', 'Not A Name', 'foreign.example/app:1'].map((image, i) => ({ name: `c${i}`, image, env }));
}

function named(object: KubeObject, name: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, name } };
}
