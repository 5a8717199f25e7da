import { compareSeverity, describeRef, type Finding, type Severity, severities } from '@larry/contracts';

/** Findings of one rule: one root cause to read about, however many objects it stands in. */
export interface FindingGroup {
  rule: string;
  /** The worst of its members'. */
  severity: Severity;
  /** The worst one, which is shown in full: of two as bad the one on whose object more stands that is bad. */
  first: Finding;
  /** Worst first. */
  others: Finding[];
}

/** More outages of one rule than this are one cause to look for, and would push all else from the first screen. */
const mostApart = 3;

/** Open findings (accepted ones left out) grouped by rule, worst first; what does not run stands before what is risky, each by itself unless one rule says it of many. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  const open = findings.filter((f) => !f.accepted);
  const burdens = burdensOf(open);
  const burden = (f: Finding): number => burdens.get(describeRef(f.object)) ?? 0;
  const outages = new Map<string, number>();
  for (const { rule, broken } of open) if (broken) outages.set(rule, (outages.get(rule) ?? 0) + 1);
  const apart = ({ rule, broken }: Finding): boolean => broken === true && (outages.get(rule) ?? 0) <= mostApart;
  const groups = new Map<string, Finding[]>();
  for (const finding of open) {
    const key = [finding.rule, apart(finding) ? finding.id : ''].join('\0');
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  const sorted = [...groups.values()].map((members) => members.sort((a, b) => compareSeverity(a.severity, b.severity) || burden(b) - burden(a) || worstFirst(a, b)));
  return sorted
    .flatMap(([first, ...others]) => (first ? [{ rule: first.rule, severity: first.severity, first, others }] : []))
    .sort((a, b) => worstFirst(a.first, b.first));
}

/** How much stands on each object: nothing lighter outweighs one finding of the next severity, up to a thousand of them. */
function burdensOf(findings: readonly Finding[]): Map<string, number> {
  const weights: Record<Severity, number> = { critical: 1e9, high: 1e6, medium: 1e3, low: 1, info: 0 };
  const burdens = new Map<string, number>();
  for (const { object, severity } of findings) {
    const name = describeRef(object);
    burdens.set(name, (burdens.get(name) ?? 0) + weights[severity]);
  }
  return burdens;
}

/**
 * What is broken now and bad, then severity, then what is broken at all, then how sure it is, then by name so that two
 * checks print the same.
 */
export function worstFirst(a: Finding, b: Finding): number {
  return (
    Number(isOutage(b)) - Number(isOutage(a)) ||
    compareSeverity(a.severity, b.severity) ||
    Number(b.broken ?? false) - Number(a.broken ?? false) ||
    b.confidence - a.confidence ||
    compareText(a.rule, b.rule) ||
    compareText(describeRef(a.object), describeRef(b.object)) ||
    compareText(a.id, b.id)
  );
}

/** Whether a finding means that something bad does not work now; see {@link worstFirst}. */
export function isOutage(finding: Finding): boolean {
  return finding.broken === true && compareSeverity(finding.severity, 'high') <= 0;
}

/** How many open findings there are of each severity. */
export function countBySeverity(findings: readonly Finding[]): Record<Severity, number> {
  const counts = Object.fromEntries(severities.map((s) => [s, 0])) as Record<Severity, number>;
  for (const finding of findings) if (!finding.accepted) counts[finding.severity]++;
  return counts;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Another object of a group, by name. */
export interface AlsoHit {
  name: string;
  /** As bad as its own finding; absent where it is named by another's finding. */
  severity?: Severity;
}

/** What else a group stands for, beside the object that is shown: other objects by name, worst first, and the pods that follow from them, which are many. A pod with a finding of its own follows from nothing. */
export function alsoIn({ first, others }: FindingGroup): { roots: AlsoHit[]; pods: string[]; podCount: number } {
  const own = describeRef(first.object);
  const roots = new Map<string, AlsoHit>();
  const pods = new Set<string>();
  let unnamed = 0;
  const add = (name: string, severity?: Severity): void => {
    if (severity === undefined && name.startsWith('Pod ')) pods.add(name);
    else if (name !== own && !roots.has(name)) roots.set(name, { name, ...(severity ? { severity } : {}) });
  };
  for (const { object, severity, evidence } of others) {
    const name = describeRef(object);
    // A second finding of the same rule on the same object is told apart by what was seen.
    add(name === own ? `${name} (${evidence[0]?.value ?? ''})` : name, severity);
  }
  for (const text of [first, ...others].flatMap((f) => f.also)) {
    const more = /^(?:and )?(\d{1,9}) more pods$/.exec(text);
    if (more) unnamed += Number(more[1]);
    else add(text);
  }
  return { roots: [...roots.values()], pods: [...pods], podCount: pods.size + unnamed };
}

/** As many of a group's other objects as fit, those as bad as the first in any case up to `mostBad`; each less bad one says how bad it is. */
export function namesOf(group: FindingGroup, roots: readonly AlsoHit[], count: number, mostBad = 20): string {
  const bad = group.severity === 'critical' ? roots.filter((r) => r.severity === 'critical').length : 0;
  const shown = Math.max(count, Math.min(bad, mostBad));
  const names = roots.slice(0, shown).map(({ name, severity }) => (severity === undefined || severity === group.severity ? name : `${name} (${severity})`));
  return `${names.join(', ')}${roots.length > shown ? `, and ${roots.length - shown} more` : ''}`;
}
