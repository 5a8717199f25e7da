import type { KindKey, KubeObject, ManagedFieldsEntry } from './types';

/** The parts of a Deployment that the specs of this folder vary. */
export interface DeploymentParts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly replicas?: number;
  /** Image by container name. */
  readonly containers?: Readonly<Record<string, string>>;
  /** Environment of the first container. */
  readonly env?: Readonly<Record<string, string>>;
}

export const DEPLOYMENT: KindKey = { group: 'apps', version: 'v1', kind: 'Deployment' };
export const CONFIG_MAP: KindKey = { group: '', version: 'v1', kind: 'ConfigMap' };

/** A Deployment with only these parts, as an applier would send it. */
export function aDeployment({ labels, replicas, containers, env }: DeploymentParts = {}): KubeObject {
  const list = Object.entries(containers ?? {}).map(([name, image], i) => ({
    name,
    image,
    ...(i === 0 && env ? { env: Object.entries(env).map(([key, value]) => ({ name: key, value })) } : {}),
  }));
  const template = { spec: { containers: list } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'demo', ...(labels ? { labels } : {}) },
    spec: { ...(replicas === undefined ? {} : { replicas }), ...(list.length > 0 ? { template } : {}) },
  };
}

/** A ConfigMap with these data. */
export function aConfigMap(data: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 's1', namespace: 'demo' }, data };
}

/** The entry of one manager, by its name and subresource. */
export function entryOf(object: KubeObject, manager: string, subresource?: string): ManagedFieldsEntry | undefined {
  return object.metadata?.managedFields?.find(
    (entry) => entry.manager === manager && entry.subresource === subresource,
  );
}

/** What one manager owns, as `fieldsV1`. */
export function fieldsOf(object: KubeObject, manager: string, subresource?: string): unknown {
  return entryOf(object, manager, subresource)?.fieldsV1;
}

/** The value, frozen to its leaves: a function that changes its input fails on it. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
