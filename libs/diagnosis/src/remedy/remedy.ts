import { describeRef, printable, redactText, refOf, type KubeObject, type ObjectRef, type Owner, type Remedy } from '@larry/contracts';
import { controllerOf, helmDriverOf, ownerByDriver, ownerIn as ownerInSource } from '@larry/kube';
import type { Facts } from '../facts/model';
import { keyOf, objectKey } from '../facts/object-index';
import type { FieldChange } from '../finding';
import { yamlOf } from './change-text';
import { kubectlPatch } from './kubectl-patch';

const mostSteps = 10;

/** Who owns an object: what controls it, up to the root, and who brought that. Pure; cyclic owners end where they began. */
export function ownerIn(facts: Facts, ref: ObjectRef): Owner {
  const object = facts.objects.resolve(ref);
  if (!object) return { kind: 'unknown', reason: 'the source does not show the object' };
  let top: KubeObject = object;
  const seen = new Set([objectKey(top)]);
  for (let step = 0; step < mostSteps; step += 1) {
    const above = controllerOf(top);
    if (!above) break;
    const held = facts.objects.resolve(above);
    if (!held || seen.has(keyOf(above))) return { kind: 'controller', ref: above };
    seen.add(keyOf(above));
    top = held;
  }
  const owner = refined(facts, ownerInSource({ source: facts.source, originOf: () => facts.origins.get(objectKey(top)) }, top));
  return (owner.kind === 'none' || owner.kind === 'unknown') && top !== object ? { kind: 'controller', ref: refOf(top) } : owner;
}

/** Flux and k3s make releases from objects of their own: then those are where a value belongs. */
function refined(facts: Facts, owner: Owner): Owner {
  if (owner.kind !== 'helm') return owner;
  const drivers = ['HelmRelease', 'HelmChart'].flatMap((kind) => facts.objects.list(kind)).map(helmDriverOf);
  const driver = drivers.find((d) => d?.release === owner.release && d.namespace === owner.namespace);
  return driver ? ownerByDriver(driver) : owner;
}

/** The change at the layer that owns the object, or why there is none. */
export function remedyAt(facts: Facts, ref: ObjectRef, owner: Owner, change: FieldChange | { none: string }): Remedy {
  if ('none' in change) return { layer: 'none', reason: printable(change.none, 500) };
  const object = facts.objects.resolve(ref);
  const secret = secretIn(change);
  if (secret !== undefined) return { layer: 'none', reason: printable(secret, 500) };
  const note = change.note ? { note: printable(change.note, 500) } : {};
  const fixed = fixedFields(ref, change);
  if (fixed !== undefined && owner.kind !== 'manifest') return { layer: 'none', reason: printable(fixed, 500) };
  switch (owner.kind) {
    case 'none':
      return patchOf(object, ref, change, change.note);
    case 'unknown':
      return patchOf(object, ref, change, `${change.note ? `${change.note}; ` : ''}who owns it is unknown (${owner.reason}): if something applies it, change it there`);
    case 'manifest':
      return { layer: 'manifest', file: owner.file, ...(owner.line ? { line: owner.line } : {}), yaml: yamlOf(object, change.patch), ...note, wanted: change.patch };
    case 'helm': {
      const values = change.chartValues?.[chartName(owner.chart)];
      if (values !== undefined) return { layer: 'helm-value', release: owner.release, namespace: owner.namespace, values, ...note, wanted: change.patch };
      return { layer: 'none', reason: printable(`the Helm release ${owner.namespace}/${owner.release}${owner.chart ? ` (chart ${owner.chart})` : ''} owns it: ${change.summary} by the value that its chart has for that, and helm upgrade`, 500), wanted: change.patch };
    }
    case 'controller':
      return { layer: 'none', reason: printable(`${describeRef(owner.ref)} owns it and would undo a change here. There: ${change.summary}`, 500) };
    case 'flux':
    case 'argocd':
    case 'k3s-addon':
    case 'k3s-helmchart':
      return { layer: 'manifest', ...(owner.kind === 'k3s-addon' && owner.source ? { file: owner.source } : {}), yaml: yamlOf(object, change.patch), note: printable(`${change.summary}, in the source of ${sourceText(owner)}; a change in the cluster would be undone`, 500), wanted: change.patch };
  }
}

/** The object's own fields: the exact patch, where the source shows the object that it is for. */
function patchOf(object: KubeObject | undefined, ref: ObjectRef, { patch, summary }: FieldChange, note: string | undefined): Remedy {
  if (!object) return { layer: 'none', reason: printable(`${summary}, in ${describeRef(ref)}, which the source does not show${note ? `; ${note}` : ''}`, 500) };
  return { layer: 'patch', target: ref, patchType: 'json', patch, command: kubectlPatch(ref, patch), note: printable(`${summary}${note ? `; ${note}` : ''}`, 500) };
}

/** A value that holds a secret is nobody's to repeat: not in a command, a report or Redis. */
function secretIn({ patch, summary, note }: FieldChange): string | undefined {
  const texts = [summary, note ?? '', ...patch.map(({ value }) => (typeof value === 'string' ? value : JSON.stringify(value ?? null)))];
  if (texts.every((text) => redactText(text) === text)) return undefined;
  return `the value holds a secret, so Larry neither writes it down nor changes it. By hand, at ${patch.map(({ path }) => path).join(', ')}: ${redactText(summary)}`;
}

/** What the API server refuses to have changed (Kubernetes, `ValidatePodUpdate`, `ValidateJobUpdate`): it has to be made anew. */
function fixedFields(ref: ObjectRef, { patch, summary }: FieldChange): string | undefined {
  const again = `its fields are fixed once it is there: make ${describeRef(ref)} anew, and there: ${summary}`;
  if (ref.kind === 'Job' && patch.some(({ path }) => path.startsWith('/spec/template/'))) return again;
  // A Pod's images are the one part of its containers that may be changed.
  if (ref.kind === 'Pod' && patch.some(({ path }) => !/^\/spec\/(?:initC|c)ontainers\/\d+\/image$/.test(path) && !path.startsWith('/metadata/'))) return again;
  return undefined;
}

/** `pgadmin4-1.33.0` is the chart `pgadmin4`. */
function chartName(chart: string | undefined): string {
  return (chart ?? '').replace(/-v?\d.*$/, '');
}

function sourceText(owner: Extract<Owner, { kind: 'flux' | 'argocd' | 'k3s-addon' | 'k3s-helmchart' }>): string {
  if (owner.kind === 'flux') return owner.resource;
  if (owner.kind === 'argocd') return `the Argo CD application ${owner.application}`;
  return owner.kind === 'k3s-addon' ? `the k3s AddOn ${owner.addon}` : `the HelmChart ${owner.namespace}/${owner.chart}`;
}
