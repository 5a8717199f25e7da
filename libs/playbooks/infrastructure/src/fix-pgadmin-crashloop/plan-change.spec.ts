import { plannedChangeSchema, type Finding } from '@larry/contracts';
import { causeCodes } from '@larry/diagnosis';
import { writableKinds } from './access';
import { categories, kindOfChange } from './change-kinds';
import { causeOfStep, plannedFor } from './plan-change';

const pod = '/spec/template/spec';
const container = `${pod}/containers/0`;

function aFinding(rule: string, path: string, finding: Partial<Finding> = {}): Finding {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', ...finding.object };
  return {
    id: 'x', rule, task: 't', severity: 'high', title: 'something is wrong', owner: { kind: 'none' }, confidence: 0.95, references: [], also: [], evidence: [{ object, at: '.', value: 'x' }],
    remedy: { layer: 'patch', target: object, patchType: 'json', patch: [{ op: 'replace', path, value: 'new' }], command: 'kubectl patch', note: 'Set it right; check it' },
    ...finding,
    object,
  };
}

function changeOf(finding: Finding) {
  const planned = plannedFor(finding);
  if (!('change' in planned)) throw new Error(planned.refused);
  return plannedChangeSchema.parse(planned.change);
}

describe('a planned change', () => {
  it.each([
    ['pgadmin_invalid_email', `${container}/env/1/value`, 'workload-env', [`${container}/name`, `${container}/image`, `${container}/env/1/name`, `${container}/env/1/value`], false],
    ['pgadmin_data_not_writable', `${pod}/securityContext/fsGroup`, 'workload-security-context', [`${pod}/securityContext`, `${pod}/volumes`, `${pod}/securityContext/fsGroup`], false],
    ['incorrect_image_reference', `${container}/image`, 'workload-image', [`${container}/name`, `${container}/image`], false],
    ['readiness_probe_incorrect_port', `${container}/readinessProbe/httpGet/port`, 'workload-probe', [`${container}/name`, `${container}/image`, `${container}/ports`, `${container}/readinessProbe`], false],
    ['oom_killed', `${container}/resources/limits/memory`, 'workload-resources', [`${container}/name`, `${container}/image`, `${container}/resources`, `${container}/resources/limits/memory`], false],
    ['missing_config_map', `${container}/envFrom/0/configMapRef/name`, 'workload-references', [`${container}/name`, `${container}/image`, `${container}/envFrom/0/configMapRef/name`], true],
    ['missing_secret_binding', `${pod}/volumes/0/secret/secretName`, 'workload-references', [`${pod}/volumes/0/secret/secretName`], true],
    ['read_only_file_system', `${container}/volumeMounts/0/readOnly`, 'workload-volumes', [`${container}/name`, `${container}/image`, `${container}/volumeMounts`, `${container}/volumeMounts/0/readOnly`], true],
    ['read_only_file_system', `${pod}/volumes/-`, 'workload-volumes', [`${pod}/volumes`], false],
    ['taint_toleration_mismatch', `${pod}/tolerations/-`, 'workload-scheduling', [`${pod}/tolerations`, `${pod}/nodeSelector`, `${pod}/affinity`], true],
    ['service_dns_resolution_failure', `${pod}/dnsPolicy`, 'workload-dns', [`${pod}/dnsPolicy`, `${pod}/dnsConfig`, `${pod}/hostNetwork`], false],
    ['deployment_zero_replicas', '/spec/replicas', 'workload-scale', ['/spec/replicas'], true],
    ['service_env_var_address_mismatch', `${container}/env/0/value`, 'workload-env', [`${container}/name`, `${container}/image`, `${container}/env/0/name`, `${container}/env/0/value`], true],
  ])('for %s at %s is %s, and depends on what was read', (cause, path, category, depends, alwaysAsk) => {
    const change = changeOf(aFinding(cause, path));
    expect(change).toMatchObject({ category, depends, alwaysAsk, verb: 'patch', summary: 'Set it right, in Deployment shop/web' });
    expect(causeOfStep(change.step)).toBe(cause);
    expect(changeOf(aFinding(cause, path)).step).toBe(change.step);
  });

  it.each([
    ['Service', 'service_selector_mismatch', '/spec/selector/app', 'service-selector', false],
    ['Service', 'service_port_mapping_mismatch', '/spec/ports/0/targetPort', 'service-ports', false],
    ['Ingress', 'gateway_misroute', '/spec/rules/0/http/paths/0/backend/service/name', 'route-backend', true],
    ['Node', 'node_cordon_mismatch', '/spec/unschedulable', 'node-cordon', true],
  ])('of a %s for %s', (kind, cause, path, category, alwaysAsk) => {
    expect(changeOf(aFinding(cause, path, { object: { apiVersion: 'v1', kind, name: 'x' } }))).toMatchObject({ category, alwaysAsk });
  });

  it('has a step that fits, whatever the cause and the name', () => {
    for (const cause of causeCodes) {
      const finding = aFinding(cause, `${container}/image`, { object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'n'.repeat(63), name: '.'.repeat(200) } });
      expect(causeOfStep(changeOf(finding).step)).toBe(cause);
    }
  });

  it('touches declared fields only, and every category is one that --allow knows', () => {
    for (const [kind, { fields }] of Object.entries(writableKinds)) {
      for (const field of fields) {
        for (const below of ['', '/0', '/0/env/0/value', '/fsGroup', '/app', '/0/targetPort', '/0/image']) {
          const change = kindOfChange(kind, `${field}${below}`);
          if (change) expect(categories).toContain(change.category);
        }
      }
      expect(kindOfChange(kind, '/metadata/labels/app')).toBeUndefined();
      expect(kindOfChange(kind, '/spec/template/metadata/labels/app')).toBeUndefined();
    }
  });
});

