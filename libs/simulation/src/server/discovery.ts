import type { Kind } from './kinds';
import type { KindRegistry } from './registry';

/** The kinds that subresources answer with, where it is not the kind itself. */
const SUBRESOURCE_KINDS: Record<string, { group: string; version: string; kind: string }> = {
  scale: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction' },
  binding: { group: '', version: 'v1', kind: 'Binding' },
  token: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
};
const subresourceKind = (kind: Kind, sub: string) => (sub === 'proxy' ? { group: '', version: 'v1', kind: `${kind.kind}ProxyOptions` } : (SUBRESOURCE_KINDS[sub] ?? kind));
const SUBRESOURCE_VERBS: Record<string, string[]> = {
  status: ['get', 'patch', 'update'], scale: ['get', 'patch', 'update'], finalize: ['update'], log: ['get'], eviction: ['create'], binding: ['create'], token: ['create'],
};
/** Refused with one sentence, and therefore not discovered either. */
const REFUSED_SUBRESOURCES = new Set(['attach', 'exec', 'portforward', 'resize', 'ephemeralcontainers']);

/** Subresources that Kubernetes has and this server does not serve. Of `proxy`, those of Services and nodes are served, by GET. */
export const isRefused = (kind: Pick<Kind, 'plural'>, sub: string): boolean => REFUSED_SUBRESOURCES.has(sub) || (sub === 'proxy' && kind.plural === 'pods');
/** The same for the list of what is refused. */
export const refusedSubresources: readonly string[] = [...REFUSED_SUBRESOURCES, 'proxy of pods'];

const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const served = (kind: Kind) => kind.subresources.filter((s) => !isRefused(kind, s));

function resources(kind: Kind): Record<string, unknown>[] {
  const main = {
    name: kind.plural, singularName: kind.singular, namespaced: kind.namespaced, kind: kind.kind, verbs: kind.verbs,
    ...(kind.shortNames.length ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length ? { categories: kind.categories } : {}),
  };
  const subs = served(kind).map((sub) => {
    const other = subresourceKind(kind, sub);
    return {
      name: `${kind.plural}/${sub}`, singularName: '', namespaced: kind.namespaced,
      ...(other !== kind && other.group ? { group: other.group, version: other.version } : {}),
      kind: other.kind, verbs: SUBRESOURCE_VERBS[sub] ?? ['get'],
    };
  });
  return [main, ...subs];
}

function aggregated(kind: Kind): Record<string, unknown> {
  const responseKind = (k: { group: string; version: string; kind: string }) => ({ group: k.group, version: k.version, kind: k.kind });
  const subs = served(kind).map((sub) => ({ subresource: sub, responseKind: responseKind(subresourceKind(kind, sub)), verbs: SUBRESOURCE_VERBS[sub] ?? ['get'] }));
  return {
    resource: kind.plural, responseKind: responseKind(kind), scope: kind.namespaced ? 'Namespaced' : 'Cluster', singularResource: kind.singular, verbs: kind.verbs,
    ...(kind.shortNames.length ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length ? { categories: kind.categories } : {}),
    ...(subs.length ? { subresources: subs } : {}),
  };
}

/** `/api`, `/apis` and the group documents, plain and aggregated, made from the kinds served at this moment. */
export class Discovery {
  constructor(private readonly kinds: KindRegistry) {}

  groups(): string[] {
    return [...new Set(this.kinds.all().map((k) => k.group))].filter(Boolean);
  }

  versions(group: string): string[] {
    return [...new Set(this.kinds.all().filter((k) => k.group === group).map((k) => k.version))].sort(newestFirst);
  }

  apiVersions(address: string): unknown {
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }] };
  }

  group(group: string): Record<string, unknown> | undefined {
    const versions = this.versions(group).map((version) => ({ groupVersion: `${group}/${version}`, version }));
    return versions.length === 0 ? undefined : { name: group, versions, preferredVersion: versions[0] };
  }

  groupList(): unknown {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: this.groups().map((g) => this.group(g)) };
  }

  resourceList(group: string, version: string): unknown {
    const kinds = this.kinds.all().filter((k) => k.group === group && k.version === version);
    if (kinds.length === 0) return undefined;
    const all = kinds.flatMap(resources).sort((a, b) => byName(String(a['name']), String(b['name'])));
    return { kind: 'APIResourceList', ...(group ? { apiVersion: 'v1' } : {}), groupVersion: group ? `${group}/${version}` : version, resources: all };
  }

  /** `as=APIGroupDiscoveryList`: for `/api` the core group alone, for `/apis` all others. */
  aggregatedList(core: boolean): unknown {
    const items = (core ? [''] : this.groups()).map((group) => ({
      metadata: group ? { name: group } : {},
      versions: this.versions(group).map((version) => ({
        version, freshness: 'Current',
        resources: this.kinds.all().filter((k) => k.group === group && k.version === version).sort((a, b) => byName(a.plural, b.plural)).map(aggregated),
      })),
    }));
    return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
  }
}

/** v2 before v1 before v1beta1: Kubernetes' order of versions. */
function newestFirst(a: string, b: string): number {
  const read = (v: string) => {
    const m = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(v);
    return m ? [m[2] === undefined ? 2 : m[2] === 'beta' ? 1 : 0, Number(m[1]), Number(m[3] ?? 0)] : [-1, 0, 0];
  };
  const [x, y] = [read(a), read(b)];
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return (y[i] as number) - (x[i] as number);
  return byName(a, b);
}
