import { gzipSync } from 'node:zlib';
import type { KubeObject } from '@larry/contracts';
import { aConfigMap, aSecret } from '@larry/kube/testing';

export interface RecordParts {
  name?: string;
  namespace?: string;
  revision?: number;
  status?: string;
  chart?: string;
  chartVersion?: string;
  appVersion?: string;
  config?: unknown;
  manifest?: string;
  updatedAt?: string;
  description?: string;
  storage?: 'Secret' | 'ConfigMap';
  gzip?: boolean;
  /** Instead of the encoded release. */
  data?: string;
}

/** One of Helm's records, encoded as Helm encodes it: gzip, base64, and once more base64 in a Secret. */
export function aRecord(parts: RecordParts = {}): KubeObject {
  const { name = 'web', namespace = 'shop', revision = 1, status = 'deployed', storage = 'Secret', gzip = true } = parts;
  const release = {
    name,
    namespace,
    version: revision,
    info: { status, last_deployed: parts.updatedAt ?? '2026-06-01T10:00:00.123456789Z', description: parts.description ?? 'Install complete' },
    chart: { metadata: { name: parts.chart ?? 'web', version: parts.chartVersion ?? '1.2.3', appVersion: parts.appVersion ?? '4.5' } },
    config: parts.config ?? { replicas: 2 },
    manifest: parts.manifest ?? '---\n# Source: web/a.yaml\napiVersion: v1\nkind: Service\n---\napiVersion: apps/v1\nkind: Deployment\n',
    hooks: [{}],
  };
  const json = Buffer.from(JSON.stringify(release));
  const once = (gzip ? gzipSync(json) : json).toString('base64');
  const encoded = parts.data ?? (storage === 'Secret' ? Buffer.from(once).toString('base64') : once);
  const record = { name: `sh.helm.release.v1.${name}.v${revision}`, namespace, labels: { owner: 'helm', name, status, version: String(revision) }, data: { release: encoded } };
  return storage === 'Secret' ? aSecret({ ...record, type: 'helm.sh/release.v1' }) : aConfigMap(record);
}
