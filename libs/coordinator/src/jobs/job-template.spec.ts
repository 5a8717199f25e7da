import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { anOrder } from '../launcher.conformance';
import { jobName, labelValue } from './job-name';
import { jobFor, JobTemplateError, orderOf, parseJobTemplate, readJobTemplate, type JobPlace } from './job-template';

interface Spec {
  template: { spec: Record<string, unknown> };
  [field: string]: unknown;
}

function aTemplate(change: (spec: Spec, job: Record<string, unknown>) => void = () => undefined): string {
  const spec: Spec = {
    backoffLimit: 0,
    podReplacementPolicy: 'Failed',
    ttlSecondsAfterFinished: 3600,
    template: {
      spec: {
        restartPolicy: 'Never',
        serviceAccountName: 'larry-01-worker',
        terminationGracePeriodSeconds: 10,
        containers: [
          { name: 'proxy', image: 'proxy:1' },
          { name: 'worker', image: 'larry-01:1', env: [{ name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'redis', key: 'url' } } }, { name: 'LARRY_RUN', value: 'stale' }] },
        ],
      },
    },
  };
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { labels: { team: 'a' }, generateName: 'x-' }, spec };
  change(spec, job);
  return stringify(job);
}

const place: JobPlace = { namespace: 'larry-01', nodeAffinity: 'preferred', env: { PORT: '0' } };
const made = (change?: Parameters<typeof aTemplate>[0], at: Partial<JobPlace> = {}) => jobFor(parseJobTemplate(aTemplate(change), 'larry-01', 'job.yaml'), anOrder('a', { limitMs: 90_500 }), { ...place, ...at });
const podOf = (job: ReturnType<typeof made>) => (job['spec'] as Spec).template.spec as { affinity: Record<string, unknown>; containers: { name: string; env?: { name: string; value?: string }[] }[] };

it('belongs to whom it is told at each making, and to nobody else', () => {
  const owner = { apiVersion: 'v1', kind: 'ServiceAccount', name: 'larry-01-coordinator', uid: 'u' };
  expect(made(undefined, { owner: () => owner }).metadata.ownerReferences).toEqual([owner]);
  expect(made(undefined, { owner: () => undefined }).metadata).not.toHaveProperty('ownerReferences');
});

describe('a Job template that cannot be used', () => {
  it.each<[RegExp, Parameters<typeof aTemplate>[0]]>([
    [/^job\.yaml: is not a Job: apiVersion must be batch\/v1 and kind Job$/, (_, job) => void (job['kind'] = 'CronJob')],
    [/spec\.backoffLimit is 6: it must be 0/, (spec) => void (spec['backoffLimit'] = 6)],
    [/spec\.podReplacementPolicy is undefined: it must be Failed/, (spec) => void delete spec['podReplacementPolicy']],
    [/restartPolicy is "OnFailure": it must be Never/, (spec) => void (spec.template.spec['restartPolicy'] = 'OnFailure')],
    [/ttlSecondsAfterFinished is 0: it must be 60 or more/, (spec) => void (spec['ttlSecondsAfterFinished'] = 0)],
    [/parallelism and spec\.completions must be 1/, (spec) => void (spec['completions'] = 3)],
    [/spec\.suspend must not be true/, (spec) => void (spec['suspend'] = true)],
    [/serviceAccountName must name/, (spec) => void delete spec.template.spec['serviceAccountName']],
    [/containers must hold the worker/, (spec) => void (spec.template.spec['containers'] = [])],
    [/containers\[0\]\.image must name an image/, (spec) => void (spec.template.spec['containers'] = [{ name: 'worker', image: '' }])],
    [/metadata\.namespace is "other": leave it out, or write the coordinator's own, larry-01/, (_, job) => void (job['metadata'] = { namespace: 'other' })],
  ])('says %s', (sentence, change) => {
    expect(() => parseJobTemplate(aTemplate(change), 'larry-01', 'job.yaml')).toThrow(sentence);
  });

  it('names every fault at once', () => {
    const change = (spec: Spec): void => void Object.assign(spec, { backoffLimit: 1, suspend: true });
    expect(() => parseJobTemplate(aTemplate(change), 'larry-01', 'job.yaml')).toThrow(/backoffLimit.*; .*suspend/);
  });

  it.each([
    ['is not YAML', 'a: [', /job\.yaml: is not YAML/],
    ['is empty', '', /holds 0 documents, and must hold one Job/],
    ['holds two', `${aTemplate()}---\n${aTemplate()}`, /holds 2 documents/],
  ])('%s', (_, text, sentence) => {
    expect(() => parseJobTemplate(text, 'larry-01', 'job.yaml')).toThrow(sentence);
  });

  it('is a file that is not there', () => {
    expect(() => readJobTemplate('/nowhere/job.yaml', 'larry-01')).toThrow(new JobTemplateError("LARRY_JOB_TEMPLATE: /nowhere/job.yaml cannot be read (ENOENT): mount the chart's ConfigMap there"));
  });

  it('is read from a file where it is', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'larry-template-'));
    writeFileSync(path.join(folder, 'job.yaml'), aTemplate());
    expect(readJobTemplate(path.join(folder, 'job.yaml'), 'larry-01')).toMatchObject({ container: 'worker', graceMs: 10_000 });
    rmSync(folder, { recursive: true });
  });
});

