import { gzipSync } from 'node:zlib';
import type { KubeObject } from '@larry/contracts';
import { stringify } from 'yaml';

export interface ReleaseRow {
  name: string;
  namespace: string;
  chart: { name: string; version: string; appVersion: string; description: string; home?: string };
  /** The chart's own defaults. */
  defaults: Record<string, unknown>;
  /** What the user gave, the newest revision last. */
  revisions: { status: 'superseded' | 'deployed' | 'failed'; values: Record<string, unknown>; daysAgo: number; description: string; version?: string; appVersion?: string }[];
  /** What the chart renders; the same for every revision here. */
  objects: KubeObject[];
  notes?: string;
}

/**
 * The Secrets in which Helm keeps a release, one a revision: `data.release` is base64 of base64 of gzip of
 * JSON (helm `pkg/storage/driver/util.go`), readable by the real `helm list`, `get` and `history`.
 */
export function releaseSecrets(row: ReleaseRow, now: Date): KubeObject[] {
  const manifest = row.objects.map((object) => `---\n# Source: ${row.chart.name}/templates/${fileOf(object)}\n${stringify(object, { lineWidth: 0 })}`).join('');
  const templates = row.objects.map((object) => ({ name: `templates/${fileOf(object)}`, data: Buffer.from(stringify(object, { lineWidth: 0 })).toString('base64') }));
  const first = row.revisions[0];
  return row.revisions.map((revision, i) => {
    const deployed = new Date(now.getTime() - revision.daysAgo * 86_400_000);
    const release = {
      name: row.name,
      info: {
        first_deployed: new Date(now.getTime() - (first?.daysAgo ?? 0) * 86_400_000).toISOString(),
        last_deployed: deployed.toISOString(),
        deleted: '',
        description: revision.description,
        status: revision.status,
        ...(row.notes ? { notes: row.notes } : {}),
      },
      chart: {
        metadata: { apiVersion: 'v2', type: 'application', ...row.chart, version: revision.version ?? row.chart.version, appVersion: revision.appVersion ?? row.chart.appVersion },
        lock: null,
        templates,
        values: row.defaults,
        schema: null,
        files: [],
      },
      config: revision.values,
      manifest,
      version: i + 1,
      namespace: row.namespace,
      apply_method: 'ssa',
    };
    const encoded = gzipSync(JSON.stringify(release), { level: 9 }).toString('base64');
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: `sh.helm.release.v1.${row.name}.v${i + 1}`,
        namespace: row.namespace,
        creationTimestamp: `${deployed.toISOString().slice(0, 19)}Z`,
        labels: { modifiedAt: String(Math.floor(deployed.getTime() / 1000)), name: row.name, owner: 'helm', status: revision.status, version: String(i + 1) },
      },
      type: 'helm.sh/release.v1',
      data: { release: Buffer.from(encoded).toString('base64') },
    };
  });
}

function fileOf(object: KubeObject): string {
  return `${object.kind.toLowerCase()}-${object.metadata.name}.yaml`;
}
