import { anObject, aDeployment, memoryCluster } from '@larry/kube/testing';
import type { KubeObject } from '@larry/contracts';
import { namespace, scan } from '../../__fixtures__/scan';
import { hardened } from './__fixtures__/hardened';

async function said(template: Record<string, unknown>, more: KubeObject[] = [], unknown: Record<string, string> = {}) {
  const { findings } = await scan(
    memoryCluster([namespace('database'), aDeployment({ namespace: 'database', template }), ...more], { unknown }),
  );
  return findings.filter((f) => f.rule.startsWith('hardening/'));
}
const rules = async (...given: Parameters<typeof said>) =>
  (await said(...given)).map((f) => f.rule.replace('hardening/', '')).sort();
const container = (change: object) => ({
  ...hardened(),
  containers: [{ ...(hardened()['containers'] as object[])[0], ...change }],
});
const limitRange = (limit: object) =>
  anObject('v1', 'LimitRange', { namespace: 'database', spec: { limits: [{ type: 'Container', ...limit }] } });
const account = (automount: unknown) =>
  anObject('v1', 'ServiceAccount', { name: 'default', namespace: 'database', automountServiceAccountToken: automount });

describe('workload hardening', () => {
  it('finds nothing in a hardened workload', async () => {
    expect(await rules(hardened())).toEqual([]);
  });

  it.each([
    ['no resources', { resources: {} }, ['memory-limit', 'resource-requests']],
    ['no memory limit', { resources: { requests: { cpu: 1, memory: '1Gi' } } }, ['memory-limit']],
    ['a limit alone, which is the request too', { resources: { limits: { cpu: '1', memory: '1Gi' } } }, []],
    ['a writable root', { securityContext: { readOnlyRootFilesystem: false } }, ['read-only-root']],
    ['no word about the root', { securityContext: null }, ['read-only-root']],
  ])('says %s', async (_, change, expected) => {
    expect(await rules(container(change))).toEqual(expected);
  });

  it('counts resources of the whole pod', async () => {
    const resources = { limits: { memory: '1Gi' }, requests: { cpu: '1' } };
    expect(await rules({ ...container({ resources: undefined }), resources })).toEqual([]);
  });

  it('counts the defaults of a LimitRange', async () => {
    expect(
      await rules(container({ resources: {} }), [
        limitRange({ default: { memory: '1Gi' }, defaultRequest: { cpu: '1' } }),
      ]),
    ).toEqual([]);
    expect(await rules(container({ resources: {} }), [limitRange({ max: { memory: '1Gi' } })])).toEqual([
      'memory-limit',
      'resource-requests',
    ]);
  });

  it('says a token of the default account, unless the pod or the account declines, or the pod asks for it', async () => {
    const silent = { ...hardened(), automountServiceAccountToken: undefined };
    expect(await rules(silent)).toEqual(['default-token']);
    expect(await rules({ ...silent, serviceAccountName: 'default' })).toEqual(['default-token']);
    expect(await rules({ ...silent, serviceAccountName: 'app' })).toEqual([]);
    expect(await rules({ ...silent, automountServiceAccountToken: true })).toEqual([]);
    expect(await rules(silent, [account(false)])).toEqual([]);
    expect(await rules(silent, [account(true)])).toEqual(['default-token']);
    expect(await rules(silent, [], { ServiceAccount: 'forbidden' })).toEqual([]);
  });

  it('points to each container that misses a field', async () => {
    const bare = { name: 'b', image: 'b:1' };
    const findings = await said({ ...hardened(), initContainers: [bare] });
    expect(findings.find((f) => f.rule === 'hardening/memory-limit')?.evidence).toMatchObject([
      { at: '.spec.template.spec.initContainers[0].resources.limits.memory', value: 'absent' },
    ]);
  });
});
