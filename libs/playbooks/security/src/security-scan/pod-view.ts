import { listOf, recordOf, textOf, valueIn, type JsonRecord, type KubeObject } from '@larry/contracts';
import type { Step } from './fix';
import type { Subject } from './rules/family';

/** The three lists of containers of a pod (core/v1 PodSpec). */
export const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;
export type ContainerList = (typeof containerLists)[number];

/** One container of a pod, with where it stands. */
export interface ContainerView {
  list: ContainerList;
  name: string;
  /** `.spec.template.spec.containers[0]`. */
  at: string;
  /** From the object's root, by merge key. */
  path: Step[];
  body: JsonRecord;
  security: JsonRecord;
}

/** A pod, or the template that pods are made from. All fields are untrusted; null counts as absent. */
export interface PodView {
  namespace: string;
  subject(): Subject;
  /** `.spec.template`; empty for a Pod. */
  at: string;
  path: Step[];
  metadata: JsonRecord;
  labels: Record<string, string>;
  spec: JsonRecord;
  security: JsonRecord;
  containers: ContainerView[];
  /** `spec.os.name` is `windows`: the Linux controls of the restricted standard do not apply. */
  windows: boolean;
  /** `spec.hostUsers` is false: root in the pod is nobody on the node (KEP-127). */
  userNamespace: boolean;
  /** Set for a pod whose template is judged already: only its ephemeral containers are news. */
  onlyEphemeral: boolean;
  /** See `Hit.group`. */
  group?: string;
  /** What stands for it in findings; its pods are listed there. */
  root: string;
}

/** Where the pod template of a kind stands; empty for a Pod. */
export const templatePaths: Record<string, string[]> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** Kinds that hold a pod template, and Pod itself, with the versions that are listed; owners before what they own. */
export const podKinds = [
  { apiVersion: 'batch/v1', kind: 'CronJob' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'v1', kind: 'ReplicationController' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  { apiVersion: 'v1', kind: 'Pod' },
] as const;

/** What the view adds to the object; see {@link PodView}. */
export interface PodViewParts {
  namespace: string;
  subject(): Subject;
  root: string;
  group?: string;
  onlyEphemeral?: boolean;
}

/** The pod of an object of one of the {@link podKinds}; undefined when it holds none (a malformed manifest). */
export function podViewOf(object: KubeObject, parts: PodViewParts): PodView | undefined {
  const path = templatePaths[object.kind];
  if (!path) return undefined;
  const template = recordOf(path.length === 0 ? object : valueIn(object, ...path));
  const spec = recordOf(template['spec']);
  if (listOf(spec['containers']).length === 0) return undefined;
  const metadata = recordOf(template['metadata']);
  const at = path.map((step) => `.${step}`).join('');
  return {
    ...parts,
    at,
    path,
    metadata,
    labels: stringsOf(metadata['labels']),
    spec,
    security: recordOf(spec['securityContext']),
    containers: containerLists.flatMap((list) => containersOf(spec, list, at, path)),
    windows: valueIn(spec, 'os', 'name') === 'windows',
    userNamespace: spec['hostUsers'] === false,
    onlyEphemeral: parts.onlyEphemeral ?? false,
  };
}

/** The entries of a map of strings; anything else in it is left out. */
export function stringsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recordOf(value)).filter((e): e is [string, string] => typeof e[1] === 'string'),
  );
}

function containersOf(spec: JsonRecord, list: ContainerList, at: string, path: Step[]): ContainerView[] {
  return listOf(spec[list]).map((entry, index) => {
    const body = recordOf(entry);
    const name = textOf(body['name']) ?? '';
    return {
      list,
      name,
      at: `${at}.spec.${list}[${index}]`,
      path: [...path, 'spec', list, { name }],
      body,
      security: recordOf(body['securityContext']),
    };
  });
}
