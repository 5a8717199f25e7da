import { describeRef, printable, type Criterion } from '@larry/contracts';
import type { ContainerFacts, Facts, WorkloadFacts } from './facts';

const readyText = 'PgAdmin is ready';
const restartsText = (minutes: number): string => `0 restarts of PgAdmin in ${minutes} minutes`;

/** The two success criteria as the facts decide them: every PgAdmin must meet them. Pure. */
export function pgadminCriteria(facts: Facts, windowMinutes: number): Criterion[] {
  const pgadmins = facts.looked.filter((w) => w.pgadmin);
  const reason = !facts.runtime
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
  return [readyCriterion(pgadmins, facts), restartsCriterion(pgadmins, facts, windowMinutes)];
}

function readyCriterion(pgadmins: WorkloadFacts[], facts: Facts): Criterion {
  const worst = pgadmins.find((w) => !isReady(w)) ?? (pgadmins[0] as WorkloadFacts);
  return {
    id: 'pgadmin-ready',
    text: readyText,
    verdict: isReady(worst) ? 'met' : 'not-met',
    observation: {
      subject: printable(`${describeRef(worst.ref)} .status`, 500),
      value: printable(`${worst.ready} of ${worst.desired} ready${worst.reason ? `, ${worst.reason}` : ''}${pgadmins.length > 1 ? `; ${pgadmins.filter(isReady).length} of ${pgadmins.length} PgAdmins ready` : ''}`, 2000),
      at: facts.at,
    },
  };
}

const isReady = (w: WorkloadFacts): boolean => w.desired > 0 && w.ready >= w.desired && w.status === 'running';

/**
 * Restarts within the window, from the containers' own start times, so that one look is enough: a container that has run
 * since before the window began was not restarted in it.
 */
function restartsCriterion(pgadmins: WorkloadFacts[], facts: Facts, windowMinutes: number): Criterion {
  const base = { id: 'pgadmin-no-restarts', text: restartsText(windowMinutes) };
  const seen = pgadmins.flatMap((w) => containersOf(w).map((container) => ({ w, container, minutes: runningMinutes(container, facts.at) })));
  const restarted = seen.find(({ container, minutes }) => container.restarts > 0 && (minutes === undefined || minutes < windowMinutes) && restartedWithin(container, facts.at, windowMinutes));
  if (restarted) return { ...base, verdict: 'not-met', observation: observe(restarted, facts) };
  const shortest = seen.filter((s) => s.minutes !== undefined).sort((a, b) => (a.minutes as number) - (b.minutes as number))[0];
  if (!shortest || seen.some((s) => s.minutes === undefined) || pgadmins.some((w) => containersOf(w).length === 0)) {
    return { ...base, verdict: 'provisional', reason: `PgAdmin does not run yet, so that its restarts say nothing; ${closing(facts)}` };
  }
  const observation = observe(shortest, facts);
  if ((shortest.minutes as number) >= windowMinutes) return { ...base, verdict: 'met', observation };
  const so = `no restart so far, but it runs only for ${Math.floor(shortest.minutes as number)} of ${windowMinutes} minutes`;
  return { ...base, verdict: 'provisional', observation, reason: `${so}; ${closing(facts)}` };
}

const closing = (facts: Facts): string => (facts.live ? 'a later look at the cluster closes it' : 'a later snapshot, or `larry verify` on the cluster, closes it');

function containersOf(w: WorkloadFacts): ContainerFacts[] {
  return w.pods.flatMap((pod) => pod.containers.filter((c) => c.name === w.pgadmin?.container));
}

function runningMinutes(c: ContainerFacts, at: string): number | undefined {
  return c.state === 'running' && c.startedAt !== undefined ? Math.max(0, (Date.parse(at) - Date.parse(c.startedAt)) / 60_000) : undefined;
}

function restartedWithin(c: ContainerFacts, at: string, windowMinutes: number): boolean {
  const restartedAt = c.state === 'running' ? c.startedAt : c.last?.finishedAt;
  return restartedAt === undefined || (Date.parse(at) - Date.parse(restartedAt)) / 60_000 < windowMinutes;
}

function observe({ w, container, minutes }: { w: WorkloadFacts; container: ContainerFacts; minutes: number | undefined }, facts: Facts): Criterion['observation'] {
  const pod = w.pods.find((p) => p.containers.includes(container));
  const since = minutes === undefined ? container.reason ?? container.state : `running since ${container.startedAt}`;
  return {
    subject: printable(`${describeRef(pod?.ref ?? w.ref)} container ${container.name}`, 500),
    value: printable(`${container.restarts} restarts, ${since}`, 2000),
    at: facts.at,
  };
}
