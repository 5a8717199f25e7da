import type { CustomKind, Kind } from './kinds';
import { BUILT_IN_KINDS, apiVersionOf } from './kinds';
import type { KubeObject } from './kube-object';
import { at, list, record, text } from './kube-object';

/** The kinds served at this moment: the built-in table, then those of CustomResourceDefinitions and of loaded objects. */
export class KindRegistry {
  private kinds: Kind[] = [...BUILT_IN_KINDS];

  all(): readonly Kind[] {
    return this.kinds;
  }

  find(group: string, version: string, plural: string): Kind | undefined {
    return this.kinds.find((k) => k.plural === plural && k.group === group && k.version === version);
  }

  byKind(apiVersion: string, kind: string): Kind | undefined {
    return this.kinds.find((k) => k.kind === kind && apiVersionOf(k) === apiVersion);
  }

  /** By plural alone, any version: for owner checks and RBAC. */
  byPlural(group: string, plural: string): Kind | undefined {
    return this.kinds.find((k) => k.plural === plural && k.group === group);
  }

  groupVersions(): string[] {
    return [...new Set(this.kinds.map(apiVersionOf))];
  }

  /** Serves what a definition defines; replaces what it defined before. */
  define(definition: KubeObject): void {
    const spec = record(definition['spec']);
    this.undefine(definition);
    for (const version of list(spec['versions'])) if (version['served'] !== false) this.kinds.push(customKind(spec, version));
  }

  undefine(definition: KubeObject): void {
    const group = text(at(definition, 'spec', 'group'));
    const plural = text(at(definition, 'spec', 'names', 'plural'));
    this.kinds = this.kinds.filter((k) => !(k.custom !== undefined && k.group === group && k.plural === plural));
  }

  /** Serves a kind of which only objects are known (a snapshot may lack its definition). */
  addLoaded(object: KubeObject): Kind {
    const apiVersion = text(object.apiVersion);
    const kind = text(object.kind);
    const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion];
    const singular = kind.toLowerCase();
    const plural = /(s|x|ch)$/.test(singular) ? `${singular}es` : /[^aeiou]y$/.test(singular) ? `${singular.slice(0, -1)}ies` : `${singular}s`;
    const verbs = 'create delete deletecollection get list patch update watch'.split(' ');
    const added: Kind = {
      group, version, plural, singular, kind, namespaced: object.metadata.namespace !== undefined, verbs,
      shortNames: [], categories: [], subresources: [], generation: true, loaded: true,
    };
    this.kinds.push(added);
    return added;
  }
}

function customKind(spec: Record<string, unknown>, version: Record<string, unknown>): Kind {
  const names = record(spec['names']);
  const subresources = record(version['subresources']);
  const scale = subresources['scale'] as CustomKind['scale'];
  return {
    group: text(spec['group']),
    version: text(version['name']),
    plural: text(names['plural']),
    singular: text(names['singular']) || text(names['kind']).toLowerCase(),
    kind: text(names['kind']),
    namespaced: spec['scope'] === 'Namespaced',
    verbs: 'delete deletecollection get list patch create update watch'.split(' '),
    shortNames: (names['shortNames'] as string[] | undefined) ?? [],
    categories: (names['categories'] as string[] | undefined) ?? [],
    subresources: Object.keys(subresources).filter((s) => s === 'status' || s === 'scale'),
    generation: true,
    custom: {
      schema: at(version, 'schema', 'openAPIV3Schema') as Record<string, unknown> | undefined,
      columns: list(version['additionalPrinterColumns']) as unknown as CustomKind['columns'],
      ...(scale ? { scale } : {}),
      listKind: text(names['listKind']) || `${text(names['kind'])}List`,
      selectableFields: list(version['selectableFields']).map((f) => text(f['jsonPath'])),
    },
  };
}
