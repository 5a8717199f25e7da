import type { KubeObject, TaskResult } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { emptyResult, type Diagnosis, type PlaybookContext } from '@larry/playbook';
import { diagnoseScan } from '../diagnose';
import { observeScan } from '../observe';
import { scanOptionsSchema, type ScanOptions } from '../options';

/** When every test of a scan happens. */
export const today = '2026-11-22T12:00:00.000Z';

/** The context of a scan over a cluster; options are checked as the engine checks them. */
export function scanContext(cluster: ClusterReader, options: unknown): PlaybookContext<ScanOptions> {
  const silent = () => undefined;
  return {
    run: 'run-1',
    task: 'security-scan-group-01',
    cluster,
    options: scanOptionsSchema.parse(options),
    signal: new AbortController().signal,
    results: new Map(),
    now: () => new Date(today),
    progress: silent,
    wait: () => Promise.resolve(),
    log: { debug: silent, info: silent, warn: silent },
  };
}

/** Observes and diagnoses. */
export async function scan(cluster: ClusterReader, options: unknown = { others: true }): Promise<Diagnosis> {
  const context = scanContext(cluster, options);
  return diagnoseScan(await observeScan(context), context.options);
}

/** The result that the engine would write of a diagnosis. */
export function resultOf(diagnosis: Diagnosis): TaskResult {
  const { summary, figures, criteria, findings, unknowns, artifacts = {} } = diagnosis;
  return { ...emptyResult('security-scan-group-01', today), summary, figures, criteria, findings, unknowns, artifacts };
}

/** Ids of the findings of one family or rule. */
export function idsOf(diagnosis: Diagnosis, rulePrefix: string): string[] {
  return diagnosis.findings.filter((f) => f.rule.startsWith(rulePrefix)).map((f) => f.id);
}

/** A Namespace. */
export function namespace(name: string, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}
