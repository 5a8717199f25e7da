import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { redactText, refOf, type KubeObject } from '@larry/contracts';
import { builtinKind, builtinKinds, guessPlural, kindKey } from './builtin-kinds';
import { LogUnavailableError, UnknownKindError } from './errors';
import { readTextFile, walkTree } from './folder';
import { helmTemplateReason, isHelmTemplate, jsonValues, yamlValues, type ManifestValue } from './manifest-documents';
import { isKustomization, kustomizationsOf, type Kustomizations } from './kustomize';
import { chartFolders, insideTemplates, passedOver } from './manifest-files';
import { ObjectSet } from './object-set';
import type { ClusterReader, KindInfo, KindRef, SkippedFile } from './reader';
import { asKubeObject, isRecord } from './untrusted-object';

const maxFileBytes = 8 * 1024 * 1024;
const noRuntime = 'manifests have no runtime state';

type Origin = { file: string; line?: number };
/** What came of one file that was read: documents that became objects, and why others did not. */
type ReadFile = { file: string; used: number; problems: SkippedFile[] };
type CustomKind = { resource: string; namespaced: boolean };

/**
 * Opens a tree of manifests (YAML and JSON, many documents a file, `List`s, custom resources), or one such file.
 *
 * Files are all there is: a kind without a document is listed as empty. What a running cluster makes (Event, Node,
 * ReplicaSet, EndpointSlice, Lease …) is unknown (`manifests have no runtime state`), and so are Pods, unless documents of the
 * kind are in the tree: then those are listed. An object of a namespaced kind without a namespace gets `default`, as kubectl would apply it.
 * The namespace of a kustomization is put on what it lists, unless two overlays put different ones; nothing else of Kustomize is built.
 * Of two documents of one object the first is listed and the other skipped with the place of the first. Files that cannot be used are in `files().skipped` with line and reason, and
 * a file of which only a part could be used is in both lists.
 * @throws Error in one sentence when the folder is not there or holds more than 100,000 files.
 */
export async function openManifests(path: string): Promise<ClusterReader> {
  const tree = await walkTree(path, 'manifests');
  const loader = new ManifestLoader(tree.root, tree.files);
  await loader.load();
  return loader.reader(path, tree.skipped);
}

class ManifestLoader {
  private readonly objects = new ObjectSet();
  private readonly origins = new WeakMap<KubeObject, Origin>();
  private readonly loaded: string[] = [];
  private readonly skipped: SkippedFile[] = [];
  private readonly customKinds = new Map<string, CustomKind>();
  private readonly found: { object: KubeObject; origin: { file: string; line: number }; from: ReadFile }[] = [];
  private readonly read: ReadFile[] = [];

  constructor(
    private readonly root: string,
    private readonly files: readonly string[],
  ) {}

  async load(): Promise<void> {
    const charts = chartFolders(this.files);
    const kustomize = await this.kustomizations();
    for (const file of this.files) {
      const reason = isKustomization(file) ? kustomize.reasonOf(file) : (passedOver(file) ?? (kustomize.patches.has(file) ? 'Kustomize patch: a part of an object' : undefined));
      if (reason) this.skipped.push({ file, reason });
      else await this.loadFile(file, insideTemplates(file, charts));
    }
    this.addObjects(kustomize);
    this.countFiles();
  }

  reader(name: string, passedOverFiles: SkippedFile[]): ClusterReader {
    const { objects, origins } = this;
    // The name of a file may be a secret too, and goes into findings, reports and Redis.
    const files = { loaded: this.loaded.map(redactText), skipped: [...passedOverFiles, ...this.skipped].map((skipped) => ({ ...skipped, file: redactText(skipped.file), reason: redactText(skipped.reason) })) };
    const requireKnown = (kind: KindRef): void => {
      if (builtinKind(kind)?.runtime && !objects.has(kind)) throw new UnknownKindError(kind.kind, noRuntime);
    };
    const get: ClusterReader['get'] = async (ref) => {
      requireKnown(ref);
      return objects.get(ref);
    };
    return {
      source: { type: 'manifests', name, simulated: false },
      kinds: async () => this.kinds(),
      async *list(kind, options) {
        requireKnown(kind);
        yield* objects.list(kind, options);
      },
      get,
      async logs() {
        throw new LogUnavailableError('manifests have no logs');
      },
      originOf: (object) => origins.get(object) ?? origins.get(objects.get(refOf(object)) ?? object),
      files: () => files,
      close: async () => undefined,
    };
  }

  private async kustomizations(): Promise<Kustomizations> {
    const texts = new Map<string, string>();
    for (const file of this.files.filter(isKustomization)) {
      const read = await readTextFile(join(this.root, file), maxFileBytes);
      if ('text' in read) texts.set(file, read.text);
    }
    return kustomizationsOf(texts);
  }

