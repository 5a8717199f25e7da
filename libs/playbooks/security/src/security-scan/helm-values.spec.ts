import { gzipSync } from 'node:zlib';
import type { KubeObject } from '@larry/contracts';
import { aDeployment, memoryCluster } from '@larry/kube/testing';
import { parse } from 'yaml';
import { namespace, scan } from './__fixtures__/scan';

/** Helm's record of a release `shop` of the chart `web`. */
function record(values: Record<string, unknown>, template?: string): KubeObject {
  const templates =
    template === undefined ? undefined : [{ name: 'deployment.yaml', data: Buffer.from(template).toString('base64') }];
  const packed = gzipSync(
    JSON.stringify({ name: 'shop', chart: { values, templates }, config: { password: 'hunter2' } }),
  ).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: 'sh.helm.release.v1.shop.v1',
      namespace: 'shop',
      labels: { owner: 'helm', name: 'shop', status: 'deployed' },
    },
    data: { release: Buffer.from(packed).toString('base64') },
  };
}

const annotations = { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'shop' };
const labels = { 'app.kubernetes.io/managed-by': 'Helm', 'helm.sh/chart': 'web-1.2.3' };
const web = (template: Record<string, unknown>) =>
  aDeployment({ name: 'web', namespace: 'shop', annotations, labels, template });
const privileged = { containers: [{ name: 'app', image: 'a:1', securityContext: { privileged: true } }] };
const createStyle = { securityContext: {}, podSecurityContext: {} };

async function remedyOf(rule: string, template: Record<string, unknown>, records: KubeObject[], helmValues = true) {
  const { findings } = await scan(memoryCluster([namespace('shop'), web(template), ...records]), {
    others: true,
    helmValues,
  });
  return findings.find((f) => f.rule === rule)?.remedy;
}

describe("the remedy of a Helm release's object", () => {
  it("is the chart's value where the chart has one by convention", async () => {
    const remedy = await remedyOf('pss-baseline/privileged', privileged, [record(createStyle)]);
    expect(remedy).toMatchObject({ layer: 'helm-value', release: 'shop', namespace: 'shop' });
    expect(parse((remedy as { values: string }).values)).toEqual({ securityContext: { privileged: false } });
  });

  it.each<[string, Record<string, unknown>, string, Record<string, unknown>, unknown]>([
    [
      'containerSecurityContext',
      { containerSecurityContext: {} },
      'pss-baseline/privileged',
      privileged,
      { containerSecurityContext: { privileged: false } },
    ],
    [
      'securityContext of the pod',
      { securityContext: {}, containerSecurityContext: {} },
      'pss-baseline/seccomp',
      { ...privileged, securityContext: { seccompProfile: { type: 'Unconfined' } } },
      { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
    ],
    [
      'hostNetwork',
      { hostNetwork: true },
      'pss-baseline/host-namespaces',
      { ...privileged, hostNetwork: true },
      { hostNetwork: false },
    ],
  ])('knows %s', async (_, values, rule, template, expected) => {
    const remedy = await remedyOf(rule, template, [record(values)]);
    expect(parse((remedy as { values: string }).values)).toEqual(expected);
  });

  it.each<[string, Record<string, unknown>, KubeObject[]]>([
    ['a chart without such a value', privileged, [record({ image: 'a' })]],
    ['securityContext alone, which may be the pod’s or the container’s', privileged, [record({ securityContext: {} })]],
    ['a value that no template reads', privileged, [record(createStyle, '{{ .Values.image }}')]],
    [
      'two containers, which one value cannot tell apart',
      { containers: [...privileged.containers, { ...privileged.containers[0], name: 'b' }] },
      [record(createStyle)],
    ],
    ['no record', privileged, []],
  ])("shows the template's fields for %s", async (_, template, records) => {
    expect(await remedyOf('pss-baseline/privileged', template, records)).toMatchObject({
      layer: 'manifest',
      note: expect.stringContaining('Helm release shop/shop') as string,
    });
  });

  it('believes a template that reads the value', async () => {
    expect(
      await remedyOf('pss-baseline/privileged', privileged, [
        record(createStyle, '{{ toYaml .Values.securityContext }} {{ .Values.podSecurityContext }}'),
      ]),
    ).toMatchObject({ layer: 'helm-value' });
  });

  it('reads no Secret unless asked to', async () => {
    expect(await remedyOf('pss-baseline/privileged', privileged, [record(createStyle)], false)).toMatchObject({
      layer: 'manifest',
    });
  });
});
