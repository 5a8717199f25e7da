import {
  applyPatchSSA,
  conflictStatus,
  customResourceType,
  PatchError,
  trackUpdate,
  type ApplyConflict,
  type KubeObject,
} from './index';
import { aConfigMap, aDeployment, CONFIG_MAP, DEPLOYMENT, entryOf, fieldsOf, frozen } from './sample-deployment';

const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-01T00:01:00Z';

const outcomeOf = (
  live: KubeObject | undefined,
  patch: KubeObject,
  manager: string,
  options: { force?: boolean; now?: string; kind?: typeof DEPLOYMENT; subresource?: string } = {},
): ReturnType<typeof applyPatchSSA> =>
  applyPatchSSA({
    live: frozen(live),
    patch: frozen(patch),
    manager,
    force: options.force ?? false,
    now: options.now ?? T0,
    kind: options.kind ?? DEPLOYMENT,
    subresource: options.subresource,
  });

function applied(...args: Parameters<typeof outcomeOf>): KubeObject {
  const outcome = outcomeOf(...args);
  if ('conflicts' in outcome) throw new Error(JSON.stringify(outcome.conflicts));
  return outcome.object;
}

function conflictsOf(...args: Parameters<typeof outcomeOf>): ApplyConflict[] {
  const outcome = outcomeOf(...args);
  return 'conflicts' in outcome ? outcome.conflicts : [];
}

const updated = (before: KubeObject, change: object, manager: string, subresource?: string): KubeObject =>
  trackUpdate({
    before,
    after: { ...before, ...change },
    manager,
    operation: 'Update',
    subresource,
    now: T1,
    kind: DEPLOYMENT,
  });

const spec = (object: KubeObject): Record<string, unknown> => object['spec'] as Record<string, unknown>;
const containers = (object: KubeObject): { name: string; image?: string; env?: unknown[] }[] =>
  (spec(object)['template'] as { spec: { containers: { name: string }[] } }).spec.containers;

describe('an apply', () => {
  it('owns what it mentions: no dots on fields, dots on list elements', () => {
    const object = applied(
      undefined,
      aDeployment({ labels: { app: 'api' }, containers: { main: 'a:1' }, env: { M: 'x' } }),
      'helm',
    );
    expect(fieldsOf(object, 'helm')).toEqual({
      'f:metadata': { 'f:labels': { 'f:app': {} } },
      'f:spec': {
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"main"}': {
                '.': {},
                'f:env': { 'k:{"name":"M"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                'f:image': {},
                'f:name': {},
              },
            },
          },
        },
      },
    });
    expect(entryOf(object, 'helm')).toMatchObject({ operation: 'Apply', time: T0 });
  });

  it('tells list elements apart by default values of their keys', () => {
    const patch = {
      ...aDeployment(),
      spec: { template: { spec: { containers: [{ name: 'a', ports: [{ containerPort: 80 }] }] } } },
    };
    expect(JSON.stringify(fieldsOf(applied(undefined, patch, 'm'), 'm'))).toContain(
      'k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}',
    );
  });

  it('that repeats itself returns the live object with its times', () => {
    const patch = aDeployment({ replicas: 2, containers: { main: 'a:1' } });
    const live = applied(undefined, patch, 'helm');
    expect(applied(live, patch, 'helm', { now: T1 })).toEqual(live);
  });

  it('of the values that another owns shares them, without a conflict and without a time', () => {
    const live = applied(undefined, aConfigMap({ a: '1' }), 'one', { kind: CONFIG_MAP });
    const object = applied(live, aConfigMap({ a: '1' }), 'two', { kind: CONFIG_MAP });
    expect(fieldsOf(object, 'one')).toEqual(fieldsOf(object, 'two'));
    // Nothing in the object changed: a real server gives the new entry no time (recorded, step 031).
    expect(entryOf(object, 'two')).not.toHaveProperty('time');
  });

  it('that drops a field removes it, but not while somebody else owns it', () => {
    const live = applied(undefined, aConfigMap({ a: '1', b: '2' }), 'one', { kind: CONFIG_MAP });
    const shared = applied(live, aConfigMap({ b: '2' }), 'two', { kind: CONFIG_MAP });
    expect(applied(shared, aConfigMap({}), 'one', { kind: CONFIG_MAP })['data']).toEqual({ b: '2' });
  });

  it('that drops a list element removes what a defaulter put into it too', () => {
    const live = applied(undefined, aDeployment({ containers: { a: 'a:1', b: 'b:1' } }), 'one');
    const defaulted = {
      ...live,
      spec: {
        ...spec(live),
        template: { spec: { containers: containers(live).map((c) => ({ ...c, imagePullPolicy: 'Always' })) } },
      },
    };
    expect(containers(applied(defaulted, aDeployment({ containers: { a: 'a:1' } }), 'one')).map((c) => c.name)).toEqual(
      ['a'],
    );
  });

  it('keeps the place of elements that others put into a list', () => {
    const live = applied(undefined, aDeployment({ containers: { a: 'a:1', b: 'b:1', c: 'c:1' } }), 'one');
    const object = applied(live, aDeployment({ containers: { c: 'c:1', a: 'a:1', d: 'd:1' } }), 'two');
    expect(containers(object).map((c) => c.name)).toEqual(['b', 'c', 'a', 'd']);
  });

  it('to an object that nobody owns gives what was there to before-first-apply', () => {
    const object = applied(
      { ...aConfigMap({ a: '1', b: '2' }), metadata: { name: 's1', uid: 'u' } },
      aConfigMap({ a: '1' }),
      'one',
      { kind: CONFIG_MAP },
    );
    expect(fieldsOf(object, 'before-first-apply')).toEqual({ 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } });
  });

  it('through status owns only the status', () => {
    const live = applied(undefined, aDeployment({ replicas: 1 }), 'helm');
    const patch = { ...aDeployment({ replicas: 9 }), status: { conditions: [{ type: 'Mine', status: 'True' }] } };
    const object = applied(live, patch, 'st', { subresource: 'status' });
    expect(fieldsOf(object, 'st', 'status')).toEqual({
      'f:status': { 'f:conditions': { 'k:{"type":"Mine"}': { '.': {}, 'f:status': {}, 'f:type': {} } } },
    });
    expect(spec(object)['replicas']).toBe(1);
  });

  it('leaves an object that becomes empty of owners without managedFields', () => {
    const live = applied(undefined, aConfigMap({ a: 'b' }), 'm1', { kind: CONFIG_MAP });
    const { data: _, ...empty } = aConfigMap({});
    expect(applied(live, empty, 'm1', { kind: CONFIG_MAP }).metadata).not.toHaveProperty('managedFields');
  });
});

