import { compareSeverity, describeRef, printable, type Criterion, type Evidence, type Finding, type ObjectRef, type Severity } from '@larry/contracts';
import { diagnose as diagnoseCluster, type DiagnosisFinding, type Facts as ClusterFacts, type Wishes, type Workload } from '@larry/diagnosis';
import { nothingRead, type Diagnosis } from '@larry/playbook';
import { pgadminCriteria } from './criteria';
import { pgadminsOf, type Facts } from './facts';
import type { Options } from './options';
import { plannedFor } from './plan-change';

export const taskId = 'fix-pgadmin-crashloop';

/** What the user wishes of the remedies. */
export function wishesOf({ pgadminEmail, pgadminEmailDomain }: Options): Wishes {
  return { pgadminEmailDomain, ...(pgadminEmail === undefined ? {} : { pgadminEmail }) };
}

/** From facts to findings: the root causes that `larry diagnose` names, PgAdmin's first among equals. Pure. */
export function diagnose(facts: Facts, options: Options): Diagnosis {
  const { cluster } = facts;
  const report = diagnoseCluster(cluster, wishesOf(options));
  const pgadmins = pgadminsOf(cluster);
  const findings = sorted(report.findings.map((found) => findingOf(found, cluster)), pgadmins);
  const starting = cluster.workloads.filter((w) => w.state === 'starting');
  const criteria = pgadminCriteria(cluster, options.restartWindowMinutes);
  const summary = summaryOf(cluster, findings, criteria);
  const idle = findings.length === 0 && facts.changed.length === 0 && cluster.runtime && starting.length === 0;
  return {
    summary,
    findings,
    criteria,
    figures: {
      workloads: report.figures.workloads,
      pods: report.figures.pods,
      not_running: report.figures.notRunning,
      starting: starting.length,
      pgadmin_instances: pgadmins.length,
      causes_known: findings.filter((f) => f.rule !== 'unknown').length,
    },
    unknowns: [
      ...(cluster.runtime ? [] : [{ subject: 'the state of every workload', reason: 'manifests say what shall be, not what runs' }]),
      ...report.unknowns,
      ...starting.map((w) => ({ subject: printable(describeRef(w.ref), 300), reason: 'it is still starting: look again' })),
    ],
    ...(idle ? { skip: { reason: pgadmins.length === 0 ? ('no-target' as const) : ('nothing-to-do' as const), summary } } : {}),
    ...nothingRead(cluster.source.type === 'live' ? 'live' : 'folder', report.figures.workloads + report.figures.pods, report.unknowns),
  };
}

const shownAlso = 20;

function findingOf(found: DiagnosisFinding, cluster: ClusterFacts): Finding {
  const { apiVersion, kind, namespace, name, cause, confidence, owner } = found;
  const object = cluster.objects.resolve({ apiVersion, kind, name, ...(namespace ? { namespace } : {}) });
  const uid = object?.metadata.uid;
  const ref = { apiVersion, kind, ...(namespace ? { namespace } : {}), name, ...(uid ? { uid } : {}) };
  const more = found.symptoms.length - shownAlso;
  const finding: Finding = {
    id: printable(`${taskId}/${cause}/${describeRef(ref)}`, 500),
    rule: cause,
    task: taskId,
    severity: severityOf(found, cluster),
    title: printable(cluster.runtime ? found.title : `${found.title}: it would not start${cause.startsWith('pgadmin_') ? ' with an empty data directory' : ''}`, 500),
    object: ref,
    owner,
    evidence: [...(found.evidence.length > 0 ? found.evidence : [{ object: ref, at: '.', value: printable(found.title, 1000) }]), ...unreadySince(cluster, ref)],
    remedy: found.remedy,
    confidence,
    references: cause.startsWith('pgadmin_') ? ['https://www.pgadmin.org/docs/pgadmin4/latest/container_deployment.html'] : [],
    also: [...found.symptoms.slice(0, shownAlso), ...(more > 0 ? [`and ${more} more`] : [])],
    ...(cluster.runtime ? { broken: true } : {}),
    ...(found.guess ? { guess: true as const } : {}),
  };
  return withRefusal(finding);
}

/** For how long a pod runs and is not ready: what nothing else of it tells. */
function unreadySince(cluster: ClusterFacts, ref: ObjectRef): Evidence[] {
  const first = cluster.workloadAt.get(describeRef(ref))?.unwell[0];
  if (first?.ailment.kind !== 'unready' || first.pod.readySinceMs === undefined) return [];
  return [{ object: first.pod.ref, at: '.status.conditions[Ready]', value: printable(`the pod is ${first.pod.phase} and not ready for ${Math.floor((cluster.atMs - first.pod.readySinceMs) / 60_000)} minutes`, 300) }];
}

/** A patch that is left to people says why. */
function withRefusal(finding: Finding): Finding {
  const { remedy } = finding;
  if (remedy.layer !== 'patch') return finding;
  const planned = plannedFor(finding);
  if ('change' in planned) return finding;
  return { ...finding, remedy: { ...remedy, note: printable(`${remedy.note ? `${remedy.note}; ` : ''}${planned.refused}`, 500) } };
}

/** What still runs in part is less urgent than what does not run at all. */
function severityOf({ kind, namespace, name }: DiagnosisFinding, cluster: ClusterFacts): Severity {
  if (!cluster.runtime) return 'medium';
  const workload = cluster.workloadAt.get(describeRef({ kind, name, ...(namespace ? { namespace } : {}) }));
  return workload !== undefined && workload.ready > 0 ? 'medium' : 'high';
}

/** Worst first; among equals PgAdmin's, then as they were diagnosed. */
function sorted(findings: Finding[], pgadmins: readonly Workload[]): Finding[] {
  const rank = new Map(pgadmins.map(({ ref }, i) => [describeRef(ref), i]));
  const weight = (f: Finding): number => rank.get(describeRef(f.object)) ?? (f.rule.startsWith('pgadmin_') ? pgadmins.length : pgadmins.length + 1);
  return findings.sort((a, b) => compareSeverity(a.severity, b.severity) || weight(a) - weight(b));
}

function summaryOf(cluster: ClusterFacts, findings: Finding[], criteria: Criterion[]): string {
  const first = findings[0];
  const workloads = cluster.workloads.length;
  if (!cluster.runtime) {
    return first ? printable(`${findings.length} fault${findings.length === 1 ? '' : 's'} in what the manifests say: ${first.title}`, 2000) : 'No cause found in the manifests; whether workloads run, manifests do not tell.';
  }
  if (first) {
    const more = findings.length > 1 ? ` and ${findings.length - 1} more root cause${findings.length === 2 ? '' : 's'}` : '';
    return printable(`${first.title} (${describeRef(first.object)})${more}.`, 2000);
  }
  const starting = cluster.workloads.filter((w) => w.state === 'starting').length;
  if (starting > 0) return `${starting} of ${workloads} workloads still start; nothing else is wrong.`;
  if (pgadminsOf(cluster).length === 0) return `All ${workloads} workloads seen run, and there is no PgAdmin.`;
  if (criteria.some((c) => c.id === 'pgadmin-ready' && c.verdict !== 'met')) return 'PgAdmin does not run, and is not meant to: it is scaled to 0. All other workloads seen run.';
  return `PgAdmin runs${criteria.some((c) => c.verdict === 'provisional') ? ' (not for long yet)' : ''}, and so do all ${workloads} workloads seen.`;
}
