import { printable, recordOf, redactText, type JsonRecord } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { withFolder, writeChart, writeValues } from './chart-folder';
import { runHelm } from './helm-tool';
import { parseManifest, type Rendered } from './rendered';
import type { HelmRelease } from './release';

/** What charts ask a cluster for while they are rendered (`.Capabilities`). */
export interface Capabilities {
  kubeVersion?: string;
  apiVersions: string[];
}

/** Labels and annotations that are put on every rendered object. */
export interface AddedMetadata {
  labels: JsonRecord;
  annotations: JsonRecord;
}

/** Renders the chart that a release keeps, offline. */
export interface Renderer {
  /** With the release's values and, over them, these. */
  render(overlay: Record<string, unknown> | undefined): Promise<{ objects: Rendered } | { failed: string }>;
}

const renderWithinMs = 30_000;

/** What a source tells of a cluster's versions and kinds, as `.Capabilities` names them. */
export async function capabilitiesOf(cluster: ClusterReader): Promise<Capabilities> {
  const kinds = await cluster.kinds();
  const { serverVersion } = cluster.source;
  const apiVersions = [...new Set(kinds.flatMap(({ apiVersion, kind }) => [apiVersion, `${apiVersion}/${kind}`]))].filter((v) => /^[\w./-]+$/.test(v)).sort();
  return { apiVersions, ...(serverVersion && /^v?\d+\.\d+/.test(serverVersion) ? { kubeVersion: serverVersion } : {}) };
}

/** Unpacks a release's chart for as long as it is used. */
export function openRenderer<T>(release: HelmRelease, { helm, capabilities, added, signal }: { helm: string; capabilities?: Capabilities; added?: AddedMetadata; signal?: AbortSignal }, use: (renderer: Renderer) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const chart = await writeChart(folder, release);
    const base = await writeValues(folder, 'values.json', release.config);
    const args = [
      ...['template', release.name, chart, '--namespace', release.namespace, '--is-upgrade', '--no-hooks', '--skip-tests', '--values', base],
      ...(capabilities?.kubeVersion ? ['--kube-version', capabilities.kubeVersion] : []),
      ...(capabilities && capabilities.apiVersions.length > 0 ? ['--api-versions', capabilities.apiVersions.join(',')] : []),
    ];
    return use({
      render: async (overlay) => {
        const more = overlay ? ['--values', await writeValues(folder, 'overlay.json', overlay)] : [];
        const exit = await runHelm(helm, [...args, ...more], { folder, environment: { KUBECONFIG: `${folder}/none` }, timeoutMs: renderWithinMs, ...(signal ? { signal } : {}) });
        signal?.throwIfAborted();
        if (exit.code !== 0) return { failed: printable(redactText(exit.stderr.replace(/^Error: /, '').trim()), 300) };
        const objects = parseManifest(exit.stdout, release.namespace);
        return objects ? { objects: added ? withMetadata(objects, added) : objects } : { failed: 'what it renders cannot be read' };
      },
    });
  });
}

function withMetadata(objects: Rendered, added: AddedMetadata): Rendered {
  const all = [...objects].map(([key, object]): [string, JsonRecord] => {
    const metadata = recordOf(object['metadata']);
    const fields = (['labels', 'annotations'] as const).filter((field) => Object.keys(added[field]).length > 0);
    const more = Object.fromEntries(fields.map((field) => [field, { ...recordOf(metadata[field]), ...added[field] }]));
    return [key, { ...object, metadata: { ...metadata, ...more } }];
  });
  return new Map(all);
}