describe('a conflict', () => {
  const live = applied(
    undefined,
    aDeployment({ labels: { app: 'api' }, replicas: 2, containers: { api: 'a:1' } }),
    'kubectl',
  );
  const other = aDeployment({ labels: { app: 'api' }, replicas: 5, containers: { api: 'a:2' } });

  it('with an applier reads as the real server says it', () => {
    expect(conflictStatus(conflictsOf(live, other, 'other'))).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'Apply failed with 2 conflicts: conflicts with "kubectl":\n- .spec.replicas\n- .spec.template.spec.containers[name="api"].image',
      reason: 'Conflict',
      details: {
        causes: [
          { reason: 'FieldManagerConflict', message: 'conflict with "kubectl"', field: '.spec.replicas' },
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "kubectl"',
            field: '.spec.template.spec.containers[name="api"].image',
          },
        ],
      },
      code: 409,
    });
  });

  it('with an updater names its version, and its subresource', () => {
    const scaled = updated(live, { spec: { ...spec(live), replicas: 7 } }, 'kubectl', 'scale');
    expect(conflictStatus(conflictsOf(scaled, aDeployment({ replicas: 3 }), 'helm'))['message']).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
    );
  });

  it('with several managers lists them by name', () => {
    const patched = updated(live, { metadata: { ...live.metadata, labels: { app: 'x' } } }, 'zed');
    const message = conflictStatus(conflictsOf(patched, other, 'helm'))['message'];
    expect(message).toBe(
      'Apply failed with 3 conflicts: conflicts with "kubectl":\n- .spec.replicas\n- .spec.template.spec.containers[name="api"].image\nconflicts with "zed" using apps/v1:\n- .metadata.labels.app',
    );
  });

  it('is overcome by force, which takes the fields from their owner', () => {
    const object = applied(live, other, 'other', { force: true, now: T1 });
    expect(spec(object)['replicas']).toBe(5);
    expect(fieldsOf(object, 'kubectl')).not.toHaveProperty(['f:spec', 'f:replicas']);
    expect(entryOf(object, 'kubectl')?.time).toBe(T0);
  });

  it('does not arise when the values agree, or for a field that its owner dropped', () => {
    expect(conflictsOf(live, aDeployment({ replicas: 2 }), 'other')).toEqual([]);
    const dropped = applied(live, aDeployment({ containers: { api: 'a:1' } }), 'kubectl');
    expect(conflictsOf(dropped, aDeployment({ replicas: 9 }), 'other')).toEqual([]);
  });
});

