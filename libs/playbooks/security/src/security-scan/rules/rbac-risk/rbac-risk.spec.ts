import { memoryCluster } from '@larry/kube/testing';
import { idsOf, namespace, scan } from '../../__fixtures__/scan';
import { binding, right, role } from './__fixtures__/rbac';
import { risksOf } from './risks';

const rbac = 'rbac.authorization.k8s.io';

describe('the risks of a role', () => {
  it.each([
    [
      'every verb, with what that means for the resource',
      right(['pods'], ['*']),
      ['rbac/wildcard', 'rbac/create-pods'],
    ],
    ['every resource', right(['*'], ['get']), ['rbac/wildcard']],
    ['reading secrets', right(['secrets'], ['get']), ['rbac/read-secrets']],
    ['listing secrets among others', right(['configmaps', 'secrets'], ['list']), ['rbac/read-secrets']],
    ['escalate', right(['clusterroles'], ['escalate'], [rbac]), ['rbac/escalate']],
    ['bind', right(['roles'], ['bind'], [rbac]), ['rbac/escalate']],
    ['impersonate', right(['users'], ['impersonate']), ['rbac/escalate']],
    ['exec', right(['pods/exec'], ['create']), ['rbac/pod-exec']],
    ['exec by get', right(['pods/exec'], ['get']), ['rbac/pod-exec']],
    ['attach', right(['pods/attach'], ['create']), ['rbac/pod-exec']],
    ['exec by a star before the slash', right(['*/exec'], ['create']), ['rbac/pod-exec']],
    ['creating pods', right(['pods'], ['create']), ['rbac/create-pods']],
    ['creating deployments', right(['deployments'], ['create'], ['apps']), ['rbac/create-pods']],
    ['nodes/proxy', right(['nodes/proxy'], ['get']), ['rbac/nodes-proxy']],
    ['a star before proxy', right(['*/proxy'], ['get']), ['rbac/nodes-proxy']],
    ['tokens', right(['serviceaccounts/token'], ['create']), ['rbac/token-request']],
    [
      'certificates',
      right(['certificatesigningrequests/approval'], ['update'], ['certificates.k8s.io']),
      ['rbac/approve-certificates'],
    ],
    [
      'webhooks',
      right(['mutatingwebhookconfigurations'], ['patch'], ['admissionregistration.k8s.io']),
      ['rbac/admission-webhooks'],
    ],
    ['persistent volumes', right(['persistentvolumes'], ['create']), ['rbac/persistent-volumes']],
  ])('include %s', (_, entry, expected) => {
    expect(risksOf(role('r', [entry])).map((r) => r.rule)).toEqual(expected);
  });

  it.each([
    ['reading pods', right(['pods'], ['get', 'list', 'watch'])],
    ['one named secret', right(['secrets'], ['get'], [''], { resourceNames: ['tls'] })],
    ['secrets of another API group', right(['secrets'], ['get'], ['example.com'])],
    ['changing secrets without reading them', right(['secrets'], ['patch'])],
    ['exec of something else', right(['widgets/exec'], ['create'], ['example.com'])],
    ['binding one named role', right(['clusterroles'], ['bind'], [rbac], { resourceNames: ['view'] })],
    ['malformed entries', { apiGroups: 'x', resources: null, verbs: [1] }],
  ])('do not include %s', (_, entry) => {
    expect(risksOf(role('r', [entry]))).toEqual([]);
  });

  it.each([
    ['every resource of the core group', right(['*'], ['list']), 'high'],
    ['every resource of every group', right(['*'], ['get'], ['*']), 'high'],
    ['every verb on one resource', right(['widgets'], ['*'], ['example.com']), 'medium'],
    ['changing every resource of another group', right(['*'], ['get', 'update'], ['example.com']), 'medium'],
    ['reading every resource of another group', right(['*'], ['get', 'list'], ['example.com']), 'low'],
  ])('weigh a wildcard: %s is %s', (_, entry, severity) => {
    expect(risksOf(role('r', [entry]))).toMatchObject([{ rule: 'rbac/wildcard', severity }]);
  });

  it('keep the worst of several entries', () => {
    const entries = [right(['*'], ['get'], ['example.com']), right(['*'], ['get'])];
    expect(risksOf(role('r', entries))).toMatchObject([{ at: '.rules[1]', severity: 'high' }]);
  });

  it('point to the entry that gives the right', () => {
    const [risk] = risksOf(role('r', [right(['pods'], ['get']), right(['secrets'], ['list'])]));
    expect(risk).toMatchObject({
      at: '.rules[1]',
      value: '{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}',
    });
  });
});

