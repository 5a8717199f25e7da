import type { HelmUpgrade } from '@larry/contracts';
import { markFor, type HelmAnswer, type HelmRelease, type HelmReleases, type HelmRequest } from '@larry/helm';
import { aRelease } from '@larry/helm/testing';

/** What goes wrong with the next `helm upgrade` or `helm rollback`. */
export type HelmFault =
  /** Done, and nobody hears of it. */
  | 'lose-reply'
  /** Killed before it wrote anything. */
  | 'die-before'
  /** Killed after it had written its record. */
  | 'die-in-the-middle'
  /** Fails halfway, and leaves it so. */
  | 'fail';

/** A Helm release in memory, as Helm 4 keeps its history. */
export interface MemoryReleases extends HelmReleases {
  release(): HelmRelease;
  /** How many upgrades and rollbacks were begun. */
  readonly begun: readonly string[];
  fail(fault: HelmFault): void;
  /** Somebody else's upgrade. */
  upgradedByOthers(): void;
  /** Whoever was at work has been gone for long. */
  passTime(): void;
}

/** A release at revision 3 for tests of effects. `rendered`: what a dry run says. */
export function memoryReleases(rendered: HelmUpgrade['rendered'] = anUpgrade().rendered, now = () => Date.now()): MemoryReleases {
  const history: HelmRelease[] = [aRelease({}, {}, { revision: 3, at: new Date(now()).toISOString() })];
  const faults: HelmFault[] = [];
  const begun: string[] = [];
  const newest = (): HelmRelease => history.at(-1) as HelmRelease;

  const put = (more: Partial<HelmRelease>): void => {
    const base = { ...newest(), revision: newest().revision + 1, at: new Date(now()).toISOString() };
    delete base.mark;
    if (more.status === 'deployed') for (const r of history) if (r.status === 'deployed') r.status = 'superseded';
    history.push({ ...base, ...more });
  };

  const work = (what: string, request: HelmRequest, more: Partial<HelmRelease>, pendingStatus: string): Promise<HelmAnswer> => {
    request.guard?.();
    begun.push(what);
    const fault = faults.shift();
    if (fault === 'die-before') return Promise.resolve({ outcome: 'unknown', message: 'helm was ended while it worked' });
    if (fault === 'die-in-the-middle') put({ ...more, status: pendingStatus });
    else if (fault === 'fail') put({ ...more, status: 'failed' });
    else put({ ...more, status: 'deployed' });
    if (fault === 'fail') return Promise.resolve({ outcome: 'failed', message: 'timed out' });
    return Promise.resolve(fault ? { outcome: 'unknown', message: 'helm was ended while it worked' } : { outcome: 'done' });
  };

  return {
    underWayMs: 40,
    begun,
    release: () => structuredClone({ ...newest(), history: history.map(({ revision, status, description, at, mark }) => ({ revision, status, description, at, ...(mark ? { mark } : {}) })) }),
    read() {
      return Promise.resolve({ release: this.release() });
    },
    dryRun: () => Promise.resolve({ rendered }),
    upgrade(change, request) {
      if (newest().revision !== change.revision) return Promise.resolve({ outcome: 'failed', message: `the release is not at revision ${change.revision} any more` });
      const config = Object.fromEntries(change.set.map(({ path, value }) => [String(path[0]), value]));
      return work('upgrade', request, { mark: markFor(request.id), config, description: request.id }, 'pending-upgrade');
    },
    rollback: (change, request) => work('rollback', request, { config: {}, description: `Rollback to ${change.revision}` }, 'pending-rollback'),
    fail: (fault) => void faults.push(fault),
    upgradedByOthers: () => put({ status: 'deployed', description: 'Upgrade complete' }),
    passTime: () => {
      const last = history.at(-1);
      if (last) last.at = new Date(now() - 3_600_000).toISOString();
    },
  };
}

/** The upgrade that the tests make. */
export function anUpgrade(): HelmUpgrade {
  return {
    release: 'shop',
    namespace: 'web',
    revision: 3,
    set: [{ path: ['replicas'], value: 2 }],
    rendered: [{ object: 'Deployment web/shop', path: '/spec/replicas', before: 1, after: 2 }],
  };
}
