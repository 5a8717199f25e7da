import type { KubeObject } from '@larry/contracts';
import { aDeployment, anObject, aPod, memoryCluster } from '@larry/kube/testing';
import { runPlaybook } from '@larry/playbook';
import { findingSchema, taskResultSchema } from '@larry/contracts';
import { securityScanGroup01 } from '../security-scan-group-01';
import { idsOf, namespace, scan, scanContext } from './__fixtures__/scan';
import { observeScan, scannedKinds } from './observe';
import { scanOptionsSchema } from './options';

const privileged = { containers: [{ name: 'app', image: 'a:1', securityContext: { privileged: true } }] };
const replicaSet = (owner: KubeObject, name: string) =>
  anObject('apps/v1', 'ReplicaSet', {
    name,
    namespace: 'database',
    controller: owner,
    spec: owner['spec'] as Record<string, unknown>,
  });

describe('a scan', () => {
  it('says a workload once, with its pods beside it', async () => {
    const web = aDeployment({ name: 'web', namespace: 'database', template: privileged });
    const rs = replicaSet(web, 'web-1');
    const pods = ['web-1-a', 'web-1-b'].map((name) =>
      aPod({ name, namespace: 'database', controller: rs, spec: privileged }),
    );
    const diagnosis = await scan(memoryCluster([namespace('database'), ...pods, rs, web]));
    const found = diagnosis.findings.filter((f) => f.rule === 'pss-baseline/privileged');
    expect(found.map((f) => f.id)).toEqual(['pss-baseline/privileged Deployment database/web']);
    expect(found[0]?.also).toEqual(['Pod database/web-1-a', 'Pod database/web-1-b']);
  });

  it('judges a pod itself when the source does not have its owner, once for all pods of that owner', async () => {
    const owner = anObject('apps/v1', 'StatefulSet', { name: 'pg', namespace: 'database' });
    const pods = ['pg-1', 'pg-0'].map((name) =>
      aPod({ name, namespace: 'database', controller: owner, spec: privileged }),
    );
    const diagnosis = await scan(
      memoryCluster([namespace('database'), ...pods], { unknown: { StatefulSet: 'not in dump' } }),
    );
    const found = diagnosis.findings.filter((f) => f.rule === 'pss-baseline/privileged');
    expect(found.map((f) => [f.object.name, f.also])).toEqual([['pg-0', ['Pod database/pg-1']]]);
  });

  it('judges ephemeral containers of a pod whose template is judged already, and nothing else of it', async () => {
    const web = aDeployment({ name: 'web', namespace: 'database', template: privileged });
    const debugged = aPod({
      name: 'web-x',
      namespace: 'database',
      controller: replicaSet(web, 'web-1'),
      spec: {
        ...privileged,
        ephemeralContainers: [{ name: 'debug', image: 'busybox', securityContext: { privileged: true } }],
      },
    });
    const diagnosis = await scan(memoryCluster([namespace('database'), web, replicaSet(web, 'web-1'), debugged]));
    const found = diagnosis.findings.find((f) => f.id === 'pss-baseline/privileged Pod database/web-x');
    expect(found?.evidence.map((e) => e.at)).toEqual(['.spec.ephemeralContainers[0].securityContext.privileged']);
    expect(found?.remedy).toMatchObject({ layer: 'none', reason: expect.stringContaining('delete the pod') as string });
  });

  it.each([
    ['apps/v1', 'Deployment', '.spec.template'],
    ['apps/v1', 'StatefulSet', '.spec.template'],
    ['apps/v1', 'DaemonSet', '.spec.template'],
    ['apps/v1', 'ReplicaSet', '.spec.template'],
    ['v1', 'ReplicationController', '.spec.template'],
    ['batch/v1', 'Job', '.spec.template'],
    ['batch/v1', 'CronJob', '.spec.jobTemplate.spec.template'],
    ['v1', 'Pod', ''],
  ])('reads the pod of %s %s at %s', async (apiVersion, kind, at) => {
    const template = { spec: privileged };
    const spec =
      kind === 'Pod' ? privileged : kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template };
    const diagnosis = await scan(
      memoryCluster([namespace('database'), anObject(apiVersion, kind, { namespace: 'database', spec })]),
    );
    expect(diagnosis.findings.find((f) => f.rule === 'pss-baseline/privileged')?.evidence[0]?.at).toBe(
      `${at}.spec.containers[0].securityContext.privileged`,
    );
  });

  it('is not stopped by objects of any shape', async () => {
    const shapes = [
      null,
      [],
      'x',
      3,
      { template: null },
      { template: { spec: { containers: [null, 'x', {}], volumes: 'x', securityContext: 4 } } },
    ];
    const objects = scannedKinds.flatMap((k) =>
      shapes.map((spec, i) => ({
        apiVersion: k.apiVersion,
        kind: k.kind,
        metadata: { name: `${k.kind.toLowerCase()}-${i}`, namespace: 'database' },
        spec,
        data: spec,
        rules: spec,
        subjects: spec,
        roleRef: spec,
      })),
    );
    const diagnosis = await scan(memoryCluster([namespace('database'), ...(objects as unknown as KubeObject[])]));
    for (const finding of diagnosis.findings) expect(findingSchema.safeParse(finding).error?.issues ?? []).toEqual([]);
  });

  it('keeps no more of 2,000 replicas than of 20', async () => {
    const kept = async (replicas: number) => {
      const web = aDeployment({ name: 'web', namespace: 'database', template: privileged });
      const rs = replicaSet(web, 'web-1');
      const pods = Array.from({ length: replicas }, (_, i) =>
        aPod({ name: `web-1-${i}`, namespace: 'database', labels: { app: 'web' }, controller: rs, spec: privileged }),
      );
      const facts = await observeScan(
        scanContext(memoryCluster([namespace('database'), web, rs, ...pods]), { others: true }),
      );
      return { records: Object.values(facts.kept).flat().length, pods: facts.podsOf.get('Deployment database/web') };
    };
    const [few, many] = [await kept(20), await kept(2000)];
    expect(many.records).toBe(few.records);
    expect(many.pods).toEqual({ ...few.pods, count: 2000 });
  });

  it('runs under the engine to a result that keeps to its schema, and changes nothing', async () => {
    const cluster = memoryCluster([
      namespace('database'),
      aDeployment({ namespace: 'database', template: privileged }),
    ]);
    const result = await runPlaybook(securityScanGroup01, scanContext(cluster, { namespaces: ['database'] }), {
      mode: 'observe',
      allow: [],
    });
    expect(taskResultSchema.safeParse(result).error?.issues ?? []).toEqual([]);
    expect(result).toMatchObject({
      outcome: 'completed',
      changes: [],
      figures: { critical: 1, namespaces_scanned: 1, objects_scanned: 2 },
    });
  });

  it('shows hostile names as plain text and keeps commands whole', async () => {
    const name = `x'; rm -rf / #\u001b[31m\u202e`;
    const hostile = aDeployment({ name, namespace: 'database', template: privileged });
    const diagnosis = await scan(
      memoryCluster([
        namespace('database'),
        hostile,
        aDeployment({ name: `a'b`, namespace: 'database', template: privileged }),
      ]),
    );
    const found = diagnosis.findings.filter((f) => f.rule === 'pss-baseline/privileged');
    expect(found.every((f) => !/[\u001b\u202e]/.test(f.title))).toBe(true);
    expect(found.find((f) => f.object.name === name)?.remedy).toMatchObject({ layer: 'none' });
    expect(found.find((f) => f.object.name === `a'b`)?.remedy).toMatchObject({
      command: expect.stringContaining(`'deployment.apps/a'\\''b'`) as string,
    });
  });
});

