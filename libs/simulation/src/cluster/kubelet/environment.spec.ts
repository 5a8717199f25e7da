import type { Container, Pod } from '../types';
import { environmentOf } from './environment';

const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] } };
const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'ns', labels: { app: 'x' } }, spec: { containers: [], nodeName: 'n1' } };
const sources = {
  secrets: { get: (key: string) => (key === 'ns/s' ? { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { pw: Buffer.from('hidden').toString('base64') } } : undefined) },
  configMaps: { get: (key: string) => (key === 'ns/c' ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { A: '1', B: '2' } } : undefined) },
};
const resolve = (container: Partial<Container>) => environmentOf(pod, { name: 'c', image: 'x', ...container }, '10.42.0.5', node, sources);

describe('a container environment', () => {
  it('comes from values, Secrets, ConfigMaps and fields, later ones over earlier ones', () => {
    const env = resolve({
      envFrom: [{ configMapRef: { name: 'c' }, prefix: 'P_' }],
      env: [
        { name: 'P_B', value: 'mine' },
        { name: 'PW', valueFrom: { secretKeyRef: { name: 's', key: 'pw' } } },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'URL', value: 'x://$(PW)@$(MISSING)/$$' },
      ],
    });
    expect(env).toMatchObject({ P_A: '1', P_B: 'mine', PW: 'hidden', NODE: 'n1', APP: 'x', URL: 'x://hidden@$(MISSING)/$' });
  });

  it.each([
    [{ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'nope', key: 'k' } } }] }, 'secret "nope" not found'],
    [{ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }, "couldn't find key k in Secret ns/s"],
    [{ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }] }, "couldn't find key k in ConfigMap ns/c"],
    [{ envFrom: [{ configMapRef: { name: 'nope' } }] }, 'configmap "nope" not found'],
  ])('fails in the words of the kubelet %#', (container, message) => expect(() => resolve(container)).toThrow(message));

  it('leaves out what is optional and missing', () => {
    expect(resolve({ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'nope', key: 'k', optional: true } } }] })).not.toHaveProperty('X');
  });
});
