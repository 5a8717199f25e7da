import { printable, type ObjectRef, type Owner, type Remedy } from '@larry/contracts';
import type { ClusterReader } from '../reader';
import { blobId } from './blob-id';
import { Declarations } from './declarations';
import { changeManifest, isMasked, type WantedStep } from './manifest-change';
import { readGitManifests } from './repository';

const mostRefined = 50;
const maxDiff = 8_000;

/**
 * Looks in a working clone for the manifests behind remedies that belong in files, and adds file, line and unified diff to each, or says
 * why there is none: no declaration, more than one, a field that somebody else decides. Reads the commit that is checked out; writes
 * nothing, neither there nor in the cluster. Other remedies stay as they are.
 * @throws Error in one sentence when the folder is no repository that can be read
 */
export async function refineGitRemedies<T extends { owner?: Owner; remedy: Remedy }>(cluster: Pick<ClusterReader, 'get'>, folder: string, findings: readonly T[], objectOf: (finding: T) => ObjectRef, signal?: AbortSignal): Promise<T[]> {
  if (!findings.some(({ remedy }) => wantedOf(remedy))) return [...findings];
  const manifests = await readGitManifests(folder, signal);
  const declarations = new Declarations(manifests);
  const refined: T[] = [];
  let tried = 0;
  for (const finding of findings) {
    const wanted = wantedOf(finding.remedy);
    if (!wanted || tried === mostRefined) {
      refined.push(wanted ? { ...finding, remedy: noted(finding.remedy as ManifestRemedy, `no diff: only the first ${mostRefined} are looked for`) } : finding);
      continue;
    }
    tried += 1;
    signal?.throwIfAborted();
    const remedy = finding.remedy as ManifestRemedy;
    if (!remedy.declared && isRendered(finding.owner)) refined.push({ ...finding, remedy: noted(remedy, 'no diff: a chart renders it, and which of its values decides the field was not tried') });
    else refined.push({ ...finding, remedy: await remedyIn(remedy, remedy.declared?.object ?? objectOf(finding), wanted) });
  }
  return refined;

  async function remedyIn(remedy: ManifestRemedy, object: ObjectRef, wanted: WantedStep[]): Promise<Remedy> {
    const located = declarations.locate(object);
    if ('none' in located) return noted(remedy, located.none);
    const { declaration, patched } = located;
    const live = await cluster.get(object, signal);
    if (!live) return noted(remedy, 'no diff: the object is gone');
    const change = await changeManifest(manifests.texts.get(declaration.file) ?? '', declaration, patched, live, wanted);
    if ('none' in change) return noted(remedy, `no diff: ${change.none}`);
    if (change.diff.length > maxDiff) return noted(remedy, `no diff: it would be ${change.diff.length} characters long`);
    const { file, line } = declaration;
    const { apiVersion, kind, namespace, name } = object;
    const before = manifests.blobs.get(file) ?? '';
    const declares = { apiVersion, kind, ...(namespace ? { namespace } : {}), name };
    const place: Remedy = { ...remedy, file, line, diff: change.diff, change: { file, before, after: blobId(change.text, before), declares, edits: change.edits } };
    return noted(place, `the diff is against commit ${manifests.commit.slice(0, 12)}${isMasked(change.diff) ? ', and shows no secrets, so that git apply does not take it' : ''}`);
  }
}

type ManifestRemedy = Extract<Remedy, { layer: 'manifest' }>;

/** Of what a HelmRelease or HelmChart brings a repository holds the values, not the object. */
function isRendered(owner: Owner | undefined): boolean {
  return owner?.kind === 'k3s-helmchart' || (owner?.kind === 'flux' && owner.resource.startsWith('HelmRelease '));
}

/** The change of the object whose declaration is looked for: the one at fault, or the one that brings it. */
function wantedOf(remedy: Remedy): WantedStep[] | undefined {
  return remedy.layer === 'manifest' ? ((remedy.declared?.wanted ?? remedy.wanted) as WantedStep[] | undefined) : undefined;
}

function noted(remedy: ManifestRemedy, why: string): Remedy {
  return { ...remedy, note: printable(remedy.note ? `${remedy.note}; ${why}` : why, 900) };
}