describe('the options', () => {
  it.each([
    [{}, 'namespaces'],
    [{ namespaces: ['Database'] }, 'namespaces.0'],
    [{ namespaces: ['a'], notNamespaces: ['a'] }, 'notNamespaces'],
    [{ namespaces: ['a'], exceptions: [{ rule: '*' }] }, 'exceptions'],
    [{ namespaces: ['a'], other: true }, ''],
  ])('refuse %j', (options, field) => {
    expect(scanOptionsSchema.safeParse(options).error?.issues[0]?.path.join('.')).toBe(field);
  });
});

describe('findings', () => {
  it('keep their ids over runs, whatever the order of objects and containers', async () => {
    const more = aDeployment({ name: 'more', namespace: 'database', template: privileged });
    const web = aDeployment({ namespace: 'database', template: privileged });
    const swapped = aDeployment({
      namespace: 'database',
      template: { containers: [{ name: 'x', image: 'b:1' }, ...privileged.containers] },
    });
    const ids = idsOf(await scan(memoryCluster([namespace('database'), web, more])), 'pss-baseline/');
    expect(idsOf(await scan(memoryCluster([more, swapped, namespace('database')])), 'pss-baseline/')).toEqual(ids);
  });

  it('have ids of their own where files hold an object twice', async () => {
    const twice = [web('a.yaml'), web('b.yaml')];
    const ids = idsOf(
      await scan({
        ...memoryCluster([namespace('database')]),
        list: (kind) => from(kind.kind === 'Deployment' ? twice.map((t) => t.object) : []),
        originOf: (o) => twice.find((t) => t.object === o)?.origin,
      }),
      'pss-baseline/',
    );
    expect(ids).toEqual([
      'pss-baseline/privileged Deployment database/web',
      'pss-baseline/privileged Deployment database/web in b.yaml',
    ]);
  });

  it('come worst first, accepted ones last', async () => {
    const diagnosis = await scan(
      memoryCluster([
        namespace('database'),
        namespace('kube-system'),
        aDeployment({ namespace: 'database', template: privileged }),
      ]),
    );
    const order = ['critical', 'high', 'medium', 'low', 'info'];
    const open = diagnosis.findings.filter((f) => !f.accepted).map((f) => order.indexOf(f.severity));
    expect(open).toEqual([...open].sort((a, b) => a - b));
    expect(diagnosis.findings.findIndex((f) => f.accepted)).toBeGreaterThanOrEqual(open.length);
  });
});

function web(file: string) {
  return {
    object: aDeployment({ name: 'web', namespace: 'database', template: privileged }),
    origin: { file, line: 1 },
  };
}

async function* from(objects: KubeObject[]): AsyncIterable<KubeObject> {
  yield* objects;
}
