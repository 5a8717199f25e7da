import { compareSeverity, describeRef, printable, type Criterion, type Evidence, type Finding, type Owner } from '@larry/contracts';
import { nothingRead, type Diagnosis } from '@larry/playbook';
import { pgadminCriteria } from './criteria';
import type { Facts, WorkloadFacts } from './facts';
import type { Options } from './options';
import { pgadminCause, type PgadminCause } from './pgadmin-cause';
import { brokenContainer } from './pod-state';
import { remedyFor } from './remedy';

export const taskId = 'fix-pgadmin-crashloop';

/** What the reasons of Kubernetes leave to do where no cause is known. */
const advice: Record<string, string> = {
  ImagePullBackOff: 'the image cannot be pulled: correct its name or tag, or the registry credentials (imagePullSecrets)',
  ErrImagePull: 'the image cannot be pulled: correct its name or tag, or the registry credentials (imagePullSecrets)',
  InvalidImageName: 'the image name is not valid: correct it',
  CreateContainerConfigError: 'a Secret, ConfigMap or key that the container names is missing: the message says which',
  OOMKilled: 'the container used more memory than its limit: find out whether the limit or the use is wrong',
  Unschedulable: 'no node fits the pod: the message says what is lacking',
  FailedCreate: 'the pods are refused (quota, admission): the message says by what',
};

/** From facts to findings: one for each workload that does not run, with its root cause where this version knows it. Pure. */
export function diagnose(facts: Facts, options: Options): Diagnosis {
  const findings = facts.looked.flatMap((workload) => findingsOf(workload, facts, options)).sort((a, b) => compareSeverity(a.severity, b.severity));
  const pgadmins = facts.looked.filter((w) => w.pgadmin);
  const starting = facts.looked.filter((w) => w.status === 'starting');
  const criteria = pgadminCriteria(facts, options.restartWindowMinutes);
  const repaired = facts.looked.some((w) => w.changedBy !== undefined);
  const summary = summaryOf(facts, findings, criteria);
  return {
    summary,
    findings,
    criteria,
    figures: {
      workloads: facts.workloads,
      pods: facts.pods,
      not_running: facts.looked.filter((w) => w.status === 'not-running').length,
      starting: starting.length,
      pgadmin_instances: pgadmins.length,
      causes_known: findings.filter((f) => f.rule.startsWith('pgadmin_')).length,
    },
    unknowns: [...facts.unknowns, ...starting.map((w) => ({ subject: printable(describeRef(w.ref), 300), reason: 'it is still starting: look again' }))],
    ...(findings.length > 0 || repaired || !facts.runtime || starting.length > 0
      ? {}
      : { skip: { reason: pgadmins.length === 0 ? ('no-target' as const) : ('nothing-to-do' as const), summary } }),
    ...nothingRead(facts.live ? 'live' : 'folder', facts.workloads + facts.pods, facts.unknowns),
  };
}

function findingsOf(workload: WorkloadFacts, facts: Facts, options: Options): Finding[] {
  const cause = pgadminCause(workload, facts.runtime);
  if (cause) return [pgadminFinding(workload, cause, facts, options)];
  return workload.status === 'not-running' ? [genericFinding(workload, facts.at)] : [];
}

function pgadminFinding(workload: WorkloadFacts, cause: PgadminCause, facts: Facts, options: Options): Finding {
  return {
    ...base(workload, cause.id),
    severity: facts.runtime ? 'high' : 'medium',
    title: printable(facts.runtime ? cause.title : `${cause.title}: it would not start with an empty data directory`, 500),
    evidence: cause.evidence.map(clip),
    remedy: remedyFor(cause, workload, options),
    confidence: cause.confidence,
    ...(facts.runtime ? { broken: true } : {}),
    references: ['https://www.pgadmin.org/docs/pgadmin4/latest/container_deployment.html'],
  };
}

function genericFinding(workload: WorkloadFacts, at: string): Finding {
  const reason = workload.reason ?? 'NotRunning';
  const hint = advice[reason];
  return {
    ...base(workload, `workload-not-running/${reason.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 80)}`),
    broken: true,
    severity: workload.ready === 0 ? 'high' : 'medium',
    title: printable(`${describeRef(workload.ref)} does not run: ${reason}, ${workload.ready} of ${workload.desired} ready`, 500),
    evidence: genericEvidence(workload, at).map(clip),
    remedy: { layer: 'none', reason: hint ?? 'cause not known to this version: read the evidence' },
    confidence: 1,
    references: [],
  };
}

