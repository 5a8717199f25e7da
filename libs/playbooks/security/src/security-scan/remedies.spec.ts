import type { Finding, KubeObject } from '@larry/contracts';
import { memoryCluster } from '@larry/kube/testing';
import { everyRule } from './__fixtures__/every-rule';
import { scan } from './__fixtures__/scan';
import { rulesById } from './families';

const options = { others: true, registries: ['app', 'docker.io'] };
const flux = { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };
const helm = { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'database' };
const marked = ({ labels, annotations }: { labels?: Record<string, string>; annotations?: Record<string, string> }) =>
  everyRule().map((o): KubeObject => {
    const { metadata } = o;
    return { ...o, metadata: { ...metadata, labels: { ...metadata.labels, ...labels }, annotations: { ...metadata.annotations, ...annotations } } };
  });

/** Where the kinds that rules speak about keep what a remedy may name. */
const fieldsOf: Record<string, RegExp> = {
  Deployment: /\bspec\.template\.|spec:\n {2}template:|"spec":\{"template"/,
  ClusterRoleBinding: /\.rules\[\d+\] of ClusterRole |\.subjects\b|\/subjects\/\d+/,
  Namespace: /metadata\.labels\b|\blabels:|"labels":|kind: NetworkPolicy[^]*policyTypes:/,
  NetworkPolicy: /\.spec\.ingress\b/,
  Service: /\bspec\.\w|\bspec:|"spec":\{"/,
  Ingress: /\bspec\.\w|\bspec:|"spec":\{"tls"/,
  ConfigMap: /\.data\["/,
};

const textOf = ({ remedy }: Finding): string => (remedy.layer === 'none' ? remedy.reason : remedy.layer === 'patch' ? remedy.command : remedy.layer === 'manifest' ? remedy.yaml : remedy.values);

describe.each([
  ['nobody', () => memoryCluster(everyRule())],
  ['Helm', () => memoryCluster(marked({ annotations: helm }))],
  ['Flux', () => memoryCluster(marked({ labels: flux }))],
  ['nobody known, over a dump', () => memoryCluster(everyRule(), { source: { type: 'dump' } })],
])('the remedies of every rule, where the owner is %s', (_, cluster) => {
  let findings: Finding[];
  beforeAll(async () => {
    ({ findings } = await scan(cluster(), options));
  });

  it('are all looked at here', () => {
    const said = new Set(findings.map((f) => f.rule));
    expect([...rulesById.keys()].filter((rule) => !said.has(rule))).toEqual([]);
  });

  it('name a field that the kind has', () => {
    const astray = findings.filter((f) => !fieldsOf[f.object.kind]?.test(textOf(f)));
    expect(astray.map((f) => [f.rule, f.object.kind, textOf(f)])).toEqual([]);
  });

  it('speak of security contexts only where that is what is wrong', () => {
    const boilerplate = findings.filter((f) => /securityContext/i.test(JSON.stringify(f.remedy)) && !f.evidence.some((e) => e.at.includes('securityContext')));
    expect(boilerplate.map((f) => [f.rule, f.object.kind, JSON.stringify(f.remedy)])).toEqual([]);
  });

  it('never tell anybody to change a role of Kubernetes itself', () => {
    const changing = findings.filter((f) => /ClusterRole cluster-admin name only/.test(textOf(f)));
    expect(changing).toEqual([]);
  });
});
