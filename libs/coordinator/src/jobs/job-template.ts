import type { KubeObject, OwnerReference } from '@larry/contracts';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { orderToEnvironment, type WorkOrder } from '../launcher';
import { jobMarks, jobName, labelValue, workerApp } from './job-name';

type Fields = Record<string, unknown>;

/** A Job as a chart renders it, checked, and what of it the launcher needs to know. */
export interface JobTemplate {
  job: KubeObject;
  /** The container that is the worker: named `worker`, else the first. */
  container: string;
  /** How long its pod may take to end once it is told to, in ms. */
  graceMs: number;
}

/** What is put into a template besides the order. */
export interface JobPlace {
  namespace: string;
  /** `preferred`: another node where the planned one has no room. `required`: that node or none. */
  nodeAffinity: 'preferred' | 'required';
  /** Environment of every worker, besides its order. */
  env: Record<string, string>;
  /** Whom Jobs that are made now belong to: they go with it. */
  owner?: () => OwnerReference | undefined;
}

/** The Job template cannot be used; the message is one sentence for each fault. */
export class JobTemplateError extends Error {
  override name = 'JobTemplateError';
}

const leastTtlSeconds = 60;

/** Reads the template. @throws JobTemplateError that names the file, the fields, and what they must be */
export function readJobTemplate(file: string, namespace: string): JobTemplate {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new JobTemplateError(`LARRY_JOB_TEMPLATE: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'}): mount the chart's ConfigMap there`);
  }
  return parseJobTemplate(text, namespace, file);
}

/** The template in a text; `file` is for the messages. @throws JobTemplateError */
export function parseJobTemplate(text: string, namespace: string, file: string): JobTemplate {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents) || documents.length !== 1) throw new JobTemplateError(`${file}: holds ${Array.isArray(documents) ? documents.length : 0} documents, and must hold one Job`);
  const [document] = documents;
  const [error] = document?.errors ?? [];
  if (error) throw new JobTemplateError(`${file}: is not YAML: ${error.message.split('\n')[0] ?? ''}`);
  const job = record(document?.toJS({ maxAliasCount: 100 }));
  const problems = problemsOf(job, namespace);
  if (problems.length > 0) throw new JobTemplateError(`${file}: ${problems.join('; ')}`);
  const pod = podSpec(job);
  const containers = records(pod['containers']);
  const container = containers.find((c) => c['name'] === 'worker') ?? containers[0] ?? {};
  const grace = pod['terminationGracePeriodSeconds'];
  return { job: { ...job, metadata: record(job['metadata']) } as unknown as KubeObject, container: String(container['name']), graceMs: (typeof grace === 'number' ? grace : 30) * 1000 };
}

/** What keeps a Job's spec from being run as one attempt of ours, a sentence each. */
function problemsOf(job: Fields, namespace: string): string[] {
  if (job['apiVersion'] !== 'batch/v1' || job['kind'] !== 'Job') return ['is not a Job: apiVersion must be batch/v1 and kind Job'];
  const spec = record(job['spec']);
  const pod = podSpec(job);
  const own = record(job['metadata'])['namespace'];
  const must: [boolean, string][] = [
    [own == null || own === namespace, `metadata.namespace is ${JSON.stringify(own)}: leave it out, or write the coordinator's own, ${namespace}`],
    [spec['backoffLimit'] === 0, `spec.backoffLimit is ${JSON.stringify(spec['backoffLimit'])}: it must be 0, because attempts are the coordinator's`],
    [spec['podReplacementPolicy'] === 'Failed', `spec.podReplacementPolicy is ${JSON.stringify(spec['podReplacementPolicy'])}: it must be Failed, so that no second pod starts while the first one ends`],
    [(spec['parallelism'] ?? 1) === 1 && (spec['completions'] ?? 1) === 1, 'spec.parallelism and spec.completions must be 1 or left out'],
    [spec['suspend'] !== true, 'spec.suspend must not be true: the Job would never run'],
    [typeof spec['ttlSecondsAfterFinished'] === 'number' && spec['ttlSecondsAfterFinished'] >= leastTtlSeconds, `spec.ttlSecondsAfterFinished is ${JSON.stringify(spec['ttlSecondsAfterFinished'])}: it must be ${leastTtlSeconds} or more, so that an ended worker can be read and does not stay for ever`],
    [pod['restartPolicy'] === 'Never', `spec.template.spec.restartPolicy is ${JSON.stringify(pod['restartPolicy'])}: it must be Never`],
    [typeof pod['serviceAccountName'] === 'string' && pod['serviceAccountName'] !== '', "spec.template.spec.serviceAccountName must name the workers' account"],
  ];
  return [...must.flatMap(([holds, sentence]) => (holds ? [] : [sentence])), ...containerProblems(pod)];
}

