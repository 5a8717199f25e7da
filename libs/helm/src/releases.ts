import { printable, redactText, type HelmUpgrade, type RenderedChange } from '@larry/contracts';
import type { ClusterReader, KubeconfigOptions } from '@larry/kube';
import { coalesce, overlayOf } from './candidates';
import { whyIncomplete, withFolder, writeChart, writeGuard, writeValues } from './chart-folder';
import { accessFor } from './cluster-access';
import { runHelm, type HelmExit } from './helm-tool';
import { readRelease, type HelmRelease, type ReleaseReading } from './release';
import { differences, parseManifest, renderedChanges } from './rendered';

/** What helm answered to one request. What became of a release that it did not answer for, its records tell. */
export type HelmAnswer =
  | { outcome: 'done' }
  /** Helm ended with an error: before it wrote anything, or after. */
  | { outcome: 'failed'; message: string }
  /** It was ended from outside. */
  | { outcome: 'unknown'; message: string };

/** How a request is held back and ended. */
export interface HelmRequest {
  /** `<run>/<task>/<step>`: goes into the release's description, and as a mark into the chart that it keeps. */
  id: string;
  signal?: AbortSignal;
  /** Called synchronously, directly before helm is started; when it throws, helm is not. */
  guard?(): void;
}

/** Reads and changes Helm releases, through Helm. */
export interface HelmReleases {
  /** The release as its records tell it now. */
  read(namespace: string, name: string, signal?: AbortSignal): Promise<ReleaseReading>;
  /** What an upgrade would render otherwise, by `helm upgrade --dry-run=server`. */
  dryRun(change: HelmUpgrade, request: HelmRequest): Promise<{ rendered: RenderedChange[] } | { failed: string }>;
  /** One upgrade with the chart that the release keeps. Fails, and writes nothing, at any other revision than the change's. */
  upgrade(change: HelmUpgrade, request: HelmRequest): Promise<HelmAnswer>;
  /** Back to the revision that the change was made upon. */
  rollback(change: HelmUpgrade, request: HelmRequest): Promise<HelmAnswer>;
  /** How long after its begin an upgrade may still be under way, in milliseconds. */
  readonly underWayMs: number;
}

/** What {@link helmReleases} works with. */
export interface HelmReleasesOptions extends KubeconfigOptions {
  cluster: ClusterReader;
  /** The `helm` program, from {@link findHelm}. */
  helm: string;
  /** For hooks, and for each request of Helm's; in seconds. */
  timeoutSeconds?: number;
}

/** Helm for one cluster: reads through the read interface, writes by the `helm` program with the same kubeconfig, or as the pod's account. */
export function helmReleases(options: HelmReleasesOptions): HelmReleases {
  return new CommandReleases(options);
}

const slackMs = 15_000;

class CommandReleases implements HelmReleases {
  private readonly timeoutSeconds: number;

  constructor(private readonly options: HelmReleasesOptions) {
    this.timeoutSeconds = options.timeoutSeconds ?? 120;
  }

  get underWayMs(): number {
    return this.timeoutSeconds * 1000 + slackMs;
  }

  read: HelmReleases['read'] = (namespace, name, signal) => readRelease(this.options.cluster, namespace, name, signal);

  dryRun: HelmReleases['dryRun'] = async (change, request) => {
    const release = await this.releaseFor(change, request.signal);
    if ('failed' in release) return release;
    const exit = await this.run(release.release, change, { ...request, guard: () => undefined }, ['--dry-run=server', '--output', 'json']);
    if (exit.code !== 0) return { failed: said(exit) };
    const [before, after] = [release.release.manifest, manifestOf(exit.stdout)].map((text) => parseManifest(text ?? '{', change.namespace));
    if (!before || !after) return { failed: 'what it would render cannot be read' };
    return { rendered: renderedChanges(differences(before, after)) };
  };

  upgrade: HelmReleases['upgrade'] = async (change, request) => {
    const release = await this.releaseFor(change, request.signal);
    if ('failed' in release) return { outcome: 'failed', message: release.failed };
    // Not `--rollback-on-failure`: Helm 4.1 then waits until the whole release is ready, also with `--wait=hookOnly`, and
    // takes back what would have mended a part of it. What fails halfway is taken back by whoever called this.
    const more = ['--wait=hookOnly', '--hide-notes', '--description', `${printable(request.id, 300)} (larry.dev/change)`];
    return answerOf(await this.run(release.release, change, request, more));
  };

  rollback: HelmReleases['rollback'] = (change, request) =>
    withFolder(async (folder) => {
      const reading = await this.read(change.namespace, change.release, request.signal);
      if ('unreadable' in reading) return { outcome: 'failed', message: reading.unreadable };
      const { args: access, environment } = await accessFor(folder, this.options);
      const args = ['rollback', change.release, String(change.revision), '--namespace', change.namespace, '--wait=hookOnly', `--timeout=${this.timeoutSeconds}s`];
      return answerOf(await runHelm(this.options.helm, [...args, ...access], { folder, environment: { ...environment, HELM_DRIVER: reading.release.driver }, ...limits(request, this.underWayMs) }));
    });

  private async releaseFor(change: HelmUpgrade, signal?: AbortSignal): Promise<{ release: HelmRelease } | { failed: string }> {
    const reading = await this.read(change.namespace, change.release, signal);
    if ('unreadable' in reading) return { failed: reading.unreadable };
    const { release } = reading;
    if (release.revision !== change.revision) return { failed: `the release is at revision ${release.revision}, not ${change.revision}` };
    const why = whyIncomplete(release);
    return why ? { failed: why } : { release };
  }

  private run(release: HelmRelease, change: HelmUpgrade, request: HelmRequest, more: string[]): Promise<HelmExit> {
    return withFolder(async (folder) => {
      const chart = await writeChart(folder, release);
      await writeGuard(chart, { id: request.id, revision: change.revision });
      const overlay = overlayOf(coalesce(release.chart.values, release.config), change.set);
      const file = await writeValues(folder, 'overlay.json', overlay);
      const { args: access, environment } = await accessFor(folder, this.options);
      const args = ['upgrade', release.name, chart, '--namespace', release.namespace, '--reuse-values', '--values', file, `--timeout=${this.timeoutSeconds}s`];
      return runHelm(this.options.helm, [...args, ...more, ...access], { folder, environment: { ...environment, HELM_DRIVER: release.driver }, ...limits(request, this.underWayMs) });
    });
  }
}

function limits({ signal, guard }: HelmRequest, timeoutMs: number) {
  return { timeoutMs, ...(signal ? { signal } : {}), ...(guard ? { guard } : {}) };
}

function answerOf(exit: HelmExit): HelmAnswer {
  if (exit.code === 0) return { outcome: 'done' };
  return exit.code === null ? { outcome: 'unknown', message: 'helm was ended while it worked' } : { outcome: 'failed', message: said(exit) };
}

/** Helm's own sentence; it may hold parts of values. */
function said({ stderr }: HelmExit): string {
  return printable(redactText(stderr.replace(/^Error: /m, '').trim()) || 'helm says no reason', 500);
}

function manifestOf(json: string): string | undefined {
  try {
    const { manifest } = JSON.parse(json) as { manifest?: unknown };
    return typeof manifest === 'string' ? manifest : undefined;
  } catch {
    return undefined;
  }
}
