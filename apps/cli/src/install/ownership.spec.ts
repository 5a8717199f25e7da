import type { KubeObject } from '@larry/contracts';
import { isForeign, isOurClaim, isOurJob, isOurNamespace, isOurRelease, isOurSecret } from './ownership';
import { ourLabels } from './secrets';

const object = (kind: string, namespace: string | undefined, name: string, labels: Record<string, string>): KubeObject => ({ apiVersion: 'v1', kind, metadata: { name, ...(namespace ? { namespace } : {}), labels } });
const part = { 'app.kubernetes.io/part-of': 'larry' };
const redis = { app: 'larry-redis', 'larry-instance': 'meta-coordinator' };
const state = { ...part, 'app.kubernetes.io/name': 'larry-01' };
const job = { ...part, app: 'larry-worker', 'larry-instance': 'larry-02' };

it('knows what the charts and install make', () => {
  expect(isOurClaim(object('PersistentVolumeClaim', 'larry-01', 'larry-01-state', state))).toBe(true);
  expect(isOurClaim(object('PersistentVolumeClaim', 'meta-coordinator', 'data-larry-redis-0', redis))).toBe(true);
  expect(isOurSecret(object('Secret', 'larry-03', 'larry-keys', ourLabels))).toBe(true);
  expect(isOurJob(object('Job', 'larry-02', 'larry-02-cve-scan-worker', job))).toBe(true);
  expect(isOurNamespace(object('Namespace', undefined, 'larry-01', ourLabels))).toBe(true);
  expect(isOurRelease({ name: 'larry-01', namespace: 'larry-01', chart: 'larry-01-0.1.0' })).toBe(true);
});

it.each([
  ['of another namespace', object('PersistentVolumeClaim', 'shop', 'customer-data', part)],
  ['of another namespace with the name of ours', object('PersistentVolumeClaim', 'shop', 'larry-01-state', state)],
  ['of a database that bears the labels of our Redis', object('PersistentVolumeClaim', 'database', 'pg-data', redis)],
  ['in our namespace with another name', object('PersistentVolumeClaim', 'larry-01', 'customer-data', state)],
  ['in our namespace without our labels', object('PersistentVolumeClaim', 'larry-01', 'larry-01-state', {})],
  ['of another larry', object('PersistentVolumeClaim', 'larry-02', 'larry-01-state', state)],
])('takes no claim %s for ours', (_, claim) => expect(isOurClaim(claim)).toBe(false));

it('takes no Secret, Job, namespace or release for ours by its labels or its name alone', () => {
  expect(isOurSecret(object('Secret', 'shop', 'prod-tls', ourLabels))).toBe(false);
  expect(isOurSecret(object('Secret', 'larry-01', 'prod-tls', ourLabels))).toBe(false);
  expect(isOurSecret(object('Secret', 'larry-01', 'larry-keys', {}))).toBe(false);
  expect(isOurSecret(object('Secret', 'larry-01', 'larry-approval-key', ourLabels))).toBe(false);
  expect(isOurJob(object('Job', 'shop', 'larry-02-cve-scan-worker', job))).toBe(false);
  expect(isOurJob(object('Job', 'larry-02', 'nightly', job))).toBe(false);
  expect(isOurNamespace(object('Namespace', undefined, 'victim-ns', ourLabels))).toBe(false);
  expect(isOurNamespace(object('Namespace', undefined, 'larry-01', part))).toBe(false);
  expect(isOurRelease({ name: 'larry-01', namespace: 'shop', chart: 'larry-01-0.1.0' })).toBe(false);
  expect(isOurRelease({ name: 'larry-01', namespace: 'larry-01', chart: 'larry-01-dashboards-1.0.0' })).toBe(false);
});

it('sees what is neither ours nor the cluster\'s own in a namespace of ours', () => {
  const helms = { 'meta.helm.sh/release-name': 'larry-01', 'meta.helm.sh/release-namespace': 'larry-01' };
  const released = (kind: string, name: string): KubeObject => ({ apiVersion: 'v1', kind, metadata: { name, namespace: 'larry-01', annotations: helms } });
  expect([object('ConfigMap', 'larry-01', 'notes', part), object('PersistentVolumeClaim', 'larry-01', 'customer-data', part), object('Secret', 'larry-01', 'prod-tls', ourLabels), released('PersistentVolumeClaim', 'mine')].map(isForeign)).toEqual([true, true, true, true]);
  const history = { ...object('Secret', 'larry-01', 'sh.helm.release.v1.larry-01.v1', { owner: 'helm' }), type: 'helm.sh/release.v1' };
  expect([released('Deployment', 'larry-01-coordinator'), object('ConfigMap', 'larry-01', 'kube-root-ca.crt', {}), object('ServiceAccount', 'larry-01', 'default', {}), object('Secret', 'larry-01', 'larry-keys', ourLabels), history].map(isForeign)).toEqual([false, false, false, false, false]);
});
