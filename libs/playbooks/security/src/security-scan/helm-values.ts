import { recordOf, textOf, valueIn, type Owner } from '@larry/contracts';
import { decodeHelmRelease, UnknownKindError, type ClusterReader } from '@larry/kube';
import { changesAsObject, type FieldChange, type Step } from './fix';

/** Names of values by which charts are used to pass pod fields on (`helm create` of Helm 3 and 4, and the Bitnami charts). */
const conventional = [
  'securityContext',
  'containerSecurityContext',
  'podSecurityContext',
  'automountServiceAccountToken',
  'hostNetwork',
  'hostPID',
  'hostIPC',
] as const;
type Conventional = (typeof conventional)[number];

/** Which of the conventional values a release's chart has; values themselves are not kept. */
export type ChartValues = ReadonlySet<Conventional>;

const secretKind = { apiVersion: 'v1', kind: 'Secret' };
const releaseName = /^[a-z0-9]([-a-z0-9.]{0,51}[a-z0-9])?$/;

/** What the chart of a deployed release lets one set, from Helm's record of it; undefined when that cannot be read. */
export async function chartValuesOf(
  cluster: ClusterReader,
  owner: Extract<Owner, { kind: 'helm' }>,
  signal: AbortSignal,
): Promise<ChartValues | undefined> {
  // The name comes from an annotation and goes into a selector.
  if (!releaseName.test(owner.release)) return undefined;
  const labelSelector = `owner=helm,name=${owner.release},status=deployed`;
  try {
    for await (const record of cluster.list(secretKind, { namespace: owner.namespace, labelSelector, signal })) {
      const release = decodeHelmRelease(record);
      if (release) return conventionsOf(release);
    }
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
  }
  return undefined;
}

/** A value counts when the chart's defaults name it and, where its templates are at hand, one of them reads it. */
function conventionsOf(release: Record<string, unknown>): ChartValues {
  const defaults = recordOf(valueIn(release, 'chart', 'values'));
  const templates = valueIn(release, 'chart', 'templates');
  const texts = Array.isArray(templates)
    ? templates.map((t: unknown) => Buffer.from(textOf(valueIn(t, 'data')) ?? '', 'base64').toString())
    : undefined;
  return new Set(
    conventional.filter(
      (name) =>
        Object.hasOwn(defaults, name) &&
        (texts === undefined || texts.some((text) => text.includes(`.Values.${name}`))),
    ),
  );
}

/**
 * The changes as values of the chart, or undefined when its conventions do not say how: values speak of every pod of a chart
 * alike, so changes of one container, or of the pod, are translated, others are not.
 */
export function asChartValues(
  changes: readonly FieldChange[],
  known: ChartValues,
): Record<string, unknown> | undefined {
  const containers = new Set<string>();
  const translated: FieldChange[] = [];
  for (const change of changes) {
    const at = podFieldOf(change.path);
    if (!at) return undefined;
    if (at.container !== undefined) containers.add(at.container);
    const name = valueFor(at, known);
    if (name === undefined || containers.size > 1) return undefined;
    const path: Step[] = [name, ...at.path.slice(1)];
    // Null takes a default of the chart away (Helm, *Deleting a default key*); a switch is turned off.
    const value = 'remove' in change ? (at.path.length === 1 ? false : null) : change.value;
    translated.push({ path, value });
  }
  return changesAsObject(translated, null);
}

interface PodField {
  /** The container's name, for a field of one. */
  container?: string;
  /** From the pod's spec or the container. */
  path: string[];
}

function podFieldOf(path: readonly Step[]): PodField | undefined {
  const inPod = path.slice(path.lastIndexOf('template') + 1);
  if (inPod[0] !== 'spec') return undefined;
  const [, list, element] = inPod;
  if (typeof list !== 'string') return undefined;
  const inContainer = typeof element === 'object';
  if (inContainer && list !== 'containers') return undefined;
  const rest = inPod.slice(inContainer ? 3 : 1);
  if (!rest.every((step): step is string => typeof step === 'string')) return undefined;
  return { path: rest, ...(inContainer ? { container: String(element['name']) } : {}) };
}

/** `securityContext` is the container's where the pod has a value of its own, and the pod's where the container has. */
function valueFor({ container, path }: PodField, known: ChartValues): Conventional | undefined {
  const [field] = path;
  if (field === 'securityContext') {
    const [own, other] =
      container === undefined
        ? (['podSecurityContext', 'containerSecurityContext'] as const)
        : (['containerSecurityContext', 'podSecurityContext'] as const);
    if (known.has(own)) return own;
    return known.has('securityContext') && known.has(other) ? 'securityContext' : undefined;
  }
  const same = conventional.find((name) => name === field);
  return container === undefined && same !== undefined && known.has(same) ? same : undefined;
}
