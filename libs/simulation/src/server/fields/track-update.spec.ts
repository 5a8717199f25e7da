import { keepTimesOfNoop, trackUpdate, type KubeObject } from './index';
import { aConfigMap, aDeployment, CONFIG_MAP, DEPLOYMENT, entryOf, fieldsOf, frozen } from './sample-deployment';

const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-01T00:01:00Z';

const created = (object: KubeObject, manager = 'kubectl-create', kind = DEPLOYMENT): KubeObject =>
  trackUpdate({ before: undefined, after: frozen(object), manager, operation: 'Update', now: T0, kind });
const updated = (before: KubeObject, after: KubeObject, manager: string, subresource?: string, now = T1): KubeObject =>
  trackUpdate({
    before: frozen(before),
    after: frozen(after),
    manager,
    operation: 'Update',
    subresource,
    now,
    kind: DEPLOYMENT,
  });

const withSpec = (object: KubeObject, change: object): KubeObject => ({
  ...object,
  spec: { ...(object['spec'] as object), ...change },
});

describe('a create', () => {
  it('gives everything but identity to its manager, with the dots that a real server writes', () => {
    const object = created(
      aDeployment({ labels: { app: 'api' }, replicas: 2, containers: { main: 'nginx:1' }, env: { A: '1' } }),
    );
    expect(object.metadata?.managedFields).toEqual([
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion: 'apps/v1',
        time: T0,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"main"}': {
                    '.': {},
                    'f:env': { '.': {}, 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                    'f:image': {},
                    'f:name': {},
                    'f:resources': {},
                  },
                },
              },
            },
          },
        },
      },
    ]);
  });

  it('leaves the status to the status endpoint', () => {
    const object = created({ ...aDeployment({ replicas: 1 }), status: { replicas: 1 } });
    expect(fieldsOf(object, 'kubectl-create')).toEqual({ 'f:spec': { 'f:replicas': {} } });
  });

  it('of an object with nothing to own leaves no managedFields', () => {
    const object = created({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, 'curl', CONFIG_MAP);
    expect(object.metadata).toEqual({ name: 'x' });
  });
});

describe('an update', () => {
  const before = created(aDeployment({ labels: { app: 'api' }, replicas: 2, containers: { main: 'nginx:1' } }));

  it('that changes nothing changes no entry and no time', () => {
    expect(updated(before, before, 'someone').metadata?.managedFields).toEqual(before.metadata?.managedFields);
  });

  it('takes a changed field from its owner and dates only the writer', () => {
    const after = updated(before, withSpec(before, { replicas: 5 }), 'kubectl-edit');
    expect(fieldsOf(after, 'kubectl-edit')).toEqual({ 'f:spec': { 'f:replicas': {} } });
    expect(fieldsOf(after, 'kubectl-create')).not.toHaveProperty(['f:spec', 'f:replicas']);
    expect(entryOf(after, 'kubectl-create')?.time).toBe(T0);
    expect(entryOf(after, 'kubectl-edit')?.time).toBe(T1);
  });

  it('through scale owns the replicas under that subresource', () => {
    const after = updated(before, withSpec(before, { replicas: 5 }), 'kubectl', 'scale');
    expect(entryOf(after, 'kubectl', 'scale')).toEqual({
      manager: 'kubectl',
      operation: 'Update',
      apiVersion: 'apps/v1',
      time: T1,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      subresource: 'scale',
    });
  });

  it('through status owns the status, list elements by key, and nothing of the spec', () => {
    const status = { replicas: 1, conditions: [{ type: 'Available', status: 'True' }] };
    const after = updated(before, { ...withSpec(before, { replicas: 9 }), status }, 'controller', 'status');
    expect(fieldsOf(after, 'controller', 'status')).toEqual({
      'f:status': {
        'f:replicas': {},
        'f:conditions': {
          '.': {},
          'k:{"type":"Available"}': {
            '.': {},
            'f:lastTransitionTime': {},
            'f:lastUpdateTime': {},
            'f:status': {},
            'f:type': {},
          },
        },
      },
    });
  });

  it('that removes the only field of a manager removes its entry', () => {
    const labelled = updated(
      before,
      { ...before, metadata: { ...before.metadata, annotations: { note: 'x' } } },
      'kubectl-annotate',
    );
    const { annotations: _, ...metadata } = labelled.metadata ?? {};
    expect(entryOf(updated(labelled, { ...labelled, metadata }, 'other'), 'kubectl-annotate')).toBeUndefined();
  });

  it('takes managedFields as sent, when they decode', () => {
    const sent = [
      {
        manager: 'moved',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      },
    ];
    const after = updated(before, { ...before, metadata: { ...before.metadata, managedFields: sent } }, 'kubectl');
    expect(after.metadata?.managedFields).toEqual(sent);
  });

  it.each([
    ['an empty list', []],
    ['a malformed entry', [{ manager: 'x', operation: 'Delete' }]],
  ])('keeps the owners when a client sends %s', (_, managedFields) => {
    const after = updated(before, { ...before, metadata: { ...before.metadata, managedFields } }, 'kubectl');
    expect(after.metadata?.managedFields).toEqual(before.metadata?.managedFields);
  });

  it('forgets all owners when a client sends one empty entry, and tracks no later update', () => {
    const reset = updated(before, { ...before, metadata: { ...before.metadata, managedFields: [{}] } }, 'kubectl');
    expect(reset.metadata).not.toHaveProperty('managedFields');
    expect(updated(reset, withSpec(reset, { replicas: 7 }), 'kubectl').metadata).not.toHaveProperty('managedFields');
  });

  it('cannot set managedFields through a subresource', () => {
    const after = updated(
      before,
      { ...before, metadata: { ...before.metadata, managedFields: [{}] } },
      'kubectl',
      'status',
    );
    expect(after.metadata?.managedFields).toEqual(before.metadata?.managedFields);
  });
});

describe('many updaters', () => {
  it('are kept ten at most: the oldest of a version become ancient-changes', () => {
    let object = trackUpdate({
      before: undefined,
      after: aConfigMap({ k0: '0' }),
      manager: 'm0',
      operation: 'Update',
      now: T0,
      kind: CONFIG_MAP,
    });
    for (let i = 1; i < 13; i++) {
      const after = { ...object, data: { ...(object['data'] as object), [`k${i}`]: `${i}` } };
      object = trackUpdate({
        before: object,
        after,
        manager: `m${i}`,
        operation: 'Update',
        now: `2026-01-01T00:00:${10 + i}Z`,
        kind: CONFIG_MAP,
      });
    }
    expect(object.metadata?.managedFields).toHaveLength(10);
    expect(fieldsOf(object, 'ancient-changes')).toEqual({
      'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {} },
    });
    expect(entryOf(object, 'ancient-changes')?.time).toBe('2026-01-01T00:00:13Z');
  });
});

describe('keepTimesOfNoop', () => {
  it('returns the stored object when only times differ', () => {
    const before = created(aDeployment({ replicas: 1 }));
    const later = {
      ...before,
      metadata: {
        ...before.metadata,
        managedFields: before.metadata?.managedFields?.map((entry) => ({ ...entry, time: T1 })),
      },
    };
    expect(keepTimesOfNoop(before, later)).toBe(before);
    const changed = withSpec(later, { replicas: 2 });
    expect(keepTimesOfNoop(before, changed)).toBe(changed);
  });
});
