import { printable, redact, type HelmUpgrade, type ObjectRef, type Owner, type Remedy } from '@larry/contracts';
import { HelmDrivers, ownerByDriver, type ClusterReader, type HelmDriver } from '@larry/kube';
import { stringify } from 'yaml';
import { argoRemedy } from './argo-application';
import { coalesce, overlayOf } from './candidates';
import { declareValues } from './declare-values';
import { declaredRelease } from './declared-release';
import { addedBy, declaredRemedy, undeclared, withoutWanted, withReason } from './declared-remedy';
import { findValues } from './find-values';
import type { HelmLocation } from './helm-tool';
import { readRelease, type HelmRelease, type ReleaseReading } from './release';
import { capabilitiesOf, type AddedMetadata, type Capabilities } from './renderer';
import type { WantedOperation } from './wanted';

/** What a remedy speaks of. */
export interface Refinable {
  owner: Owner;
  remedy: Remedy;
}

/** Each takes a few renderings, of 50 to 100 ms. */
const mostRefined = 20;

/**
 * Looks for the chart values behind the remedies of what Helm releases own, and says in each what they are or why they were not found: no
 * helm, no right to read releases, a chart whose values do not decide the field. A release that Flux or k3s drives is never upgraded: its
 * value is said as a change of the HelmRelease or HelmChart that declares it. Reads the cluster and renders charts in a folder of its own;
 * changes nothing. Remedies of anything else stay as they are.
 */
export async function refineHelmRemedies<T extends Refinable>(cluster: ClusterReader, helm: HelmLocation, findings: readonly T[], objectOf: (finding: T) => ObjectRef, signal?: AbortSignal): Promise<T[]> {
  const refiner = new Refiner(cluster, helm, signal);
  const refined: T[] = [];
  let tried = 0;
  for (const finding of findings) {
    const wanted = 'wanted' in finding.remedy ? (finding.remedy.wanted as WantedOperation[] | undefined) : undefined;
    if (!wanted || !isBroughtByChart(finding.owner) || tried === mostRefined) {
      refined.push(finding);
      continue;
    }
    tried += 1;
    refined.push({ ...finding, ...(await refiner.refine(finding, objectOf(finding), wanted)) });
  }
  return refined;
}

function isBroughtByChart(owner: Owner): boolean {
  return owner.kind === 'helm' || owner.kind === 'k3s-helmchart' || owner.kind === 'argocd' || (owner.kind === 'flux' && owner.resource.startsWith('HelmRelease '));
}

class Refiner {
  private readonly releases = new Map<string, Promise<ReleaseReading>>();
  private readonly drivers: HelmDrivers;
  private capabilities: Promise<Capabilities> | undefined;

  constructor(
    private readonly cluster: ClusterReader,
    private readonly helm: HelmLocation,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.drivers = new HelmDrivers(cluster);
  }

  async refine({ owner, remedy }: Refinable, object: ObjectRef, wanted: WantedOperation[]): Promise<Refinable> {
    if (owner.kind === 'argocd') return { owner, remedy: await argoRemedy(this.cluster, owner, remedy, this.signal) };
    const driven = owner.kind === 'helm' ? await this.drivers.ofRelease(owner.release, owner.namespace) : await this.drivers.ofOwner(owner);
    if ('driver' in driven) return { owner: ownerByDriver(driven.driver), remedy: await this.declared(driven.driver, object, remedy, wanted) };
    if ('unknown' in driven) return { owner, remedy: withReason(withoutWanted(remedy), `whether a controller would undo an upgrade cannot be seen: ${driven.unknown}`) };
    if (owner.kind === 'helm') return { owner, remedy: await this.upgraded(owner, object, remedy, wanted) };
    return { owner, remedy: withReason(withoutWanted(remedy), 'which value that is was not tried: it is not in this cluster') };
  }

  /** The value of a release that is a person's own. */
  private async upgraded({ namespace, release }: Extract<Owner, { kind: 'helm' }>, object: ObjectRef, remedy: Remedy, wanted: WantedOperation[]): Promise<Remedy> {
    const found = await this.find({ release, namespace, storage: namespace }, object, wanted);
    return 'none' in found ? withReason(remedy, found.none) : valueRemedy(found.release, found.upgrade, remedy, wanted);
  }

