import { gunzipSync, gzipSync } from 'node:zlib';
import { redact, redactText, type KubeObject } from '@larry/contracts';
import { isRecord } from './untrusted-object';

/** A release record is at most the size of a Secret, 1 MiB; what unpacks to more than this is not one. */
const maxUnpackedBytes = 64 * 1024 * 1024;
const releaseType = 'helm.sh/release.v1';

/** The annotation of a release record that a snapshot wrote anew without its secrets. */
export const redactedReleaseAnnotation = 'larry.dev/redacted-release';

/** True for the Secrets and ConfigMaps in which Helm 3 and 4 keep their releases (Helm, *storage drivers*). */
export function isHelmReleaseRecord(object: KubeObject): boolean {
  const { labels, name } = object.metadata;
  const stored = isRecord(object['data']) && typeof object['data']['release'] === 'string';
  if (object.kind === 'Secret') return stored && object['type'] === releaseType;
  return object.kind === 'ConfigMap' && stored && labels?.['owner'] === 'helm' && name.startsWith('sh.helm.release.v1.');
}

/**
 * The release that Helm keeps in a Secret (base64 of base64 of gzip of JSON) or a ConfigMap (base64 of gzip of JSON; older ones without gzip).
 * Untrusted data. Undefined when the object holds none that can be read.
 */
export function decodeHelmRelease(object: KubeObject): Record<string, unknown> | undefined {
  if (!isHelmReleaseRecord(object) || !isRecord(object['data'])) return undefined;
  const data = object['data']['release'] as string;
  try {
    const once = Buffer.from(data, 'base64');
    const packed = object.kind === 'Secret' ? Buffer.from(once.toString('latin1'), 'base64') : once;
    const gzipped = packed[0] === 0x1f && packed[1] === 0x8b;
    const release: unknown = JSON.parse((gzipped ? gunzipSync(packed, { maxOutputLength: maxUnpackedBytes }) : packed).toString());
    return isRecord(release) ? release : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The same record with a release that holds no secrets: name, version, status, times, chart metadata and dependencies stay; values and
 * manifests are redacted; notes, chart templates and files are left out. It is encoded as Helm would, so that readers need not know.
 * Undefined when it cannot be decoded.
 */
export function redactHelmRelease(object: KubeObject): KubeObject | undefined {
  const release = decodeHelmRelease(object);
  if (!release) return undefined;
  const { info, chart, config, manifest, hooks, ...rest } = release;
  const kept = {
    ...redact(rest),
    info: isRecord(info) ? { ...redact(info), notes: undefined } : undefined,
    chart: isRecord(chart) ? { metadata: redact(chart['metadata']), lock: redact(chart['lock']), values: redact(chart['values']) } : undefined,
    config: redact(config),
    manifest: typeof manifest === 'string' ? redactText(manifest) : undefined,
    hooks: Array.isArray(hooks) ? redact(hooks.map((hook: unknown) => (isRecord(hook) ? withRedactedManifest(hook) : hook))) : undefined,
  };
  const packed = gzipSync(JSON.stringify(kept)).toString('base64');
  const encoded = object.kind === 'Secret' ? Buffer.from(packed).toString('base64') : packed;
  return {
    ...object,
    metadata: { ...redact(object.metadata), annotations: { ...redact(object.metadata.annotations), [redactedReleaseAnnotation]: 'true' } },
    data: { release: encoded },
  };
}

function withRedactedManifest(hook: Record<string, unknown>): Record<string, unknown> {
  return { ...hook, manifest: typeof hook['manifest'] === 'string' ? redactText(hook['manifest']) : undefined };
}