describe('a finding without a planned change says why', () => {
  it.each([
    ['something else owns it', aFinding('oom_killed', `${container}/image`, { owner: { kind: 'controller', ref: { apiVersion: 'x/v1', kind: 'Operator', name: 'o' } } }), /something else owns it/],
    ['the cause is not sure enough', aFinding('incorrect_image_reference', `${container}/image`, { confidence: 0.6 }), /60 % sure of the cause, and 90 % are needed/],
    ['a kind that Larry changes never', aFinding('oom_killed', '/spec/containers/0/image', { object: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' } }), /changes no Pod by himself/],
    ['a field that is no kind of change', aFinding('oom_killed', '/metadata/labels/app'), /no kind of change/],
    ['what the remedy says', aFinding('namespace_cpu_quota_exceeded', '', { remedy: { layer: 'none', reason: 'the limit is its owner\'s' } }), /the limit is its owner's/],
  ])('%s', (_what, finding, reason) => {
    const planned = plannedFor(finding);
    expect('refused' in planned && planned.refused).toMatch(reason);
  });
});

describe('what is declared in Git', () => {
  const owner = { kind: 'flux' as const, resource: 'Kustomization flux-system/shop' };
  const change = { file: 'shop/web.yaml', before: 'a'.repeat(40), after: 'b'.repeat(40), declares: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }, edits: [{ document: 0, path: ['spec'], set: 'b' }] };
  const remedy = { layer: 'manifest' as const, file: 'shop/web.yaml', line: 3, yaml: 'image: b\n', diff: '-image: a\n+image: b\n', change, wanted: [{ op: 'replace', path: `${container}/image`, value: 'b' }] };
  const title = `web cannot pull its image from https://ada:hunter2hunter2@registry.example.com`;
  const branchOf = (finding: Partial<Finding> = {}) => changeOf(aFinding('incorrect_image_reference', '', { owner, remedy, title, ...finding }));

  it('is changed by a branch of its own, under a category of its own, and on what the patch would depend on', () => {
    const evidence = [{ at: '.spec.template.spec.containers[0].image', value: 'a' }, { at: 'log:web', value: 'secret' }].map((e) => ({ ...e, object: change.declares }));
    const planned = branchOf({ evidence });
    expect(planned).toMatchObject({ verb: 'git-branch', category: 'git-branch', depends: [`${container}/name`, `${container}/image`], git: { ...change, wanted: remedy.wanted, diff: remedy.diff } });
    expect(planned.patch).toBeUndefined();
    expect(planned.git?.branch).toMatch(/^larry\/incorrect-image-reference-shop-web-[0-9a-f]{8}-[0-9a-f]{8}$/);
    expect(planned.summary).toBe(`Commit on branch ${planned.git?.branch ?? ''} for Deployment shop/web: shop/web.yaml`);
    expect(planned.git?.message).toBe('fix(shop): repair Deployment web (incorrect_image_reference)\n\nweb cannot pull its image from https://ada:[redacted]@registry.example.com\n\nSeen at Deployment shop/web:\n- .spec.template.spec.containers[0].image\n');
  });

  it('has the same branch in every run, and another for another change', () => {
    const other = branchOf({ remedy: { ...remedy, change: { ...change, after: 'c'.repeat(40) } } });
    expect(branchOf().git?.branch).toBe(branchOf().git?.branch);
    expect(other.git?.branch).not.toBe(branchOf().git?.branch);
  });

  it('has a name that Git takes, whatever the cause and the object', () => {
    for (const rule of causeCodes) {
      const { git } = branchOf({ rule, object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'n-'.repeat(31), name: '.lock..'.repeat(20) }, remedy });
      expect(plannedChangeSchema.shape.git.safeParse(git).success).toBe(true);
    }
  });

  it.each<[string, Partial<Finding>, string]>([
    ['where no file was found', { remedy: { ...remedy, change: undefined } as Finding['remedy'] }, 'where it is applied from'],
    ['with a cause that is less sure', { confidence: 0.85 }, '90 % are needed'],
  ])('is left to people %s', (_, finding, reason) => {
    const planned = plannedFor(aFinding('incorrect_image_reference', '', { owner, remedy, ...finding }));
    expect('refused' in planned && planned.refused).toContain(reason);
  });
});

describe('what a Helm release owns', () => {
  const owner = { kind: 'helm' as const, release: 'shop', namespace: 'shop' };
  const upgrade = { release: 'shop', namespace: 'shop', revision: 3, set: [{ path: ['image', 'tag'], value: '1.25' }], rendered: [{ object: 'Deployment shop/web', path: `${container}/image`, before: 'a', after: 'b' }] };
  const remedy = { layer: 'helm-value' as const, release: 'shop', namespace: 'shop', values: 'image:\n  tag: "1.25"\n', wanted: [{ op: 'replace', path: `${container}/image`, value: 'b' }] };

  it('is changed by the values that were tried, under a category of its own, and on what the patch would depend on', () => {
    const change = changeOf(aFinding('incorrect_image_reference', '', { owner, remedy: { ...remedy, upgrade } }));
    expect(change).toMatchObject({ verb: 'helm-upgrade', helm: upgrade, category: 'helm-value', depends: [`${container}/name`, `${container}/image`], summary: 'Set image.tag of the Helm release shop/shop for Deployment shop/web' });
    expect(change.patch).toBeUndefined();
  });

  it.each<[string, Partial<Finding>, string]>([
    ['values that nobody tried', { remedy }, 'its values were not tried'],
    ['a cause that is less sure', { remedy: { ...remedy, upgrade }, confidence: 0.85 }, '90 % are needed'],
    ['a patch of the live object', {}, 'something else owns it'],
    ['Flux above the release', { remedy: { ...remedy, upgrade }, owner: { kind: 'flux', resource: 'HelmRelease shop/shop' } }, 'would undo an upgrade'],
    ['k3s above the release', { remedy: { ...remedy, upgrade }, owner: { kind: 'k3s-helmchart', chart: 'shop', namespace: 'kube-system' } }, 'would undo an upgrade'],
  ])('is left to people with %s', (_, finding, reason) => {
    const planned = plannedFor(aFinding('incorrect_image_reference', `${container}/image`, { owner, ...finding }));
    expect('refused' in planned && planned.refused).toContain(reason);
  });
});