describe('kubectl coming from client-side apply', () => {
  const config = aConfigMap({ a: '1' });
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const body = {
    ...config,
    metadata: { ...config.metadata, annotations: { [annotation]: `${JSON.stringify(config)}\n` } },
  };
  const live = trackUpdate({
    before: undefined,
    after: body,
    manager: 'kubectl-client-side-apply',
    operation: 'Update',
    now: T0,
    kind: CONFIG_MAP,
  });

  it('may change what it applied itself, and the annotation says so', () => {
    const object = applied(live, aConfigMap({ a: '2' }), 'kubectl', { kind: CONFIG_MAP });
    expect(object['data']).toEqual({ a: '2' });
    expect(JSON.parse(object.metadata?.annotations?.[annotation] ?? '{}')).toEqual(aConfigMap({ a: '2' }));
  });

  it('may not change what somebody else changed since', () => {
    const touched = trackUpdate({
      before: live,
      after: { ...live, data: { a: '7' } },
      manager: 'hotfix',
      operation: 'Update',
      now: T1,
      kind: CONFIG_MAP,
    });
    expect(conflictsOf(touched, aConfigMap({ a: '2' }), 'kubectl', { kind: CONFIG_MAP })).toMatchObject([
      { manager: 'hotfix', fields: ['.data.a'] },
    ]);
  });

  it('is a conflict for any other manager', () => {
    expect(conflictsOf(live, aConfigMap({ a: '2' }), 'helm', { kind: CONFIG_MAP })).toHaveLength(1);
  });
});

describe('a configuration that a server refuses', () => {
  const refused = (patch: KubeObject): PatchError => {
    try {
      applied(undefined, patch, 'm');
    } catch (error) {
      if (error instanceof PatchError) return error;
    }
    throw new Error('not refused');
  };
  const env = [
    { name: 'X', value: '1' },
    { name: 'X', value: '2' },
  ];

  it.each<[string, KubeObject, number, string]>([
    [
      'managedFields',
      { ...aDeployment(), metadata: { name: 'api', managedFields: [{ manager: 'x' }] } },
      400,
      'metadata.managedFields must be nil',
    ],
    ['another version', { ...aDeployment(), apiVersion: undefined }, 400, 'invalid object type: /, Kind=Deployment'],
    [
      'an unknown field',
      { ...aDeployment(), spec: { nope: 1 } },
      500,
      'failed to create typed patch object (demo/api; apps/v1, Kind=Deployment): .spec.nope: field not declared in schema',
    ],
    [
      'a repeated key',
      { ...aDeployment(), spec: { template: { spec: { containers: [{ name: 'api', env }] } } } },
      500,
      'failed to create typed patch object (demo/api; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="api"].env: duplicate entries for key [name="X"]',
    ],
  ])('for %s says so as the real server does', (_, patch, code, message) => {
    expect(refused(patch)).toMatchObject({ code, message });
  });
});

describe('a custom resource', () => {
  const WIDGET = { group: 'example.com', version: 'v1', kind: 'Widget' };
  const widget = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'w' },
    spec: { parts: [{ name: 'a', color: 'red' }], free: { any: [1, 'two'] } },
  };
  const create = (type?: ReturnType<typeof customResourceType>): unknown =>
    fieldsOf(
      trackUpdate({ before: undefined, after: widget, manager: 'm', operation: 'Update', now: T0, kind: WIDGET, type }),
      'm',
    );

  it('without a schema has granular maps and atomic lists', () => {
    expect(create()).toEqual({ 'f:spec': { '.': {}, 'f:parts': {}, 'f:free': { '.': {}, 'f:any': {} } } });
  });

  it('with a schema has the lists that its definition declares', () => {
    const parts = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, color: { type: 'string' } } },
    };
    const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const type = customResourceType({
      type: 'object',
      properties: { spec: { type: 'object', properties: { parts, free } } },
    });
    expect(create(type)).toEqual({
      'f:spec': {
        '.': {},
        'f:parts': { '.': {}, 'k:{"name":"a"}': { '.': {}, 'f:color': {}, 'f:name': {} } },
        'f:free': { '.': {}, 'f:any': {} },
      },
    });
  });
});