function containerProblems(pod: Fields): string[] {
  const containers = records(pod['containers']);
  if (containers.length === 0) return ['spec.template.spec.containers must hold the worker'];
  return containers.flatMap(({ name, image }, i) => [
    ...(typeof name === 'string' && name !== '' ? [] : [`spec.template.spec.containers[${i}] has no name`]),
    ...(typeof image === 'string' && image.trim() !== '' ? [] : [`spec.template.spec.containers[${i}].image must name an image that the nodes can pull`]),
  ]);
}

/** The Job of one order: the template with its name, marks, deadline, node and the worker's environment. */
export function jobFor({ job, container }: JobTemplate, order: WorkOrder, { namespace, nodeAffinity, env, owner }: JobPlace, name = jobName(order)): KubeObject {
  const belongsTo = owner?.();
  const spec = record(job['spec']);
  const template = record(spec['template']);
  const pod = podSpec(job);
  const labels = labelsOf(order);
  const environment = [...Object.entries({ ...env, ...orderToEnvironment(order) }).map(([name, value]) => ({ name, value })), nodeVariable];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: marked(job.metadata, labels, order, { name, namespace, ...(belongsTo ? { ownerReferences: [belongsTo] } : {}) }),
    spec: {
      ...spec,
      ...(order.limitMs === undefined ? {} : { activeDeadlineSeconds: Math.max(1, Math.ceil(order.limitMs / 1000)) }),
      template: {
        ...template,
        metadata: marked(template['metadata'], labels, order, {}),
        spec: {
          ...pod,
          affinity: withNode(record(pod['affinity']), order.plannedNode, nodeAffinity),
          containers: records(pod['containers']).map((c) => (c['name'] === container ? { ...c, env: withVariables(records(c['env']), environment) } : c)),
        },
      },
    },
  };
}

/** The worker says where it really runs. */
const nodeVariable = { name: 'LARRY_NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } };

function labelsOf(order: WorkOrder): Record<string, string> {
  return {
    [jobMarks.app]: workerApp,
    [jobMarks.instance]: order.larry,
    [jobMarks.run]: labelValue(order.run),
    [jobMarks.task]: labelValue(order.task),
    [jobMarks.attempt]: String(order.attempt),
  };
}

function marked<T extends Fields>(metadata: unknown, labels: Record<string, string>, order: WorkOrder, more: T) {
  const { generateName: _, ...given } = record(metadata);
  return {
    ...given,
    ...more,
    labels: { ...(record(given['labels']) as Record<string, string>), ...labels },
    annotations: { ...(record(given['annotations']) as Record<string, string>), [jobMarks.claim]: order.claim },
  };
}

function withVariables(given: Fields[], ours: readonly { name: string }[]): Fields[] {
  const names = new Set(ours.map(({ name }) => name));
  return [...given.filter((variable) => !names.has(String(variable['name']))), ...ours];
}

function withNode(affinity: Fields, node: string, how: JobPlace['nodeAffinity']): Fields {
  const nodeAffinity = record(affinity['nodeAffinity']);
  const here = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
  if (how === 'preferred') {
    const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
    return { ...affinity, nodeAffinity: { ...nodeAffinity, [preferred]: [...records(nodeAffinity[preferred]), { weight: 100, preference: { matchExpressions: [here] } }] } };
  }
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const terms = records(record(nodeAffinity[required])['nodeSelectorTerms']);
  // Terms are alternatives: each one must ask for the node.
  const nodeSelectorTerms = (terms.length === 0 ? [{}] : terms).map((term: Fields) => ({ ...term, matchExpressions: [...records(term['matchExpressions']), here] }));
  return { ...affinity, nodeAffinity: { ...nodeAffinity, [required]: { nodeSelectorTerms } } };
}

/** The order that a Job of ours was made for, read back from its worker's environment; undefined where it is none of ours. */
export function orderOf(job: KubeObject, larry: string): WorkOrder | undefined {
  const { labels = {}, annotations = {} } = job.metadata;
  if (labels[jobMarks.app] !== workerApp || labels[jobMarks.instance] !== larry) return undefined;
  const variables = new Map(records(podSpec(job)['containers']).flatMap((c) => records(c['env'])).map(({ name, value }) => [name, value]));
  const text = (name: string): string => (typeof variables.get(name) === 'string' ? String(variables.get(name)) : '');
  const order = {
    run: text('LARRY_RUN'),
    task: text('LARRY_TASK'),
    claim: text('LARRY_CLAIM'),
    larry: text('LARRY_ID'),
    worker: text('LARRY_WORKER'),
    plannedNode: text('LARRY_PLANNED_NODE'),
    attempt: Number(text('LARRY_ATTEMPT')),
  };
  const whole = order.run !== '' && order.task !== '' && order.claim !== '' && order.larry === larry && Number.isInteger(order.attempt) && order.attempt > 0;
  return whole && annotations[jobMarks.claim] === order.claim ? order : undefined;
}

function podSpec(job: Fields | KubeObject): Fields {
  return record(record(record((job as Fields)['spec'])['template'])['spec']);
}

function record(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}

function records(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(record) : [];
}