function base(workload: WorkloadFacts, rule: string): Pick<Finding, 'id' | 'rule' | 'task' | 'object' | 'owner' | 'also'> {
  const shown = workload.pods.map((pod) => printable(describeRef(pod.ref), 300)).filter((name) => name !== printable(describeRef(workload.ref), 300));
  const more = workload.podCount - workload.pods.length;
  return {
    id: printable(`${taskId}/${rule}/${describeRef(workload.ref)}`, 500),
    rule,
    task: taskId,
    object: workload.ref,
    owner: ownerOfWorkload(workload),
    also: more > 0 ? [...shown, `and ${more} more pods`] : shown,
  };
}

function ownerOfWorkload(workload: WorkloadFacts): Owner {
  return workload.readable ? workload.owner : { kind: 'controller', ref: workload.ref };
}

function genericEvidence(workload: WorkloadFacts, at: string): Evidence[] {
  const evidence: Evidence[] = [{ object: workload.ref, at: '.status', value: `${workload.reason ?? ''}${workload.message ? `: ${workload.message}` : ''}` }];
  const pod = workload.pods[0];
  const container = pod && brokenContainer(pod, at);
  if (pod && container) {
    const place = `.status.${container.init ? 'initC' : 'c'}ontainerStatuses[${container.name}]`;
    const last = container.last ? `; before: ${container.last.reason ?? 'ended'}, exit code ${container.last.exitCode ?? 'unknown'}` : '';
    const now = `${container.state}${container.reason ? ` (${container.reason})` : ''}${container.exitCode === undefined ? '' : `, exit code ${container.exitCode}`}`;
    evidence.push({ object: pod.ref, at: place, value: `${now}${last}; ${container.restarts} restarts` });
    const log = container.logs.find((l) => l.lines.length > 0);
    if (log) evidence.push({ object: pod.ref, at: `log:${container.name}:${log.run}`, value: log.lines.slice(-5).join(' ⏎ ') });
  } else if (pod) {
    evidence.push({ object: pod.ref, at: '.status.phase', value: `${pod.phase}${pod.reason ? `, ${pod.reason}` : ''}${pod.message ? `: ${pod.message}` : ''}` });
  }
  for (const event of workload.events.slice(0, 2)) evidence.push({ object: workload.ref, at: `event:${event.about}`, value: `${event.reason} (×${event.count}): ${event.message}` });
  return evidence;
}

const clip = (e: Evidence): Evidence => ({ object: e.object, at: printable(e.at, 500), value: printable(e.value, 1000) });

function summaryOf(facts: Facts, findings: Finding[], criteria: Criterion[]): string {
  const first = findings[0];
  if (!facts.runtime) {
    return first ? printable(`${findings.length} PgAdmin configuration${findings.length === 1 ? '' : 's'} would not start: ${first.title}`, 2000) : 'No cause found in the manifests; whether workloads run, manifests do not tell.';
  }
  if (first) {
    const more = findings.length > 1 ? ` and ${findings.length - 1} more workload${findings.length === 2 ? '' : 's'} that do${findings.length === 2 ? 'es' : ''} not run` : '';
    return printable(`${first.title} (${describeRef(first.object)})${more}.`, 2000);
  }
  const starting = facts.looked.filter((w) => w.status === 'starting').length;
  if (starting > 0) return `${starting} of ${facts.workloads} workloads still start; nothing else is wrong.`;
  if (!facts.looked.some((w) => w.pgadmin)) return `All ${facts.workloads} workloads seen run, and there is no PgAdmin.`;
  if (criteria.some((c) => c.id === 'pgadmin-ready' && c.verdict !== 'met')) return `PgAdmin does not run, and is not meant to: it is scaled to 0. All other workloads seen run.`;
  return `PgAdmin runs${criteria.some((c) => c.verdict === 'provisional') ? ' (not for long yet)' : ''}, and so do all ${facts.workloads} workloads seen.`;
}