  /** The value where the release's driver takes it from. */
  private async declared(driver: HelmDriver, object: ObjectRef, remedy: Remedy, wanted: WantedOperation[]): Promise<Remedy> {
    const declared = await declaredRelease(this.cluster, driver, this.signal);
    if ('unreadable' in declared) return undeclared(driver, remedy, declared.unreadable);
    const found = await this.find(driver, object, wanted, addedBy(driver));
    if ('none' in found) return undeclared(driver, remedy, found.none);
    const change = declareValues(declared, found.release, found.upgrade);
    return 'none' in change ? undeclared(driver, remedy, change.none) : declaredRemedy(driver, change, found.upgrade, remedy, wanted);
  }

  private async find(place: Pick<HelmDriver, 'release' | 'namespace' | 'storage'>, object: ObjectRef, wanted: WantedOperation[], added?: AddedMetadata): Promise<{ release: HelmRelease; upgrade: HelmUpgrade } | { none: string }> {
    const untried = (why: string): { none: string } => ({ none: `which value that is was not tried: ${why}` });
    if ('missing' in this.helm) return untried(this.helm.missing);
    const reading = await this.release(place);
    if ('unreadable' in reading) return untried(reading.unreadable);
    const live = await this.cluster.get(object, this.signal);
    if (!live) return untried('the object is gone');
    this.capabilities ??= capabilitiesOf(this.cluster);
    const found = await findValues(reading.release, live, wanted, { helm: this.helm.file, capabilities: await this.capabilities, ...(added ? { added } : {}), ...(this.signal ? { signal: this.signal } : {}) });
    return 'none' in found ? { none: `the values do not say: ${found.none}` } : { release: reading.release, upgrade: found.upgrade };
  }

  private release({ storage, namespace, release }: Pick<HelmDriver, 'release' | 'namespace' | 'storage'>): Promise<ReleaseReading> {
    const key = `${storage} ${namespace}/${release}`;
    const reading = this.releases.get(key) ?? readRelease(this.cluster, storage, release, this.signal, namespace);
    this.releases.set(key, reading);
    return reading;
  }
}

function valueRemedy(release: HelmRelease, upgrade: HelmUpgrade, remedy: Remedy, wanted: WantedOperation[]): Remedy {
  const overlay = overlayOf(coalesce(release.chart.values, release.config), upgrade.set);
  const [{ object, path } = { object: '', path: '' }] = upgrade.rendered;
  const said = 'note' in remedy && remedy.note ? `${remedy.note}; ` : '';
  return {
    layer: 'helm-value',
    release: upgrade.release,
    namespace: upgrade.namespace,
    values: stringify(redact(overlay)),
    command: commandFor(release, upgrade),
    note: printable(`${said}rendered with this value the chart differs in ${object} ${path}${upgrade.rendered.length > 1 ? ` and ${upgrade.rendered.length - 1} more of the same change` : ''} and nowhere else; CHART is where ${String(release.chart.metadata['name'])} ${String(release.chart.metadata['version'])} was installed from`, 900),
    upgrade,
    wanted: wanted as unknown as Record<string, unknown>[],
  };
}

/** A list is replaced as a whole by `--set`, so that then a file is named. */
function commandFor({ chart }: HelmRelease, { release, namespace, set }: HelmUpgrade): string {
  const inList = set.some(({ path }) => path.some((part) => typeof part === 'number'));
  const version = /^[\w.+-]+$/.test(String(chart.metadata['version'])) ? ` --version ${String(chart.metadata['version'])}` : '';
  const values = inList ? ' --values VALUES.yaml' : set.map(({ path, value }) => ` --set-json ${quoted(`${path.map((part) => String(part).replace(/[.,=[\]\\]/g, '\\$&')).join('.')}=${JSON.stringify(value)}`)}`).join('');
  return printable(`helm upgrade ${release} CHART${version} --namespace ${namespace} --reuse-values${values}`, 2000);
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