describe('bindings', () => {
  const secrets = role('reader', [right(['secrets'], ['list'])]);
  const exec = role('runner', [right(['pods/exec'], ['create'])]);
  const scanned = (objects: Parameters<typeof memoryCluster>[0], options?: unknown) =>
    scan(memoryCluster([namespace('database'), namespace('other'), ...objects]), options);

  it('say a risky right with the role that gives it, the holder and the binding', async () => {
    const diagnosis = await scanned([secrets, binding('b', 'reader', ['ServiceAccount database/app'])]);
    const [finding] = diagnosis.findings.filter((f) => f.rule.startsWith('rbac/'));
    expect(finding).toMatchObject({
      rule: 'rbac/read-secrets',
      severity: 'high',
      object: { kind: 'ClusterRoleBinding', name: 'b' },
    });
    expect(finding?.evidence.map((e) => `${e.object.kind} ${e.at} ${e.value}`)).toEqual([
      'ClusterRoleBinding .subjects[0] ServiceAccount database/app',
      'ClusterRoleBinding .roleRef ClusterRole reader',
      'ClusterRole .rules[0] {"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}',
    ]);
  });

  it('grant less in one namespace: secrets of it are not all secrets, other risks are one step lower', async () => {
    const diagnosis = await scanned([
      secrets,
      exec,
      binding('a', 'reader', ['ServiceAccount database/app'], 'database'),
      binding('b', 'runner', ['ServiceAccount database/app'], 'database'),
    ]);
    expect(diagnosis.findings.filter((f) => f.rule.startsWith('rbac/')).map((f) => [f.rule, f.severity])).toEqual([
      ['rbac/pod-exec', 'medium'],
    ]);
  });

  it('resolve a Role in its own namespace only', async () => {
    const diagnosis = await scanned([
      role('runner', [right(['pods/exec'], ['create'])], 'other'),
      binding('b', 'runner', ['ServiceAccount database/app'], 'database', 'Role'),
    ]);
    expect(idsOf(diagnosis, 'rbac/')).toEqual([]);
  });

  it.each([
    ['Group system:unauthenticated', 'rbac/anonymous', 'critical'],
    ['User system:anonymous', 'rbac/anonymous', 'critical'],
    ['Group system:authenticated', 'rbac/everybody', 'high'],
    ['Group system:serviceaccounts', 'rbac/everybody', 'high'],
  ])('to %s are %s, with the patch that takes it out', async (subject, rule, severity) => {
    const diagnosis = await scanned([secrets, binding('b', 'reader', ['User alice', subject])]);
    const finding = diagnosis.findings.find((f) => f.rule === rule);
    expect(finding).toMatchObject({ severity, remedy: { layer: 'patch', patchType: 'json' } });
    expect(finding?.remedy).toMatchObject({
      patch: [
        { op: 'test', path: '/subjects/1/name', value: subject.split(' ')[1] },
        { op: 'remove', path: '/subjects/1' },
      ],
    });
  });

  it.each([
    ['ServiceAccount database/app', undefined, 'rbac/cluster-admin', 'high'],
    ['User system:serviceaccount:database:app', undefined, 'rbac/cluster-admin', 'high'],
    ['ServiceAccount database/default', undefined, 'rbac/cluster-admin', 'critical'],
    ['ServiceAccount database/app', 'database', 'rbac/cluster-admin', 'medium'],
    ['User alice', undefined, 'rbac/cluster-admin-person', 'low'],
  ])('of cluster-admin to %s in %s are %s', async (subject, where, rule, severity) => {
    const diagnosis = await scanned([binding('b', 'cluster-admin', [subject], where)]);
    expect(diagnosis.findings.filter((f) => f.rule.startsWith('rbac/')).map((f) => [f.rule, f.severity])).toEqual([
      [rule, severity],
    ]);
  });

  it('to a default service account are said even where the right is harmless', async () => {
    const harmless = role('viewer', [right(['pods'], ['get'])]);
    const diagnosis = await scanned([
      harmless,
      binding('b', 'viewer', ['ServiceAccount database/default'], 'database'),
    ]);
    expect(diagnosis.findings.filter((f) => f.rule.startsWith('rbac/')).map((f) => [f.rule, f.severity])).toEqual([
      ['rbac/default-account', 'low'],
    ]);
  });

  it('are said by exactly one of two groups', async () => {
    const objects = [
      secrets,
      binding('b', 'reader', [
        'ServiceAccount database/app',
        'ServiceAccount other/app',
        'User alice',
        'ServiceAccount gone/app',
      ]),
    ];
    const first = idsOf(await scanned(objects, { namespaces: ['database'] }), 'rbac/');
    const second = idsOf(await scanned(objects, { others: true, notNamespaces: ['database'] }), 'rbac/');
    expect(first).toEqual(['rbac/read-secrets ClusterRoleBinding b ServiceAccount database/app']);
    expect(second).toEqual(
      ['gone/app', 'other/app']
        .map((a) => `rbac/read-secrets ClusterRoleBinding b ServiceAccount ${a}`)
        .concat('rbac/read-secrets ClusterRoleBinding b User alice'),
    );
  });
});
