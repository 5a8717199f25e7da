import type { KubeObject } from '@larry/contracts';
import { aDeployment, aPod, memoryCluster } from '@larry/kube/testing';
import { namespace, scan } from '../../__fixtures__/scan';
import { policy } from './__fixtures__/policies';

const pod = (name: string, labels: Record<string, string> = {}, spec: Record<string, unknown> = {}) =>
  aPod({ name, namespace: 'database', labels, spec });

async function said(objects: KubeObject[], unknown: Record<string, string> = {}) {
  const diagnosis = await scan(memoryCluster([namespace('database'), ...objects], { unknown }), {
    namespaces: ['database'],
  });
  return diagnosis.findings.filter((f) => f.rule.startsWith('network-policy/'));
}
const rules = (findings: { rule: string; also: string[] }[]) =>
  Object.fromEntries(findings.map((f) => [f.rule.replace('network-policy/', ''), f.also]));
const deny = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };

describe('network-policy coverage', () => {
  it('is open both ways where there is no policy, naming the pods', async () => {
    expect(rules(await said([pod('a'), pod('b')]))).toEqual({
      'open-ingress': ['Pod database/a', 'Pod database/b'],
      'open-egress': ['Pod database/a', 'Pod database/b'],
    });
  });

  it('is complete with a default deny', async () => {
    expect(await said([pod('a'), policy('deny', deny)])).toEqual([]);
  });

  it('defaults policyTypes as the API does: ingress always, egress only with a rule for it', async () => {
    expect(rules(await said([pod('a'), policy('p', { podSelector: {} })]))).toEqual({
      'open-egress': ['Pod database/a'],
    });
    expect(await said([pod('a'), policy('p', { podSelector: {}, egress: [{ to: [{ podSelector: {} }] }] })])).toEqual(
      [],
    );
    expect(rules(await said([pod('a'), policy('p', { podSelector: {}, policyTypes: ['Egress'] })]))).toEqual({
      'open-ingress': ['Pod database/a'],
    });
  });

  it.each([
    ['matchLabels', { matchLabels: { app: 'a' } }, ['Pod database/b', 'Pod database/c']],
    ['In', { matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] }, ['Pod database/c']],
    [
      'NotIn, which also takes pods without the label',
      { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] },
      ['Pod database/a'],
    ],
    ['Exists', { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, ['Pod database/c']],
    [
      'DoesNotExist',
      { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] },
      ['Pod database/a', 'Pod database/b'],
    ],
    [
      'both kinds together',
      { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
      ['Pod database/a', 'Pod database/b', 'Pod database/c'],
    ],
    [
      'an operator that does not exist',
      { matchExpressions: [{ key: 'app', operator: 'Like', values: ['a'] }] },
      ['Pod database/a', 'Pod database/b', 'Pod database/c'],
    ],
  ])('reads %s', async (_, podSelector, open) => {
    const pods = [pod('a', { app: 'a' }), pod('b', { app: 'b' }), pod('c')];
    const found = await said([...pods, policy('p', { podSelector, policyTypes: ['Ingress', 'Egress'] })]);
    expect(rules(found)['open-ingress']).toEqual(open);
  });

  it('counts no policy of another namespace', async () => {
    expect(rules(await said([pod('a'), policy('deny', deny, 'other')]))['open-ingress']).toEqual(['Pod database/a']);
  });

  it('says when every pod of today is covered and the next would not be', async () => {
    const found = await said([
      pod('a', { app: 'a' }),
      policy('p', { podSelector: { matchLabels: { app: 'a' } }, policyTypes: ['Ingress', 'Egress'] }),
    ]);
    expect(rules(found)).toEqual({ 'no-default-deny': [] });
  });

  it('leaves out pods on the network of their node, pods that have ended, and namespaces without pods', async () => {
    expect(
      await said([
        pod('a', {}, { hostNetwork: true }),
        aPod({ name: 'done', namespace: 'database', status: { phase: 'Succeeded' } }),
      ]),
    ).toEqual([]);
    expect(await said([])).toEqual([]);
  });

  it('judges the template of a workload that has no pods, and its real pods where it has', async () => {
    const workload = aDeployment({ name: 'web', namespace: 'database' });
    expect(rules(await said([workload]))['open-ingress']).toEqual(['Deployment database/web']);
    const real = aPod({
      name: 'web-1',
      namespace: 'database',
      labels: { app: 'web', extra: 'yes' },
      controller: workload,
    });
    const forPod = policy('p', { podSelector: { matchLabels: { extra: 'yes' } }, policyTypes: ['Ingress', 'Egress'] });
    expect(rules(await said([workload, real, forPod]))).toEqual({ 'no-default-deny': [] });
  });

  it('says a policy that lets everybody in', async () => {
    const found = await said([pod('a'), policy('open', { ...deny, ingress: [{}], egress: [{}] })]);
    expect(found.map((f) => [f.rule, f.object.name])).toEqual([['network-policy/allows-everything', 'open']]);
  });

  it('gives the missing policy as its remedy, and warns of what it would cut off', async () => {
    const [finding] = (await said([pod('a')])).filter((f) => f.rule.endsWith('open-ingress'));
    expect(finding?.remedy).toMatchObject({
      layer: 'manifest',
      note: expect.stringContaining('first add a policy that allows') as string,
    });
    expect((finding?.remedy as { yaml: string }).yaml).toContain('podSelector: {}');
  });

  it('claims nothing when policies cannot be listed', async () => {
    expect(await said([pod('a')], { NetworkPolicy: 'forbidden' })).toEqual([]);
  });
});
