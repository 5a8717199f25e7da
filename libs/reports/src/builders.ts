import type { CheckReport, Criterion, Finding, LarryReport, RunSummary, TaskReport, TaskResult } from '@larry/contracts';

/** Half a second after the start of every built report. */
const at = '2026-01-02T03:04:05.500Z';
const start = '2026-01-02T03:04:05.000Z';
const end = '2026-01-02T03:04:15.000Z';

/** A finding for tests: high, on Deployment `web/shop`, mended by a patch. */
export function aFinding(finding: Partial<Finding> = {}): Finding {
  const object = finding.object ?? { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'shop' };
  const rule = finding.rule ?? 'pss-baseline/privileged';
  return {
    id: `${rule} ${object.kind} ${object.namespace ?? ''}/${object.name}`,
    rule,
    task: 'security-scan-group-01',
    severity: 'high',
    title: 'a container is privileged',
    object,
    owner: { kind: 'none' },
    evidence: [{ object, at: '.spec.template.spec.containers[0].securityContext.privileged', value: 'true' }],
    remedy: { layer: 'patch', target: object, patchType: 'json', patch: [], command: 'kubectl patch deployment shop' },
    confidence: 1,
    references: [],
    also: [],
    ...finding,
  };
}

/** A check of a live cluster for tests: no findings, nothing unknown. */
export function aCheckReport(report: Partial<CheckReport> = {}): CheckReport {
  return {
    kind: 'LarryCheckReport',
    version: 1,
    source: { type: 'live', name: 'prod', simulated: false },
    startedAt: start,
    endedAt: end,
    tasks: [],
    findings: [],
    unknowns: [],
    files: { loaded: 0, skipped: [] },
    ...report,
  };
}

/** A criterion for tests: met, with its observation. */
export function aCriterion(criterion: Partial<Criterion> = {}): Criterion {
  return { id: 'all-scanned', text: 'every namespace scanned', verdict: 'met', observation: { subject: 'namespaces', value: '4 of 4', at }, ...criterion };
}

/** A completed result for tests: one criterion, met. */
export function aTaskResult(result: Partial<TaskResult> = {}): TaskResult {
  return {
    task: 'catalog-deployments',
    outcome: 'completed',
    summary: 'Counted 150 objects.',
    startedAt: start,
    endedAt: at,
    figures: { assets_discovered: 150 },
    criteria: [aCriterion()],
    findings: [],
    changes: [],
    unknowns: [],
    artifacts: {},
    ...result,
  };
}

/** A completed task for tests. */
export function aTaskReport(task: Partial<TaskReport> = {}): TaskReport {
  const id = task.task ?? 'catalog-deployments';
  return {
    task: id,
    title: 'Catalog',
    worker: `${id}-worker`,
    node: 'local (planned k3s-worker03)',
    status: 'completed',
    attempts: 1,
    startedAt: start,
    endedAt: at,
    plannedMinutes: 15,
    result: aTaskResult({ task: id }),
    ...task,
  };
}

/** A Larry's report for tests, with these tasks. */
export function aLarryReport(tasks: TaskReport[] = [aTaskReport()], larry: Partial<LarryReport> = {}): LarryReport {
  return {
    kind: 'LarryReport',
    version: 1,
    larry: 'larry-03',
    title: 'Development & Inventory',
    run: 'run-1',
    source: { type: 'live', name: 'prod', simulated: false },
    status: 'completed',
    didWork: tasks.filter((t) => t.status === 'completed').length,
    tasks,
    tokens: { used: 0, limit: 1000 },
    ...larry,
  };
}

/** A run's summary for tests, with these Larrys. */
export function aRunSummary(summary: Partial<RunSummary> = {}): RunSummary {
  const larrys = summary.larrys ?? [aLarryReport()];
  const tasks = larrys.flatMap((l) => l.tasks);
  return {
    kind: 'LarryRunSummary',
    version: 1,
    run: 'run-1',
    plan: { id: 'three', title: 'Three Larrys', hash: 'abc' },
    mode: 'observe',
    source: { type: 'live', name: 'prod', simulated: false },
    status: 'completed',
    startedAt: start,
    endedAt: end,
    didWork: { done: tasks.filter((t) => t.status === 'completed').length, of: tasks.length },
    validations: [],
    crossChecks: [],
    tokens: [],
    lessons: [],
    nextSteps: [],
    ...summary,
    larrys,
  };
}
