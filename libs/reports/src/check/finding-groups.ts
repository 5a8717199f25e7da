import { compareSeverity, describeRef, type Finding, type Severity, severities } from '@larry/contracts';

/** Findings of one rule and severity: one root cause to read about, however many objects it stands in. */
export interface FindingGroup {
  rule: string;
  severity: Severity;
  /** The one that is shown in full. */
  first: Finding;
  others: Finding[];
}

/** Tasks whose findings mean that something does not work now; they come before what is merely risky. */
const brokenNow = new Set(['fix-pgadmin-crashloop']);

/** Open findings (accepted ones left out) grouped by rule, worst first; what does not run stands before what is risky. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  const groups = new Map<string, FindingGroup>();
  for (const finding of [...findings].sort(worstFirst)) {
    if (finding.accepted) continue;
    const separate = brokenNow.has(finding.task) ? finding.id : '';
    const key = [finding.severity, finding.rule, separate].join('\0');
    const group = groups.get(key);
    if (group) group.others.push(finding);
    else groups.set(key, { rule: finding.rule, severity: finding.severity, first: finding, others: [] });
  }
  return [...groups.values()];
}

/**
 * What is broken now and bad, then severity, then what is broken at all, then how sure it is, then by name so that two
 * checks print the same.
 */
export function worstFirst(a: Finding, b: Finding): number {
  return (
    Number(isOutage(b)) - Number(isOutage(a)) ||
    compareSeverity(a.severity, b.severity) ||
    Number(brokenNow.has(b.task)) - Number(brokenNow.has(a.task)) ||
    b.confidence - a.confidence ||
    compareText(a.rule, b.rule) ||
    compareText(describeRef(a.object), describeRef(b.object)) ||
    compareText(a.id, b.id)
  );
}

/** Whether a finding means that something bad does not work now; see {@link worstFirst}. */
export function isOutage(finding: Finding): boolean {
  return brokenNow.has(finding.task) && compareSeverity(finding.severity, 'high') <= 0;
}

/** How many open findings there are of each severity. */
export function countBySeverity(findings: readonly Finding[]): Record<Severity, number> {
  const counts = Object.fromEntries(severities.map((s) => [s, 0])) as Record<Severity, number>;
  for (const finding of findings) if (!finding.accepted) counts[finding.severity]++;
  return counts;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What else a group stands for, beside the object that is shown: other objects by name, and pods, which are many and follow from them. */
export function alsoIn({ first, others }: FindingGroup): { roots: string[]; pods: string[]; podCount: number } {
  const own = describeRef(first.object);
  const roots = new Set<string>();
  const pods = new Set<string>();
  let unnamed = 0;
  for (const text of [first, ...others].flatMap((f) => [describeRef(f.object), ...f.also])) {
    const more = /^(?:and )?(\d{1,9}) more pods$/.exec(text);
    if (more) unnamed += Number(more[1]);
    else if (text !== own) (text.startsWith('Pod ') ? pods : roots).add(text);
  }
  return { roots: [...roots], pods: [...pods], podCount: pods.size + unnamed };
}
