import { compareSeverity, printable, type Criterion, type Finding } from '@larry/contracts';
import { nothingRead, type Diagnosis } from '@larry/playbook';
import type { Release, ReleaseCatalog } from '../releases';
import type { HelmFacts, RecordId } from './observe';
import type { RecordFacts } from './record';

export const taskId = 'catalog-helm-releases';
const text = "The releases equal helm's own storage";
const maxRevisions = 50;

/** Helm holds its lock as long as an operation runs; its default timeout is 5 minutes. */
const stuckMinutes = 10;

/** From Helm's records to releases, and to the findings about those that did not end well. Pure. */
export function diagnose(facts: HelmFacts): Diagnosis {
  const byRelease = new Map<string, RecordFacts[]>();
  for (const record of facts.records) {
    const id = `${record.namespace}/${record.name}`;
    byRelease.set(id, [...(byRelease.get(id) ?? []), record]);
  }
  const releases = [...byRelease].map(([id, records]) => releaseOf(id, records.sort((a, b) => b.revision - a.revision)));
  const marked = facts.marked.filter((m) => !byRelease.has(`${m.namespace}/${m.name}`)).map(markedRelease);
  const corrupt = facts.records.filter((r) => !r.release).map((r) => r.id);
  const all = [...releases, ...marked].sort((a, b) => (a.id < b.id ? -1 : 1));
  const catalog: ReleaseCatalog = {
    takenAt: facts.at,
    releases: all,
    records: facts.records.map((r) => ({ id: r.id, status: r.labelStatus, digest: r.digest })),
    corrupt,
    fromMarks: facts.closed !== undefined,
  };
  const findings = [...byRelease.values()].flatMap((records) => findingsOf(records, facts.at));
  const withStatus = (pattern: RegExp) => all.filter((r) => pattern.test(r.status)).length;
  return {
    summary: summaryOf(facts, all.length, corrupt.length),
    findings: findings.sort((a, b) => compareSeverity(a.severity, b.severity)),
    figures: {
      releases: facts.closed !== undefined && all.length === 0 ? 'unknown' : all.length,
      revisions: facts.records.length,
      charts: new Set(all.map((r) => r.chart)).size,
      failed: withStatus(/^failed$/),
      pending: withStatus(/^pending-|^uninstalling$/),
      corrupt: corrupt.length,
    },
    criteria: [storageCriterion(facts, corrupt)],
    unknowns: [...facts.unknowns, ...corrupt.map((id) => ({ subject: id, reason: 'it cannot be decoded: not base64, gzip and JSON of a release, or more than 64 MiB unpacked' }))],
    artifacts: { releases: catalog },
    ...nothingRead(facts.source, facts.kindsRead, facts.unknowns),
  };
}

/** What could not be counted is not called 0. */
function summaryOf({ closed, records }: HelmFacts, releases: number, corrupt: number): string {
  if (closed !== undefined && releases === 0) return `Helm releases are unknown: ${printable(closed)}.`;
  const undecoded = corrupt > 0 ? `, ${corrupt} that cannot be decoded` : '';
  if (closed === undefined) return `${releases} Helm releases, ${records.length} revisions${undecoded}.`;
  return `At least ${releases} Helm releases, by their marks on objects${undecoded}; Helm's records cannot be read (${printable(closed)}), so versions are unknown.`;
}

function releaseOf(id: string, records: RecordFacts[]): Release {
  const latest = records[0] as RecordFacts;
  const content = latest.release;
  return {
    id,
    namespace: latest.namespace,
    name: latest.name,
    revision: latest.revision,
    status: latest.status,
    chart: content?.chart ?? 'unknown',
    chartVersion: content?.chartVersion ?? 'unknown',
    appVersion: content?.appVersion ?? 'unknown',
    ...(content?.updatedAt ? { updatedAt: content.updatedAt } : {}),
    ...(content?.description ? { description: content.description } : {}),
    valueKeys: content?.valueKeys ?? [],
    ...(content ? { manifestObjects: content.manifestObjects, hooks: content.hooks } : {}),
    storage: latest.storage,
    revisions: records.slice(0, maxRevisions).map((r) => ({
      revision: r.revision,
      status: r.status,
      chartVersion: r.release?.chartVersion ?? 'unknown',
      ...(r.release?.updatedAt ? { updatedAt: r.release.updatedAt } : {}),
    })),
  };
}

function markedRelease({ namespace, name, chart }: HelmFacts['marked'][number]): Release {
  const unknown = { revision: 'unknown', status: 'unknown', chartVersion: 'unknown', appVersion: 'unknown', storage: 'unknown' } as const;
  return { id: `${namespace}/${name}`, namespace, name, chart: chart ?? 'unknown', ...unknown, valueKeys: [], revisions: [] };
}

