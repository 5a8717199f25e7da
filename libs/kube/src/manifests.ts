import { join } from 'node:path';
import { refOf, type KubeObject } from '@larry/contracts';
import { builtinKind, builtinKinds, guessPlural, kindKey } from './builtin-kinds';
import { LogUnavailableError, UnknownKindError } from './errors';
import { readTextFile, walkTree } from './folder';
import { helmTemplateReason, isHelmTemplate, jsonValues, yamlValues, type ManifestValue } from './manifest-documents';
import { chartFolders, insideTemplates, kustomizePatches, passedOver } from './manifest-files';
import { ObjectSet } from './object-set';
import type { ClusterReader, KindInfo, KindRef, SkippedFile } from './reader';
import { asKubeObject, isRecord } from './untrusted-object';

const maxFileBytes = 8 * 1024 * 1024;
const noRuntime = 'manifests have no runtime state';

type Origin = { file: string; line?: number };
type CustomKind = { resource: string; namespaced: boolean };

/**
 * Opens a tree of manifests (YAML and JSON, many documents a file, `List`s, custom resources), or one such file.
 *
 * Files are all there is: a kind without a document is listed as empty. What a running cluster makes (Event, Node,
 * ReplicaSet, EndpointSlice, Lease …) is unknown (`manifests have no runtime state`), and so are Pods, unless documents of the
 * kind are in the tree: then those are listed. An object of a namespaced kind without a namespace gets `default`, as kubectl would apply it. Two
 * documents of one object are both listed. Files that cannot be used are in `files().skipped` with line and reason, and
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
  private readonly found: { object: KubeObject; origin: Origin }[] = [];

  constructor(
    private readonly root: string,
    private readonly files: readonly string[],
  ) {}

  async load(): Promise<void> {
    const charts = chartFolders(this.files);
    const patches = await this.patchFiles();
    for (const file of this.files) {
      const reason = passedOver(file) ?? (patches.has(file) ? 'Kustomize patch: a part of an object' : undefined);
      if (reason) this.skipped.push({ file, reason });
      else await this.loadFile(file, insideTemplates(file, charts));
    }
    this.addObjects();
  }

  reader(name: string, passedOverFiles: SkippedFile[]): ClusterReader {
    const { objects, origins } = this;
    const files = { loaded: this.loaded, skipped: [...passedOverFiles, ...this.skipped] };
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

  private async patchFiles(): Promise<Set<string>> {
    const patches = new Set<string>();
    for (const file of this.files.filter((path) => /(^|\/)(kustomization\.ya?ml|Kustomization)$/.test(path))) {
      const read = await readTextFile(join(this.root, file), maxFileBytes);
      if ('text' in read) for (const patch of kustomizePatches(file, read.text)) patches.add(patch);
    }
    return patches;
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
    const problems: SkippedFile[] = [];
    let used = false;
    for (const value of /\.json$/i.test(file) ? jsonValues(read.text) : yamlValues(read.text)) {
      const problem = this.take(file, value);
      if (problem) problems.push({ file, line: value.line, reason: problem });
      else used = true;
    }
    if (used) this.loaded.push(file);
    this.skipped.push(...(used ? problems.map((problem) => ({ ...problem, partial: true as const })) : [wholeFile(file, problems)]));
  }

  /** Takes a value in as an object, or says why it is none. */
  private take(file: string, found: ManifestValue): string | undefined {
    const result = 'reason' in found ? found : asKubeObject(found.value);
    if ('reason' in result) return result.reason;
    const { object } = result;
    if (object.apiVersion.startsWith('kustomize.config.k8s.io/')) return 'Kustomize file: render it with kubectl kustomize';
    if (object.kind === 'CustomResourceDefinition') this.learnKind(object);
    this.found.push({ object, origin: { file, line: found.line } });
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
  private addObjects(): void {
    for (const { object, origin } of this.found) {
      const known = builtinKind(object) ?? this.customKinds.get(kindKey(object));
      if (known?.namespaced) object.metadata.namespace ??= 'default';
      else if (known) delete object.metadata.namespace;
      this.objects.add(object);
      this.origins.set(object, origin);
    }
    this.found.length = 0;
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
