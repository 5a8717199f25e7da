import { canonicalJson, valueIn, type HelmUpgrade } from '@larry/contracts';
import { markFor, type HelmRelease, type HelmReleases } from '@larry/helm';
import { setTimeout as delay } from 'node:timers/promises';

/** @internal How an upgrade of ours stands, by the records of its release. */
export type UpgradeState =
  | 'in-effect'
  | 'not-in-effect'
  /** Helm has begun it and has not said how it ended. */
  | 'under-way'
  /** It failed, or whoever made it died: part of it may be in the cluster. */
  | 'half-made'
  /** Somebody else's operation is under way. */
  | 'unknown';

const pending = (status: string): boolean => status.startsWith('pending-');

/** @internal Pure. The mark is in the chart that a revision keeps, so that a rollback to ours carries it as well. */
export function upgradeState(release: HelmRelease, id: string): UpgradeState {
  const mark = markFor(id);
  const { status } = release;
  if (release.mark === mark) return status === 'deployed' ? 'in-effect' : pending(status) ? 'under-way' : 'half-made';
  if (pending(status) || status === 'uninstalling') return 'unknown';
  if (status !== 'failed') return 'not-in-effect';
  // An upgrade of somebody else's that failed leaves the revision before it deployed.
  const deployed = [...release.history].reverse().find((r) => r.status === 'deployed');
  return deployed?.mark === mark ? 'in-effect' : 'not-in-effect';
}

/** @internal True where the user's values of a release hold what an upgrade sets: a mark alone anybody may have written. */
export function holdsValues({ config }: HelmRelease, { set }: HelmUpgrade): boolean {
  return set.every(({ path, value }) => canonicalJson(valueIn(config, ...path) ?? null) === canonicalJson(value ?? null));
}

/** @internal True once nobody can still be at work on the newest revision. */
export function isOver(helm: HelmReleases, { at }: HelmRelease): boolean {
  const begun = Date.parse(at);
  return Number.isNaN(begun) || Date.now() - begun > helm.underWayMs;
}

const lookEveryMs = 500;

/** @internal Reads a release until nothing is under way any more, or has been for longer than Helm would take. */
export async function readSettled(helm: HelmReleases, { namespace, release: name }: HelmUpgrade, signal: AbortSignal): Promise<{ release: HelmRelease } | { unreadable: string }> {
  const until = Date.now() + helm.underWayMs;
  for (;;) {
    const reading = await helm.read(namespace, name, signal);
    if ('unreadable' in reading || !pending(reading.release.status) || isOver(helm, reading.release) || Date.now() > until) return reading;
    await delay(lookEveryMs, undefined, { signal });
  }
}
