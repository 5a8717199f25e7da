import { describeRef, listOf, printable, textOf, valueIn, type Criterion } from '@larry/contracts';
import { pgadminIndex, type Facts as ClusterFacts, type Workload } from '@larry/diagnosis';
import { pgadminsOf } from './facts';

type Pod = Workload['pods'][number];
type Container = Pod['containers'][number];

const readyText = 'PgAdmin is ready';
const restartsText = (minutes: number): string => `0 restarts of PgAdmin in ${minutes} minutes`;
const atOf = (cluster: ClusterFacts): string => new Date(cluster.atMs).toISOString();

/** The two success criteria as the facts decide them: every PgAdmin must meet them. Pure. */
export function pgadminCriteria(cluster: ClusterFacts, windowMinutes: number): Criterion[] {
  const pgadmins = pgadminsOf(cluster);
  const reason = !cluster.runtime
    ? 'manifests do not tell what runs'
    : pgadmins.length === 0
      ? 'no PgAdmin was found among the workloads that could be read'
      : undefined;
  if (reason !== undefined) {
    return [
      { id: 'pgadmin-ready', text: readyText, verdict: 'unknown', reason },
      { id: 'pgadmin-no-restarts', text: restartsText(windowMinutes), verdict: 'unknown', reason },
    ];
  }
  return [readyCriterion(pgadmins, cluster), restartsCriterion(pgadmins, cluster, windowMinutes)];
}

function readyCriterion(pgadmins: Workload[], cluster: ClusterFacts): Criterion {
  const worst = pgadmins.find((w) => !isReady(w)) ?? (pgadmins[0] as Workload);
  const why = reasonOf(worst);
  return {
    id: 'pgadmin-ready',
    text: readyText,
    verdict: isReady(worst) ? 'met' : 'not-met',
    observation: {
      subject: printable(`${describeRef(worst.ref)} .status`, 500),
      value: printable(`${worst.ready} of ${worst.desired} ready${why ? `, ${why}` : ''}${pgadmins.length > 1 ? `; ${pgadmins.filter(isReady).length} of ${pgadmins.length} PgAdmins ready` : ''}`, 2000),
      at: atOf(cluster),
    },
  };
}

const isReady = (w: Workload): boolean => w.desired > 0 && w.ready >= w.desired && w.state === 'running';

function reasonOf({ unwell }: Workload): string | undefined {
  const ailment = unwell[0]?.ailment;
  return ailment && (ailment.container?.state.reason ?? ailment.kind);
}

/**
 * Restarts within the window, from the containers' own start times, so that one look is enough: a container that has run
 * since before the window began was not restarted in it.
 */
function restartsCriterion(pgadmins: Workload[], cluster: ClusterFacts, windowMinutes: number): Criterion {
  const base = { id: 'pgadmin-no-restarts', text: restartsText(windowMinutes) };
  const seen = pgadmins.flatMap((w) => containersOf(w).map((one) => ({ ...one, minutes: runningMinutes(one.container, cluster.atMs) })));
  const restarted = seen.find(({ container, minutes }) => container.restarts > 0 && (minutes === undefined || minutes < windowMinutes) && restartedWithin(container, cluster.atMs, windowMinutes));
  if (restarted) return { ...base, verdict: 'not-met', observation: observe(restarted, cluster) };
  const shortest = seen.filter((s) => s.minutes !== undefined).sort((a, b) => (a.minutes as number) - (b.minutes as number))[0];
  if (!shortest || seen.some((s) => s.minutes === undefined) || pgadmins.some((w) => containersOf(w).length === 0)) {
    return { ...base, verdict: 'provisional', reason: `PgAdmin does not run yet, so that its restarts say nothing; ${closing(cluster)}` };
  }
  const observation = observe(shortest, cluster);
  if ((shortest.minutes as number) >= windowMinutes) return { ...base, verdict: 'met', observation };
  const so = `no restart so far, but it runs only for ${Math.floor(shortest.minutes as number)} of ${windowMinutes} minutes`;
  return { ...base, verdict: 'provisional', observation, reason: `${so}; ${closing(cluster)}` };
}

const closing = ({ source }: ClusterFacts): string => (source.type === 'live' ? 'a later look at the cluster closes it' : 'a later snapshot, or `larry verify` on the cluster, closes it');

function containersOf(w: Workload): { pod: Pod; container: Container }[] {
  const name = textOf(valueIn(listOf(w.podSpec['containers'])[pgadminIndex(w.podSpec)], 'name'));
  return w.pods.flatMap((pod) => pod.containers.filter((c) => c.name === name && !c.init && pod.deletedMs === undefined).map((container) => ({ pod, container })));
}

function runningMinutes({ state }: Container, atMs: number): number | undefined {
  return state.kind === 'running' && state.startedMs !== undefined ? Math.max(0, (atMs - state.startedMs) / 60_000) : undefined;
}

function restartedWithin({ state, last }: Container, atMs: number, windowMinutes: number): boolean {
  const restartedMs = state.kind === 'running' ? state.startedMs : last?.finishedMs;
  return restartedMs === undefined || (atMs - restartedMs) / 60_000 < windowMinutes;
}

function observe({ pod, container, minutes }: { pod: Pod; container: Container; minutes: number | undefined }, cluster: ClusterFacts): Criterion['observation'] {
  const { state } = container;
  const since = minutes === undefined ? (state.reason ?? state.kind) : `running since ${new Date(state.startedMs ?? 0).toISOString()}`;
  return { subject: printable(`${describeRef(pod.ref)} container ${container.name}`, 500), value: printable(`${container.restarts} restarts, ${since}`, 2000), at: atOf(cluster) };
}
