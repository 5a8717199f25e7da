import { execFileSync } from 'node:child_process';
import type { Owner } from '@larry/contracts';
import { parse } from 'yaml';
import { patchCommand, shellWord } from './command';
import type { Fix } from './fix';
import { remedyFor } from './remedy';
import type { Subject } from './rules/family';

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' };
const subject = (owner: Owner, more: Partial<Subject> = {}): Subject => ({ ref, owner, ...more });
const container = ['spec', 'template', 'spec', 'containers', { name: 'app' }];
const fix: Fix = {
  kind: 'fields',
  changes: [
    { path: [...container, 'securityContext', 'privileged'], value: false },
    { path: [...container, 'ports', { containerPort: 80 }, 'hostPort'], remove: true },
    { path: ['spec', 'template', 'spec', 'hostNetwork'], remove: true },
  ],
};

describe('the remedy of an object', () => {
  it('that nothing owns is a strategic merge patch, by merge keys, with its command', () => {
    const patch = {
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'app', securityContext: { privileged: false }, ports: [{ containerPort: 80, hostPort: null }] },
            ],
            hostNetwork: null,
          },
        },
      },
    };
    expect(remedyFor(fix, subject({ kind: 'none' }))).toEqual({
      layer: 'patch',
      target: ref,
      patchType: 'strategic',
      patch,
      command: `kubectl patch 'deployment.apps/pgadmin' --namespace='database' --type=strategic --patch='${JSON.stringify(patch)}'`,
    });
  });

  it('in a file is the YAML of the fields, with file and line', () => {
    const remedy = remedyFor(
      fix,
      subject({ kind: 'manifest', file: 'a.yaml', line: 3 }, { origin: { file: 'a.yaml', line: 3 } }),
    );
    expect(remedy).toMatchObject({ layer: 'manifest', file: 'a.yaml', line: 3 });
    const yaml = (remedy as { yaml: string }).yaml;
    expect(parse(yaml)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'pgadmin', namespace: 'database' },
      spec: { template: { spec: { containers: [{ name: 'app', securityContext: { privileged: false } }] } } },
    });
    expect(yaml).toContain(
      '# take away: spec.template.spec.containers[name=app].ports[containerPort=80].hostPort\n# take away: spec.template.spec.hostNetwork\n',
    );
  });

  it.each<[string, Owner, string]>([
    [
      'a Helm release',
      { kind: 'helm', release: 'pgadmin', namespace: 'database', chart: 'pgadmin4-1.50.0' },
      'Helm release database/pgadmin (chart pgadmin4-1.50.0) owns it',
    ],
    [
      'Flux',
      { kind: 'flux', resource: 'Kustomization flux-system/apps' },
      'Flux applies it (Kustomization flux-system/apps)',
    ],
    ['Argo CD', { kind: 'argocd', application: 'apps' }, 'Argo CD application apps'],
    ['a HelmChart of k3s', { kind: 'k3s-helmchart', chart: 'traefik', namespace: 'kube-system' }, 'HelmChartConfig'],
  ])('of %s is shown for that layer and never as a live patch', (_, owner, note) => {
    const remedy = remedyFor(fix, subject(owner));
    expect(remedy).toMatchObject({ layer: 'manifest', note: expect.stringContaining(note) as string });
  });

  it.each<[string, Owner, string]>([
    [
      'an AddOn of k3s',
      { kind: 'k3s-addon', addon: 'coredns', source: '/var/lib/rancher/k3s/server/manifests/coredns.yaml' },
      'writes it anew',
    ],
    [
      'a controller',
      { kind: 'controller', ref: { apiVersion: 'example.com/v1', kind: 'Cluster', namespace: 'database', name: 'pg' } },
      'Cluster database/pg makes it',
    ],
  ])('of %s is none of ours, with the reason', (_, owner, reason) => {
    expect(remedyFor(fix, subject(owner))).toMatchObject({
      layer: 'none',
      reason: expect.stringContaining(reason) as string,
    });
  });

  it('that cannot be changed while it exists is its manifest', () => {
    expect(
      remedyFor(fix, subject({ kind: 'none' }, { ref: { apiVersion: 'v1', kind: 'Pod', namespace: 'a', name: 'p' } })),
    ).toMatchObject({
      layer: 'manifest',
      note: expect.stringContaining('delete it and create it again') as string,
    });
  });
});

describe('a command', () => {
  const hostile = [`a'b`, `$(touch /tmp/x)`, '`id`', 'a;b', 'a b', '-n', '"', '\\', '!!', '*', '#x', 'a&&b'];

  it.each(hostile)('keeps %s one word for a shell', (word) => {
    expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word);
  });

  it('gives kubectl each name and the patch as they are', () => {
    const patch = { a: `it's "x" $HOME \u202e é` };
    const command = patchCommand({ ...ref, name: `o'x; id`, namespace: `-a b` }, 'merge', patch) ?? '';
    const argv = execFileSync('/bin/sh', ['-c', command.replace('kubectl', "printf '%s\\0'")], {
      encoding: 'utf8',
    }).split('\0');
    expect(argv.slice(0, 4)).toEqual(['patch', `deployment.apps/o'x; id`, '--namespace=-a b', '--type=merge']);
    expect(JSON.parse((argv[4] ?? '').replace('--patch=', ''))).toEqual(patch);
    expect(/^[ -~]*$/.test(command)).toBe(true);
  });

  it('is not given for a name that a terminal would obey', () => {
    expect(patchCommand({ ...ref, name: 'a\u001b[2Jb' }, 'merge', {})).toBeUndefined();
    expect(patchCommand({ ...ref, namespace: 'a\nb' }, 'merge', {})).toBeUndefined();
  });
});
