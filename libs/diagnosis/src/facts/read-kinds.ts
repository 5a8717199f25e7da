import { printable } from '@larry/contracts';
import { builtinKinds, UnknownKindError, type ClusterReader, type KindInfo } from '@larry/kube';
import type { Kept } from './kept';

/** Kinds of Kubernetes that say nothing about why a workload does not run. */
const unread = new Set(['ControllerRevision', 'PodTemplate', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'CSIDriver', 'CSIStorageCapacity', 'PriorityClass', 'RuntimeClass', 'CustomResourceDefinition', 'APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'CertificateSigningRequest', 'Endpoints', 'VolumeAttachment']);
/** Custom kinds that do: routes, what installed a release, what scales to zero. */
const customKinds = new Set(['gateway.networking.k8s.io/HTTPRoute', 'gateway.networking.k8s.io/GRPCRoute', 'networking.istio.io/VirtualService', 'networking.istio.io/DestinationRule', 'traefik.io/IngressRoute', 'traefik.containo.us/IngressRoute', 'helm.cattle.io/HelmChart', 'helm.toolkit.fluxcd.io/HelmRelease', 'k3s.cattle.io/Addon', 'keda.sh/ScaledObject']);

/** What is read of which namespaces. */
export interface Reach {
  /** The one asked about. */
  namespace?: string;
  /** Nothing of any other is read, but what controllers of the cluster need. */
  alone?: boolean;
  signal?: AbortSignal;
}

/** A kind that may not be listed across namespaces. */
export interface Refused {
  kind: KindInfo;
  reason: string;
}

/** Controllers of the cluster live in it, whatever namespace is asked about. */
const systemNamespace = 'kube-system';

/**
 * Reads every kind that can say something: of all namespaces, since what is wrong in one may come from another. Where the account may
 * not list across namespaces, of the one asked about and `kube-system`; those kinds are returned.
 */
export async function readKinds(reader: ClusterReader, kept: Kept, { namespace, alone, signal }: Reach): Promise<Refused[]> {
  const refused: Refused[] = [];
  for (const kind of (await reader.kinds()).filter(isWanted)) {
    const within = namespace !== undefined && kind.namespaced ? namespace : undefined;
    const reason = within !== undefined && alone ? 'not looked at' : await readList(reader, kind, kept, undefined, signal);
    if (reason === undefined) continue;
    const missing = within === undefined ? reason : await readList(reader, kind, kept, within, signal);
    if (missing === undefined) refused.push({ kind, reason });
    else kept.unknown(kind.kind, missing);
    if (within !== undefined && within !== systemNamespace) await readList(reader, kind, kept, systemNamespace, signal);
  }
  return refused;
}

/** Reads of more namespaces what may not be listed across them; what these do not show either stays unread. */
export async function readMore(reader: ClusterReader, kept: Kept, refused: readonly Refused[], namespaces: readonly string[], signal?: AbortSignal): Promise<void> {
  for (const { kind } of refused) for (const namespace of namespaces) await readList(reader, kind, kept, namespace, signal);
}

/** Names what was not read of other namespaces, before anything else that is unknown. */
export function nameUnread(kept: Kept, refused: readonly Refused[]): void {
  const [first] = refused;
  if (!first) return;
  const kinds = refused.map(({ kind }) => kind.kind).sort();
  const read = [...new Set(kinds.flatMap((kind) => kept.objects.namespacesOf(kind) ?? []))].sort();
  const shown = `${kinds.slice(0, 6).join(', ')}${kinds.length > 6 ? ` and ${kinds.length - 6} more kinds` : ''}`;
  kept.unknowns.unshift({ subject: printable(`${shown} in namespaces other than ${read.join(', ')}`, 300), reason: printable(first.reason, 300) });
}

/** Reads one list; returns why it cannot be read. */
async function readList(reader: ClusterReader, kind: KindInfo, kept: Kept, namespace: string | undefined, signal: AbortSignal | undefined): Promise<string | undefined> {
  let taken = 0;
  try {
    const list = reader.list(kind, { ...(namespace ? { namespace } : {}), ...(signal ? { signal } : {}) });
    for await (const object of list) {
      kept.take(object, reader.originOf(object));
      taken += 1;
    }
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
    if (taken === 0) return error.reason;
    // A part was read: to ask for it again would count that part twice.
    kept.incomplete(kind.kind, error.reason);
    return undefined;
  }
  kept.objects.listed(kind.kind, namespace);
  if (kind.availability.state === 'listed' && kind.availability.incomplete !== undefined) kept.incomplete(kind.kind, kind.availability.incomplete);
  return undefined;
}

/** Whether a kind can say anything about why something does not run. */
export function isWanted({ apiVersion, kind }: KindInfo): boolean {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  if (builtinKinds.some((b) => b.kind === kind && (b.apiVersion.includes('/') ? b.apiVersion.split('/')[0] : '') === group)) return !unread.has(kind);
  return customKinds.has(`${group}/${kind}`);
}
