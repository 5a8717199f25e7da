import { posix } from 'node:path';
import { printable } from '@larry/contracts';
import { parse } from 'yaml';
import { isRecord } from './untrusted-object';

/** What the kustomizations of a tree say about its files, without building them. */
export interface Kustomizations {
  /** Files that hold only a part of an object, which stands whole elsewhere. */
  patches: ReadonlySet<string>;
  /** The namespace that whoever lists a file puts on its objects; undefined when nobody does, or two overlays do differently. */
  namespaceOf(file: string): string | undefined;
  /** The folders of the overlays that share a file, so that a change in it changes them all; empty where one alone builds on it. */
  sharedBy(file: string): string[];
  /** Whether something that builds on a file also changes its objects: patches, images, replicas and the like. */
  isChanged(file: string): boolean;
  /** What is said of a kustomization itself: it is not built, and what of it is left out. */
  reasonOf(file: string): string;
}

interface Kustomization {
  file: string;
  folder: string;
  namespace: string | undefined;
  /** Files and folders of the tree that it builds on. */
  resources: string[];
  /** What it builds on and nobody here fetches: URLs, and paths above the tree. */
  elsewhere: number;
  patches: string[];
  /** Fields that change objects and are not applied. */
  leftOut: string[];
}

const changing = [
  'namePrefix', 'nameSuffix', 'patches', 'patchesStrategicMerge', 'patchesJson6902', 'images', 'replicas', 'labels', 'commonLabels', 'commonAnnotations',
  'configMapGenerator', 'secretGenerator', 'generators', 'transformers', 'replacements', 'vars', 'helmCharts', 'helmChartInflationGenerator',
]; // prettier-ignore
const namespaceForm = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** True for the file by which Kustomize knows a folder. */
export function isKustomization(file: string): boolean {
  return /(^|\/)(kustomization\.ya?ml|Kustomization)$/.test(file);
}

/** Reads the kustomizations of a tree, each by its path with its text. One that does not parse says nothing about other files. */
export function kustomizationsOf(texts: ReadonlyMap<string, string>): Kustomizations {
  const all = [...texts].map(([file, text]) => read(file, text));
  const builtBy = new Map<string, Kustomization[]>();
  for (const each of all) for (const node of each.resources) builtBy.set(node, [...(builtBy.get(node) ?? []), each]);
  const namespacesOf = namespaceFinder(builtBy);
  const only = (node: string): string | undefined => {
    const found = namespacesOf(node);
    return found.size === 1 ? [...found][0] : undefined;
  };
  return {
    patches: new Set(all.flatMap(({ patches }) => patches)),
    namespaceOf: only,
    sharedBy: (file) => sharing(builtBy, file),
    isChanged: (file) => above(builtBy, file).some(({ leftOut }) => leftOut.length > 0),
    reasonOf(file) {
      const each = all.find((candidate) => candidate.file === file);
      return each ? reasonFor(each, each.resources.every((node) => only(node) === each.namespace)) : 'Kustomize file: it cannot be read';
    },
  };
}

/** Upwards from a file to where the first two part. */
function sharing(builtBy: ReadonlyMap<string, Kustomization[]>, file: string): string[] {
  const seen = new Set<string>();
  for (let node: string | undefined = file; node !== undefined && !seen.has(node); ) {
    seen.add(node);
    const folders: string[] = [...new Set((builtBy.get(node) ?? []).map(({ folder }) => folder))];
    if (folders.length > 1) return folders;
    node = folders[0];
  }
  return [];
}

/** Every kustomization that builds on a file, directly or not. */
function above(builtBy: ReadonlyMap<string, Kustomization[]>, file: string): Kustomization[] {
  const found = new Set<Kustomization>();
  const open = [file];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const each of builtBy.get(node) ?? []) {
      if (found.has(each)) continue;
      found.add(each);
      open.push(each.folder);
    }
  }
  return [...found];
}

/** What the outermost overlay says counts; a base of two overlays is in two namespaces. */
function namespaceFinder(builtBy: ReadonlyMap<string, Kustomization[]>): (node: string) => ReadonlySet<string | undefined> {
  const known = new Map<string, Set<string | undefined>>();
  const visit = (node: string): Set<string | undefined> => {
    const before = known.get(node);
    if (before) return before;
    const found = new Set<string | undefined>();
    // Set first, so that overlays which build on each other end here.
    known.set(node, found);
    const direct = builtBy.get(node) ?? [];
    if (direct.length === 0) found.add(undefined);
    for (const { folder, namespace } of direct) for (const outer of visit(folder)) found.add(outer ?? namespace);
    return found;
  };
  return visit;
}

function reasonFor({ namespace, resources, elsewhere, leftOut, folder }: Kustomization, applies: boolean): string {
  const name = namespace === undefined || resources.length === 0 ? undefined : printable(namespace, 63);
  const parts = [
    ...(name === undefined ? [] : [applies ? `namespace ${name} is put on what it lists` : `namespace ${name} is not put on what another overlay builds on too`]),
    ...(leftOut.length === 0 ? [] : [`not applied: ${leftOut.join(', ')}`]),
    ...(elsewhere === 0 ? [] : [`not read: ${elsewhere} ${elsewhere === 1 ? 'resource' : 'resources'} from elsewhere`]),
  ];
  return `Kustomize file, not built${parts.length === 0 ? '' : ` (${parts.join('; ')})`}: kubectl kustomize ${printable(folder, 100)} renders it`;
}

function read(file: string, text: string): Kustomization {
  const content = contentOf(text);
  const folder = posix.dirname(file);
  const listed = ['resources', 'bases', 'components'].flatMap((field) => listIn(content, field)).filter((path) => typeof path === 'string');
  const inTree = listed.map((path) => inside(folder, path)).filter((path) => path !== undefined);
  const { namespace } = content;
  return {
    file,
    folder,
    namespace: typeof namespace === 'string' && namespaceForm.test(namespace) ? namespace : undefined,
    resources: inTree,
    elsewhere: listed.length - inTree.length,
    patches: patchFiles(content).flatMap((path) => inside(folder, path) ?? []),
    leftOut: changing.filter((field) => content[field] !== undefined && content[field] !== null),
  };
}

function patchFiles(content: Record<string, unknown>): string[] {
  return ['patches', 'patchesStrategicMerge', 'patchesJson6902']
    .flatMap((field) => listIn(content, field))
    .map((entry) => (isRecord(entry) ? entry['path'] : entry))
    .filter((path): path is string => typeof path === 'string' && !path.includes('\n'));
}

/** A path as files of the tree are named; undefined for a URL and for what lies above the tree. */
function inside(folder: string, path: string): string | undefined {
  if (/^[a-z]+:|^git@|^\/|\?ref=|^github\.com\//i.test(path)) return undefined;
  const joined = posix.normalize(posix.join(folder, path)).replace(/\/$/, '');
  return joined === '..' || joined.startsWith('../') ? undefined : joined;
}

function listIn(content: Record<string, unknown>, field: string): unknown[] {
  const list = content[field];
  return Array.isArray(list) ? list : [];
}

function contentOf(text: string): Record<string, unknown> {
  try {
    const content: unknown = parse(text, { logLevel: 'error' });
    return isRecord(content) ? content : {};
  } catch {
    return {};
  }
}
