import { printable, redact, type HelmUpgrade, type ObjectRef, type Owner, type Remedy } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { stringify } from 'yaml';
import { coalesce, overlayOf } from './candidates';
import { findValues } from './find-values';
import type { HelmLocation } from './helm-tool';
import { readRelease, type HelmRelease, type ReleaseReading } from './release';
import { capabilitiesOf, type Capabilities } from './renderer';
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
 * helm, no right to read releases, a chart whose values do not decide the field. Reads the cluster and renders charts in a folder of its
 * own; changes nothing. Remedies of anything else stay as they are.
 */
export async function refineHelmRemedies<T extends Refinable>(cluster: ClusterReader, helm: HelmLocation, findings: readonly T[], objectOf: (finding: T) => ObjectRef, signal?: AbortSignal): Promise<T[]> {
  const refiner = new Refiner(cluster, helm, signal);
  const refined: T[] = [];
  let tried = 0;
  for (const finding of findings) {
    const { owner, remedy } = finding;
    const wanted = 'wanted' in remedy ? (remedy.wanted as WantedOperation[] | undefined) : undefined;
    if (owner.kind !== 'helm' || !wanted || tried === mostRefined) {
      refined.push(finding);
      continue;
    }
    tried += 1;
    refined.push({ ...finding, remedy: await refiner.remedy(owner, objectOf(finding), remedy, wanted) });
  }
  return refined;
}

class Refiner {
  private readonly releases = new Map<string, Promise<ReleaseReading>>();
  private capabilities: Promise<Capabilities> | undefined;

  constructor(
    private readonly cluster: ClusterReader,
    private readonly helm: HelmLocation,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async remedy(owner: Extract<Owner, { kind: 'helm' }>, object: ObjectRef, remedy: Remedy, wanted: WantedOperation[]): Promise<Remedy> {
    if ('missing' in this.helm) return withReason(remedy, `which value that is was not tried: ${this.helm.missing}`);
    const reading = await this.release(owner);
    if ('unreadable' in reading) return withReason(remedy, `which value that is was not tried: ${reading.unreadable}`);
    const live = await this.cluster.get(object, this.signal);
    if (!live) return withReason(remedy, 'which value that is was not tried: the object is gone');
    this.capabilities ??= capabilitiesOf(this.cluster);
    const found = await findValues(reading.release, live, wanted, { helm: this.helm.file, capabilities: await this.capabilities, ...(this.signal ? { signal: this.signal } : {}) });
    return 'none' in found ? withReason(remedy, `the values do not say: ${found.none}`) : valueRemedy(reading.release, found.upgrade, remedy, wanted);
  }

  private release({ namespace, release }: Extract<Owner, { kind: 'helm' }>): Promise<ReleaseReading> {
    const key = `${namespace}/${release}`;
    const reading = this.releases.get(key) ?? readRelease(this.cluster, namespace, release, this.signal);
    this.releases.set(key, reading);
    return reading;
  }
}

function withReason(remedy: Remedy, why: string): Remedy {
  if (remedy.layer === 'none') return { ...remedy, reason: printable(`${remedy.reason}; ${why}`, 900) };
  return { ...remedy, note: printable(`${'note' in remedy && remedy.note ? `${remedy.note}; ` : ''}${why}`, 900) };
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