describe('the Job of an order', () => {
  it('has its name, its marks on Job and pod, and its deadline', () => {
    const job = made();
    expect(job.metadata).toEqual({
      name: 'larry-01-a-worker',
      namespace: 'larry-01',
      labels: { team: 'a', app: 'larry-worker', 'larry-instance': 'larry-01', 'larry.dev/run': 'run-1', 'larry.dev/task': 'a', 'larry.dev/attempt': '1' },
      annotations: { 'larry.dev/claim': 'c1' },
    });
    expect(job['spec']).toMatchObject({ activeDeadlineSeconds: 91, template: { metadata: { labels: { app: 'larry-worker', 'larry.dev/task': 'a' } } } });
  });

  it("gives the worker's container alone its order and its node, over what the template says", () => {
    const [proxy, worker] = podOf(made()).containers;
    expect(proxy).toEqual({ name: 'proxy', image: 'proxy:1' });
    const env = worker?.env ?? [];
    expect(env.filter(({ name }) => name === 'LARRY_RUN')).toEqual([{ name: 'LARRY_RUN', value: 'run-1' }]);
    expect(env).toEqual(expect.arrayContaining([{ name: 'LARRY_NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }, { name: 'PORT', value: '0' }]));
    expect(env[0]).toMatchObject({ name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'redis' } } });
  });

  it('prefers its node beside what the template prefers', () => {
    const own = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: {} }] }, podAffinity: {} };
    const { affinity } = podOf(made((spec) => void (spec.template.spec['affinity'] = own)));
    expect(affinity).toEqual({
      podAffinity: {},
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: {} }, { weight: 100, preference: { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['k3s-worker01'] }] } }] },
    });
  });

  it('requires its node in each of the alternatives that the template gives', () => {
    const terms = [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, { matchFields: [] }];
    const own = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } };
    const { affinity } = podOf(made((spec) => void (spec.template.spec['affinity'] = own), { nodeAffinity: 'required' }));
    const here = { key: 'kubernetes.io/hostname', operator: 'In', values: ['k3s-worker01'] };
    expect(affinity).toEqual({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [...(terms[0]?.matchExpressions ?? []), here] }, { matchFields: [], matchExpressions: [here] }] } } });
  });

  it('is read back as the order that it was made for, and only where it is that Larry\'s', () => {
    const { limitMs: _, ...order } = anOrder('a', { limitMs: 90_500 });
    expect(orderOf(made(), 'larry-01')).toEqual(order);
    expect(orderOf(made(), 'larry-02')).toBeUndefined();
    const job = made();
    expect(orderOf({ ...job, metadata: { ...job.metadata, annotations: { 'larry.dev/claim': 'other' } } }, 'larry-01')).toBeUndefined();
    expect(orderOf({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x', labels: job.metadata.labels } }, 'larry-01')).toBeUndefined();
  });
});

describe('names', () => {
  const order = { larry: 'larry-01', worker: 'cleanup-worker' };
  it('are the worker\'s, with the number of a later attempt', () => {
    expect([1, 2, 10].map((attempt) => jobName({ ...order, attempt }))).toEqual(['larry-01-cleanup-worker', 'larry-01-cleanup-worker-2', 'larry-01-cleanup-worker-10']);
  });

  it('fit into a label and stay apart, however long', () => {
    const names = ['a', 'b'].flatMap((end) => [1, 2].map((attempt) => jobName({ larry: 'larry-01', worker: `${'w'.repeat(62)}${end}`, attempt })));
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/);
  });

  it('can be told from a like one', () => {
    const distinct = jobName({ ...order, attempt: 2 }, true);
    expect(distinct).toMatch(/^larry-01-cleanup-worker-[0-9a-f]{8}-2$/);
  });

  it('of runs become labels, whatever they hold', () => {
    expect(labelValue('run-20261122.1_a')).toBe('run-20261122.1_a');
    for (const text of ['x'.repeat(100), 'ends-with-', 'ä/b', '...']) expect(labelValue(text)).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,61}[A-Za-z0-9]$/);
    expect(labelValue('x'.repeat(99))).not.toBe(labelValue('x'.repeat(100)));
  });
});
