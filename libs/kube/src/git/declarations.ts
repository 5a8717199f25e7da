import { describeRef, printable, type ObjectRef } from '@larry/contracts';
import { isKustomization, kustomizationsOf, type Kustomizations } from '../kustomize';
import { isHelmTemplate, listItems, yamlParts } from '../manifest-documents';
import { chartFolders, insideTemplates, passedOver } from '../manifest-files';
import { asKubeObject } from '../untrusted-object';
import type { GitManifests } from './repository';

/** Where a repository declares an object. */
export interface Declaration {
  file: string;
  /** Of the object's first line. */
  line: number;
  /** The document of the file, counted from 0. */
  document: number;
  /** Where the object stands in its document: empty, or an element of a list. */
  at: (string | number)[];
  value: unknown;
}

/** The one declaration of an object, or why there is none to change. */
export type Located = { declaration: Declaration; patched: boolean } | { none: string };

type Named = Pick<ObjectRef, 'kind' | 'name'> & { group: string; namespace: string | undefined };

/** Finds in the manifests of a repository where objects are declared. Parses a file once, and only where a name that is looked for stands in it. */
export class Declarations {
  private readonly byKey = new Map<string, { declaration: Declaration; named: Named }[]>();
  private readonly kustomize: Kustomizations;
  private readonly charts: ReadonlySet<string>;
  private readonly taken = new Set<string>();

  constructor(private readonly manifests: GitManifests) {
    const { texts, files } = manifests;
    this.kustomize = kustomizationsOf(new Map([...texts].filter(([file]) => isKustomization(file))));
    this.charts = chartFolders(files);
  }

  /** More than one that it could be, or none, is said: nothing is guessed. */
  locate(ref: ObjectRef): Located {
    const name = printable(describeRef(ref), 200);
    this.takeFilesWith(ref.name);
    const all = (this.byKey.get(keyOf({ group: groupOf(ref.apiVersion), kind: ref.kind, name: ref.name })) ?? []).filter(({ declaration }) => !this.kustomize.patches.has(declaration.file));
    const exact = all.filter(({ named }) => named.namespace === ref.namespace);
    const candidates = exact.length > 0 ? exact : all.filter(({ named }) => named.namespace === undefined);
    const [only, ...others] = candidates.map(({ declaration }) => declaration);
    if (!only) return { none: `the repository declares no ${name}${all.length > 0 ? ', only one of that name in another namespace' : ''} at commit ${this.manifests.commit.slice(0, 12)}` };
    if (others.length > 0) return { none: `the repository declares ${name} ${candidates.length} times: ${candidates.slice(0, 4).map(({ declaration: d }) => `${d.file}:${d.line}`).join(', ')}; which of them is meant is for you to say` };
    const overlays = this.kustomize.sharedBy(only.file);
    if (overlays.length > 0) return { none: `${only.file}:${only.line} is the base of ${overlays.length} overlays (${overlays.slice(0, 4).join(', ')}): a change there would change them all` };
    return { declaration: only, patched: this.isPatched(only.file, ref) };
  }

  /** Whether what runs may have fields from elsewhere: a patch of Kustomize, or a transformer. */
  private isPatched(file: string, ref: ObjectRef): boolean {
    const patches = this.byKey.get(keyOf({ group: groupOf(ref.apiVersion), kind: ref.kind, name: ref.name })) ?? [];
    return this.kustomize.isChanged(file) || patches.some(({ declaration }) => this.kustomize.patches.has(declaration.file));
  }

  private takeFilesWith(name: string): void {
    const alone = new RegExp(`(?<![\\w.-])${name.replace(/[^\w-]/g, '\\$&')}(?![\\w.-])`);
    for (const [file, text] of this.manifests.texts) {
      if (this.taken.has(file) || !text.includes(name) || !alone.test(text)) continue;
      this.taken.add(file);
      if (!isKustomization(file) && !passedOver(file) && !isHelmTemplate(text, insideTemplates(file, this.charts))) this.take(file, text);
    }
  }

  private take(file: string, text: string): void {
    const parts = yamlParts(file, text);
    for (const [index, part] of parts.entries()) {
      if (!('document' in part)) continue;
      let value: unknown;
      try {
        value = part.document.toJS({ maxAliasCount: 100 });
      } catch {
        continue;
      }
      const items = listItems(value);
      if (items === undefined) this.takeObject(value, { file, line: part.lineAt([]), document: index, at: [], value });
      else items.forEach((item, i) => this.takeObject(item, { file, line: part.lineAt(['items', i]), document: index, at: ['items', i], value: item }));
    }
  }

  private takeObject(value: unknown, declaration: Declaration): void {
    const result = asKubeObject(value);
    if ('reason' in result) return;
    const { apiVersion, kind, metadata } = result.object;
    const named: Named = { group: groupOf(apiVersion), kind, name: metadata.name, namespace: this.kustomize.namespaceOf(declaration.file) ?? metadata.namespace };
    const key = keyOf(named);
    this.byKey.set(key, [...(this.byKey.get(key) ?? []), { declaration, named }]);
  }
}

/** The part of an API version that stays when an object is served in another. */
function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

const keyOf = ({ group, kind, name }: Omit<Named, 'namespace'>): string => `${group}/${kind}/${name}`;
