import { canonicalJson, describeRef, printable, redact, textOf, valueIn, type HelmUpgrade, type HelmValue, type JsonRecord, type KubeObject } from '@larry/contracts';
import { candidatesFor, coalesce, overlayOf } from './candidates';
import { whyIncomplete } from './chart-folder';
import { openRenderer, type AddedMetadata, type Capabilities, type Renderer } from './renderer';
import { differences, parseManifest, renderedChanges, renderedKey, type Rendered } from './rendered';
import type { HelmRelease } from './release';
import { wantedFields, withFields, type WantedOperation } from './wanted';

/** The values that make a wanted change, or why the values do not say. */
export type ValueFinding = { upgrade: HelmUpgrade } | { none: string };

/** How a search is made and held back. */
export interface ValueSearch {
  /** The `helm` program. */
  helm: string;
  capabilities?: Capabilities;
  /** What whoever drives the release adds to the metadata of every object that the chart renders. */
  added?: AddedMetadata;
  signal?: AbortSignal;
}

/** At 50 to 100 ms each. */
const mostRenderings = 60;

/**
 * Finds the values of a release's chart that decide fields of one of its objects: takes every value that could, renders the
 * chart that the release keeps with it, offline, and believes the one whose rendering differs in exactly the wanted fields.
 * Starts `helm template` in a folder of its own, which is removed; changes nothing else.
 */
export async function findValues(release: HelmRelease, live: KubeObject, operations: readonly WantedOperation[], search: ValueSearch): Promise<ValueFinding> {
  const why = cannotSay(release, live, operations);
  if (why) return { none: why };
  const installed = parseManifest(release.manifest, release.namespace);
  const { apiVersion, kind, metadata } = live;
  const key = renderedKey({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace }, release.namespace);
  const object = installed?.get(key);
  if (!installed || !object) return { none: `the manifest of revision ${release.revision} does not hold ${describeRef({ kind, name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) })}` };
  const wanted = wantedFields(live, object, operations);
  if ('none' in wanted) return wanted;
  const expected = new Map(installed).set(key, withFields(object, wanted.fields) as JsonRecord);
  const values = coalesce(release.chart.values, release.config);
  return openRenderer(release, search, async (renderer) => {
    const again = await renderer.render(undefined);
    if ('failed' in again) return { none: `its chart cannot be rendered again: ${again.failed}` };
    if (differences(installed, again.objects).size > 0) return { none: 'its chart does not render again to what is installed (random values, another Helm, or look-ups), so that an upgrade would change more' };
    const set = await tryAll(renderer, values, candidatesFor(values, wanted.fields), installed, expected);
    if ('none' in set) return set;
    const { name, namespace, revision } = release;
    const upgrade = { release: name, namespace, revision, set: set.set, rendered: renderedChanges(differences(installed, expected)) };
    return holdsSecret(upgrade, object) ? { none: 'the value is a secret: it is for a person to give' } : { upgrade };
  });
}

/** Also where only a name beside it says so: `{name: DB_PASSWORD, value: …}`. */
function holdsSecret(upgrade: HelmUpgrade, object: JsonRecord): boolean {
  const named = upgrade.rendered.map(({ path, before, after }) => {
    const parts = path.split('/').slice(1);
    const name = textOf(valueIn(object, ...parts.slice(0, -1), 'name'));
    return name === undefined ? {} : { was: { [name]: before ?? null }, is: { [name]: after ?? null } };
  });
  return [upgrade, named].some((part) => canonicalJson(redact(part)) !== canonicalJson(part));
}

function cannotSay(release: HelmRelease, live: KubeObject, operations: readonly WantedOperation[]): string | undefined {
  if (release.status !== 'deployed') return `revision ${release.revision} of the release is ${printable(release.status, 40)}, not deployed: mend that first (helm history)`;
  if (live.kind === 'Secret') return 'what a Secret holds is for a person to give';
  if (operations.length === 0) return 'no field is named that has to change';
  return whyIncomplete(release);
}

/** Takes each candidate that brings the rendering nearer to what is wanted and changes nothing else, until nothing is left. */
async function tryAll(renderer: Renderer, values: JsonRecord, candidates: readonly HelmValue[], installed: Rendered, expected: Rendered): Promise<{ set: HelmValue[] } | { none: string }> {
  const set: HelmValue[] = [];
  let left = differences(installed, expected);
  let besides: string | undefined;
  for (const candidate of candidates.slice(0, mostRenderings)) {
    const tried = await renderer.render(overlayOf(values, [...set, candidate]));
    if ('failed' in tried) continue;
    const now = differences(tried.objects, expected);
    const more = [...now.keys()].find((at) => !left.has(at));
    if (more !== undefined) {
      const near = [...left.keys()].some((at) => !now.has(at));
      if (near) besides ??= `${candidate.path.join('.')} decides ${printable(more.trim(), 300)} as well`;
      continue;
    }
    if (now.size >= left.size) continue;
    set.push(candidate);
    left = now;
    if (left.size === 0) return { set };
  }
  const searched = candidates.length > mostRenderings ? `${mostRenderings} of ${candidates.length}` : `${candidates.length}`;
  return { none: `no value of its chart decides this field alone (${searched} tried by rendering)${besides ? `: ${besides}` : ''}` };
}