function findingsOf(records: RecordFacts[], at: string): Finding[] {
  const latest = records[0] as RecordFacts;
  const found: Finding[] = records.filter((r) => !r.release).map((r) => finding(r, 'helm-record-corrupt', 'medium', `Helm's record ${r.id} cannot be decoded`, `Helm does not see this revision: restore the ${r.storage} from a backup, or delete it`));
  const { status } = latest;
  const name = `${latest.namespace}/${latest.name}`;
  const good = records.find((r) => r !== latest && (r.status === 'deployed' || r.status === 'superseded') && r.release);
  const back = good ? `\`helm rollback ${latest.name} ${good.revision} --namespace ${latest.namespace}\`` : `\`helm uninstall ${latest.name} --namespace ${latest.namespace}\` and install it again`;
  if (status === 'failed') {
    found.push(finding(latest, 'helm-release-failed', 'medium', `The last ${latest.revision === 1 ? 'install' : 'upgrade'} of Helm release ${name} failed (revision ${latest.revision})`, `mend what the description says and upgrade again, or ${back}`));
  } else if (/^pending-|^uninstalling$/.test(status) && isStuck(latest, at)) {
    found.push(finding(latest, 'helm-release-stuck', 'high', `Helm release ${name} is stuck in ${status}: every upgrade is refused`, `when nobody runs Helm on it any more: ${back}`));
  } else if (status === 'superseded') {
    found.push(finding(latest, 'helm-release-superseded', 'low', `The latest revision of Helm release ${name} is superseded, and by none`, `an operation was cut off: ${back}`));
  }
  return found;
}

/** A pending release of unknown age is called stuck too: nothing says that it is new. */
function isStuck(record: RecordFacts, at: string): boolean {
  const since = record.release?.updatedAt;
  return since === undefined || Date.parse(at) - Date.parse(since) > stuckMinutes * 60_000;
}

function finding(record: RecordFacts, rule: string, severity: Finding['severity'], title: string, reason: string): Finding {
  const [, recordName = ''] = record.id.split('/');
  const object = { apiVersion: 'v1', kind: record.storage, namespace: record.namespace, name: recordName };
  const { release } = record;
  const seen = `status ${record.status}, revision ${record.revision}${release?.updatedAt ? `, ${release.updatedAt}` : ''}${release?.description ? `: ${release.description}` : ''}`;
  return {
    id: printable(`${taskId}/${rule}/${record.namespace}/${record.name}${rule === 'helm-record-corrupt' ? `.v${record.revision}` : ''}`, 500),
    rule,
    task: taskId,
    severity,
    title: printable(title, 500),
    object,
    owner: { kind: 'helm', release: record.name, namespace: record.namespace, ...(release ? { chart: `${release.chart}-${release.chartVersion}` } : {}) },
    evidence: [{ object, at: release ? '.data.release → .info' : '.metadata.labels', value: printable(seen, 1000) }],
    remedy: { layer: 'none', reason: printable(reason, 500) },
    confidence: 1,
    references: ['https://helm.sh/docs/topics/advanced/#storage-backends'],
    also: [],
  };
}

function storageCriterion(facts: HelmFacts, corrupt: string[]): Criterion {
  const base = { id: 'matches-helm-list', text };
  if (facts.closed !== undefined) return { ...base, verdict: 'unknown', reason: printable(`Helm's records cannot be read: ${facts.closed}`, 500) };
  if (facts.source === 'manifests' || facts.source === 'dump') return { ...base, verdict: 'unknown', reason: "this source does not hold Helm's storage" };
  if (facts.again) return compareRecords(facts.records.map((r) => ({ id: r.id, status: r.labelStatus, digest: r.digest })), facts.again, facts.at, corrupt);
  const observation = { subject: "Helm's records in the snapshot", value: printable(`${facts.records.length} records, ${corrupt.length} of them cannot be decoded`, 2000), at: facts.at };
  return { ...base, verdict: corrupt.length > 0 ? 'not-met' : 'met', observation };
}

/** Compares the records of a catalog with those that are there now. */
export function compareRecords(then: RecordId[], now: RecordId[], at: string, corrupt: string[]): Criterion {
  const before = new Map(then.map((r) => [r.id, r]));
  const after = new Map(now.map((r) => [r.id, r]));
  const came = now.filter((r) => !before.has(r.id)).map((r) => `${r.id} is new`);
  const went = then.filter((r) => !after.has(r.id)).map((r) => `${r.id} is gone`);
  const changed = now.flatMap((r) => {
    const b = before.get(r.id);
    if (!b || (b.status === r.status && b.digest === r.digest)) return [];
    return [b.status === r.status ? `${r.id} has another content` : `${r.id} is ${r.status}, was ${b.status}`];
  });
  const differences = [...came, ...went, ...changed, ...corrupt.map((id) => `${id} cannot be decoded`)];
  const value = differences.length > 0 ? `${differences.length} differences: ${differences.slice(0, 10).join('; ')}` : `${now.length} records, listed twice and equal`;
  return { id: 'matches-helm-list', text, verdict: differences.length > 0 ? 'not-met' : 'met', observation: { subject: "Helm's records (labels owner=helm)", value: printable(value, 2000), at } };
}
