import { describeRef, listOf, printable, recordOf, refOf, textOf, type JsonRecord, type KubeObject } from '@larry/contracts';
import { UnknownKindError, type ClusterReader, type HelmDriver } from '@larry/kube';
import { parse } from 'yaml';
import { isMap, type Place } from './rendered';

/** Values that an object declares for a release. */
export interface ValueSource {
  object: KubeObject;
  /** Where they stand in the object: a map, or with `text` the YAML of one. */
  at: string[];
  text: boolean;
  /** Undefined where the object has none yet. */
  values: JsonRecord | undefined;
}

/** One value that is given on its own, as on Helm's command line (`spec.set`): over all else. */
export interface SetValue {
  object: KubeObject;
  key: string;
  path: Place;
  value: unknown;
}

/** Where the values of a driven release come from. */
export interface DeclaredRelease {
  /** Each overrides those before it. */
  sources: ValueSource[];
  /** Where a value goes that none has yet: one of the sources. */
  base: ValueSource;
  set: SetValue[];
  /** What gives values as well and is not read: ConfigMaps and Secrets. */
  elsewhere: string[];
}

/** Reads where the values of a release are declared; `unreadable` says in one sentence what is missing. Untrusted data. */
export async function declaredRelease(cluster: Pick<ClusterReader, 'kinds' | 'get'>, driver: HelmDriver, signal?: AbortSignal): Promise<DeclaredRelease | { unreadable: string }> {
  return driver.kind === 'HelmRelease' ? declaredByFlux(driver.object) : declaredByK3s(cluster, driver.object, signal);
}

/** `spec.values` over `spec.valuesFrom`, in their order (Flux, *HelmRelease*, Values). */
function declaredByFlux(object: KubeObject): DeclaredRelease {
  const spec = recordOf(object['spec']);
  const base: ValueSource = { object, at: ['spec', 'values'], text: false, values: isMap(spec['values']) ? spec['values'] : undefined };
  return { sources: [base], base, set: [], elsewhere: namesOf(spec['valuesFrom'], undefined) };
}

/**
 * The HelmChart's values, then the HelmChartConfig's of the same name, then `spec.set` (k3s, helm-controller `pkg/controllers/chart`:
 * the files `values-01_HelmChart.yaml` and `values-10_HelmChartConfig.yaml`, and `--set`). What k3s packages itself is written anew
 * at each start of a server, so that there the HelmChartConfig is the place for what is new (k3s, *Customizing Packaged Components*).
 */
async function declaredByK3s(cluster: Pick<ClusterReader, 'kinds' | 'get'>, chart: KubeObject, signal?: AbortSignal): Promise<DeclaredRelease | { unreadable: string }> {
  const { name, namespace } = chart.metadata;
  let config: KubeObject | undefined;
  const kind = (await cluster.kinds()).find((k) => k.kind === 'HelmChartConfig' && k.apiVersion.startsWith('helm.cattle.io/'));
  try {
    if (kind) config = await cluster.get({ apiVersion: kind.apiVersion, kind: kind.kind, name, ...(namespace ? { namespace } : {}) }, signal);
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
    return { unreadable: `whether a HelmChartConfig overrides its values cannot be seen: ${error.message}` };
  }
  const own = sourcesOf(chart);
  const over = config ? sourcesOf(config) : [];
  const sources = [...own, ...over];
  const broken = sources.find((s) => s.text && s.values === undefined && textAt(s) !== undefined);
  if (broken) return { unreadable: `${broken.at.join('.')} of ${describeRef(refOf(broken.object))} is not the YAML of one map` };
  const packaged = chart.metadata.annotations?.['objectset.rio.cattle.io/owner-gvk']?.endsWith('Kind=Addon') === true;
  const base = [...(packaged ? over : []), ...own].find((s) => !packaged || s.object === (config ?? chart)) as ValueSource;
  const elsewhere = [chart, ...(config ? [config] : [])].flatMap((o) => namesOf(recordOf(o['spec'])['valuesSecrets'], 'Secret'));
  return { sources, base, set: setValues(chart), elsewhere };
}

/** The text, and in newer versions of k3s a map over it. */
function sourcesOf(object: KubeObject): ValueSource[] {
  const { valuesContent, values } = recordOf(object['spec']);
  const text: ValueSource = { object, at: ['spec', 'valuesContent'], text: true, values: mapIn(textOf(valuesContent)) };
  return isMap(values) ? [text, { object, at: ['spec', 'values'], text: false, values }] : [text];
}

const textAt = ({ object }: ValueSource): string | undefined => textOf(recordOf(object['spec'])['valuesContent']);

function mapIn(text: string | undefined): JsonRecord | undefined {
  try {
    const value: unknown = text === undefined ? undefined : parse(text, { version: '1.1', logLevel: 'silent', maxAliasCount: 100 });
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function setValues(object: KubeObject): SetValue[] {
  return Object.entries(recordOf(recordOf(object['spec'])['set'])).map(([key, value]) => ({ object, key, path: setPath(key), value }));
}

/** `a.b[0].c\.d`, as `--set` reads it (Helm, *The Format and Limitations of --set*). */
function setPath(key: string): Place {
  return (key.match(/(?:\\.|[^.[\]\\])+|\[\d+\]/g) ?? []).map((part) => (/^\[\d+\]$/.test(part) ? Number(part.slice(1, -1)) : part.replace(/\\(.)/g, '$1')));
}

function namesOf(references: unknown, kind: string | undefined): string[] {
  return listOf(references).map((entry) => {
    const reference = recordOf(entry);
    return printable(`${kind ?? textOf(reference['kind']) ?? 'object'} ${textOf(reference['name']) ?? '?'}`, 200);
  });
}
