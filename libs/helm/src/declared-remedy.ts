import { describeRef, printable, recordOf, redact, refOf, type HelmUpgrade, type Remedy } from '@larry/contracts';
import type { HelmDriver } from '@larry/kube';
import { stringify } from 'yaml';
import type { DeclaredChange } from './declare-values';
import type { AddedMetadata } from './renderer';
import type { WantedOperation } from './wanted';

/** What Flux puts on every object of a release: its origin (helm-controller, pull request 238), and what the HelmRelease adds to all. */
export function addedBy({ kind, object }: HelmDriver): AddedMetadata | undefined {
  if (kind !== 'HelmRelease') return undefined;
  const { name, namespace = '' } = object.metadata;
  const common = recordOf(recordOf(object['spec'])['commonMetadata']);
  const origin = { 'helm.toolkit.fluxcd.io/name': name, 'helm.toolkit.fluxcd.io/namespace': namespace };
  return { labels: { ...recordOf(common['labels']), ...origin }, annotations: recordOf(common['annotations']) };
}

/** The change where the value is declared; whoever looks into a repository finds it there. */
export function declaredRemedy(driver: HelmDriver, { object, wanted, shown, places }: Extract<DeclaredChange, { wanted: unknown }>, { rendered }: HelmUpgrade, remedy: Remedy, fields: WantedOperation[]): Remedy {
  const [{ object: mended, path } = { object: '', path: '' }] = rendered;
  const said = 'note' in remedy && remedy.note ? `${remedy.note}; ` : '';
  const why = `${said}the value is ${places.join(', ')} of ${describeRef(object)}: rendered with it the chart differs in ${mended} ${path}${rendered.length > 1 ? ` and ${rendered.length - 1} more of the same change` : ''} and nowhere else; ${controllerOf(driver)} would undo a helm upgrade`;
  return { layer: 'manifest', yaml: stringify(redact(shown)), note: printable(why, 900), wanted: fields as unknown as Record<string, unknown>[], declared: { object, wanted: wanted as unknown as Record<string, unknown>[] } };
}

/** Where the value was not found: the driver is named, and nothing that would upgrade the release stays. */
export function undeclared(driver: HelmDriver, remedy: Remedy, why: string): Remedy {
  const name = describeRef(refOf(driver.object));
  if (remedy.layer === 'manifest') return withReason(withoutWanted(remedy), why);
  const said = `the value belongs in ${name}, as ${controllerOf(driver)} would undo a helm upgrade; ${why}`;
  if (remedy.layer === 'helm-value') return { layer: 'manifest', yaml: remedy.values, note: printable(said, 900) };
  return withReason(withoutWanted(remedy), said);
}

const controllerOf = ({ kind }: HelmDriver): string => (kind === 'HelmRelease' ? 'Flux' : 'k3s');

/** Nobody then looks for the object at fault in a repository: a chart renders it. */
export function withoutWanted(remedy: Remedy): Remedy {
  if (!('wanted' in remedy)) return remedy;
  const { wanted: _, ...rest } = remedy;
  return rest;
}

/** A remedy that also says why it is no more exact. */
export function withReason(remedy: Remedy, why: string): Remedy {
  if (remedy.layer === 'none') return { ...remedy, reason: printable(`${remedy.reason}; ${why}`, 900) };
  return { ...remedy, note: printable(`${'note' in remedy && remedy.note ? `${remedy.note}; ` : ''}${why}`, 900) };
}