  private async loadFile(file: string, insideChart: boolean): Promise<void> {
    const read = await readTextFile(join(this.root, file), maxFileBytes);
    if ('reason' in read) {
      this.skipped.push({ file, reason: read.reason });
      return;
    }
    if (isHelmTemplate(read.text, insideChart)) {
      this.skipped.push({ file, reason: helmTemplateReason });
      return;
    }
    const from: ReadFile = { file, used: 0, problems: [] };
    this.read.push(from);
    for (const value of /\.json$/i.test(file) ? jsonValues(read.text) : yamlValues(read.text)) {
      const problem = this.take(from, value);
      if (problem) from.problems.push({ file, line: value.line, reason: problem });
    }
  }

  /** Takes a value in as an object, or says why it is none. */
  private take(from: ReadFile, found: ManifestValue): string | undefined {
    const result = 'reason' in found ? found : asKubeObject(found.value);
    if ('reason' in result) return result.reason;
    const { object } = result;
    if (object.apiVersion.startsWith('kustomize.config.k8s.io/')) return 'Kustomize file: render it with kubectl kustomize';
    if (object.kind === 'CustomResourceDefinition') this.learnKind(object);
    this.found.push({ object, origin: { file: from.file, line: found.line }, from });
    return undefined;
  }

  private learnKind(definition: KubeObject): void {
    const spec = definition['spec'];
    const names = isRecord(spec) ? spec['names'] : undefined;
    if (!isRecord(spec) || !isRecord(names) || typeof names['kind'] !== 'string' || typeof spec['group'] !== 'string') return;
    const { kind, plural } = names;
    const resource = typeof plural === 'string' ? plural : guessPlural(kind as string);
    this.customKinds.set(`${spec['group']}/${kind as string}`, { resource, namespaced: spec['scope'] !== 'Cluster' });
  }

  /** Second pass: only now are all CRDs of the tree known, so that a missing namespace can be told from none. */
  private addObjects(kustomize: Kustomizations): void {
    for (const { object, origin, from } of this.found) {
      const known = builtinKind(object) ?? this.customKinds.get(kindKey(object));
      const given = kustomize.namespaceOf(origin.file);
      // Kustomize takes a kind that it does not know as namespaced.
      if (given !== undefined && known?.namespaced !== false) object.metadata.namespace = given;
      if (known?.namespaced) object.metadata.namespace ??= 'default';
      else if (known) delete object.metadata.namespace;
      const same = this.objects.get(refOf(object));
      if (same) {
        from.problems.push({ ...origin, reason: this.sameAs(same, object) });
        continue;
      }
      from.used += 1;
      this.objects.add(object);
      this.origins.set(object, { ...origin, file: redactText(origin.file) });
    }
    this.found.length = 0;
  }

  private sameAs(first: KubeObject, object: KubeObject): string {
    const { file = '', line } = this.origins.get(first) ?? {};
    return `same object as in ${file}:${line}${isDeepStrictEqual(first, object) ? '' : ', and not the same text: check its folder by itself to have this one read'}`;
  }

  private countFiles(): void {
    for (const { file, used, problems } of this.read) {
      problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
      if (used > 0) this.loaded.push(file);
      this.skipped.push(...(used > 0 ? problems.map((problem) => ({ ...problem, partial: true as const })) : [wholeFile(file, problems)]));
    }
  }

  private kinds(): KindInfo[] {
    const infos = new Map<string, KindInfo>();
    for (const { runtime, ...kind } of builtinKinds) {
      const unknown = runtime && !this.objects.has(kind);
      infos.set(kindKey(kind), { ...kind, availability: unknown ? { state: 'unknown', reason: noRuntime } : { state: 'listed' } });
    }
    for (const objects of this.objects.kinds()) {
      const [{ apiVersion, kind }] = objects as [KubeObject];
      const key = kindKey({ apiVersion, kind });
      const guess = { resource: guessPlural(kind), namespaced: objects.some(({ metadata }) => metadata.namespace !== undefined) };
      if (!infos.has(key)) infos.set(key, { apiVersion, kind, ...(this.customKinds.get(key) ?? guess), availability: { state: 'listed' } });
    }
    return [...infos.values()];
  }
}

/** One entry for a file of which nothing could be used, so that files add up. */
function wholeFile(file: string, problems: SkippedFile[]): SkippedFile {
  const [first] = problems;
  if (!first) return { file, reason: 'empty' };
  return problems.length === 1 ? first : { ...first, reason: `${first.reason} (and ${problems.length - 1} more documents)` };
}
