import type { ApiClient } from '../api-client';
import type { ResourceKind } from '../kinds';

interface ResourceList {
  groupVersion: string;
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

/** The kinds that the server serves in each group's preferred version, with all the verbs asked for. */
export async function discover(api: ApiClient, wanted: { namespaced?: boolean; verbs: string[] }): Promise<ResourceKind[]> {
  const groups = await api.request<{ groups: { preferredVersion: { groupVersion: string } }[] }>('GET', '/apis');
  const paths = ['/api/v1', ...groups.groups.map((group) => `/apis/${group.preferredVersion.groupVersion}`)];
  const lists = await Promise.all(paths.map((path) => api.request<ResourceList>('GET', path)));
  return lists.flatMap(({ groupVersion, resources }) =>
    resources
      .filter((resource) => !resource.name.includes('/') && wanted.verbs.every((verb) => resource.verbs.includes(verb)))
      // Events are served twice; the core group's are enough.
      .filter((resource) => !(resource.name === 'events' && groupVersion !== 'v1'))
      .filter((resource) => wanted.namespaced === undefined || resource.namespaced === wanted.namespaced)
      .map((resource) => ({ apiVersion: groupVersion, kind: resource.kind, plural: resource.name, namespaced: resource.namespaced })),
  );
}
