import { compareSeverity, describeRef, printable, type Finding, type Severity } from '@larry/contracts';
import { nothingRead, type Diagnosis } from '@larry/playbook';
import { coveringException, isExpired, type Exception } from './exceptions';
import type { PodNames, ScanFacts } from './facts';
import { families, rulesById } from './families';
import { baselineVersion, expectedBy } from './k3s-baseline';
import type { ScanOptions } from './options';
import { remedyFor } from './remedy';
import type { Ground, Hit, Sighting } from './rules/family';
import { counted, coverageCriterion, imageCriterion } from './coverage';
import { findingId } from './finding-id';

const maxEvidence = 20;

/** Facts to findings: judged by the families, marked by the baseline and the exceptions, worst first. Pure. */
export function diagnoseScan(facts: ScanFacts, options: ScanOptions): Diagnosis {
  if (facts.scope.namespaces.length === 0 && facts.scope.unknown === undefined) {
    const summary = `no namespace of the group exists (${facts.scope.missing.join(', ') || 'none found'}): nothing to scan`;
    return {
      summary,
      findings: [],
      figures: figuresOf([], facts),
      criteria: [],
      unknowns: [],
      skip: { reason: 'no-target', summary },
    };
  }
  const hits = families.flatMap((family) => family.judge(facts.kept[family.id] ?? [], groundOf(facts, options)));
  const found = distinctIds(mergeGroups(hits).map((hit) => findingOf(hit, facts)));
  const usage = new Map<Exception, number>();
  const findings = found.map((f) => marked(f, facts, usage)).sort(byImportance);
  const criteria = [coverageCriterion(facts), imageCriterion(facts)];
  return {
    summary: summaryOf(findings, facts),
    findings,
    figures: figuresOf(findings, facts),
    criteria,
    unknowns: unknownsOf(facts),
    artifacts: {
      scope: { namespaces: facts.scope.namespaces, missing: facts.scope.missing, counts: facts.counts, lasting: facts.lasting },
      exceptions: exceptionReport(facts, usage),
      images: facts.images,
      baseline: baselineVersion,
    },
    ...nothingRead(facts.source, Object.keys(facts.counts).length, facts.unlisted),
  };
}

function groundOf(facts: ScanFacts, options: ScanOptions): Ground {
  return {
    namespaces: facts.scope.namespaces,
    elsewhere: options.notNamespaces,
    others: options.others,
    unlisted: new Set(facts.unlisted.map((u) => u.kind)),
    registries: options.registries,
  };
}

/** Pods of one owner that the source does not have become one hit a rule: the first by name, the others beside it. */
function mergeGroups(hits: readonly Hit[]): Hit[] {
  const merged = new Map<string, Hit>();
  const alone: Hit[] = [];
  for (const hit of [...hits].sort((a, b) => compareText(a.subject.ref.name, b.subject.ref.name))) {
    if (hit.group === undefined) {
      alone.push(hit);
      continue;
    }
    const key = `${hit.rule} ${hit.group} ${hit.key ?? ''}`;
    const first = merged.get(key);
    if (first) first.also = [...(first.also ?? []), describeRef(hit.subject.ref)];
    else merged.set(key, { ...hit });
  }
  return [...alone, ...merged.values()];
}

function findingOf(hit: Hit, facts: ScanFacts): Finding {
  const rule = rulesById.get(hit.rule);
  if (!rule) throw new Error(`no rule ${hit.rule} in any family's table`);
  const { ref, owner } = hit.subject;
  return {
    id: findingId(hit.rule, ref, hit.key),
    rule: hit.rule,
    task: facts.task,
    severity: hit.severity ?? rule.severity,
    title: printable(
      `${hit.title ?? rule.title}: ${describeRef(ref)}${hit.key === undefined ? '' : ` (${hit.key})`}`,
      500,
    ),
    object: ref,
    owner,
    evidence: firstOf(hit.evidence).map((e) => ({
      object: e.object ?? ref,
      at: printable(e.at, 500),
      value: printable(e.value, 1000),
    })),
    remedy: remedyFor(
      hit.fix,
      hit.subject,
      owner.kind === 'helm' ? facts.chartValues.get(`${owner.namespace}/${owner.release}`) : undefined,
    ),
    confidence: hit.confidence ?? 1,
    references: [rule.source],
    also: [...(hit.also ?? []), ...podNames(facts.podsOf.get(describeRef(ref)), ref.namespace)].map((name) =>
      printable(name, 400),
    ),
  };
}

function firstOf(evidence: readonly Sighting[]): readonly Sighting[] {
  if (evidence.length <= maxEvidence) return evidence;
  return [...evidence.slice(0, maxEvidence), { at: '…', value: `and ${evidence.length - maxEvidence} more places` }];
}

/** Files can hold an object twice, and a binding a holder: each is said, the later ones under the file's name or a number. */
function distinctIds(findings: Finding[]): Finding[] {
  const taken = new Set<string>();
  return findings.map((finding) => {
    const file = finding.owner.kind === 'manifest' ? finding.owner.file : undefined;
    const named =
      taken.has(finding.id) && file !== undefined ? findingId(finding.rule, finding.object, `in ${file}`) : finding.id;
    let id = named;
    for (let n = 2; taken.has(id); n++) id = `${named.slice(0, 490)} #${n}`;
    taken.add(id);
    return { ...finding, id };
  });
}

function podNames(pods: PodNames | undefined, namespace: string | undefined): string[] {
  if (!pods) return [];
  const named = [...pods.names].sort().map((name) => `Pod ${namespace ? `${namespace}/` : ''}${name}`);
  return pods.count > pods.names.length ? [...named, `${pods.count - pods.names.length} more pods`] : named;
}

/** The baseline first: what is expected of k3s needs no exception. */
function marked(finding: Finding, facts: ScanFacts, usage: Map<Exception, number>): Finding {
  const expected = expectedBy(finding);
  if (expected) {
    // What a part needs is not to be taken from it by a command that somebody pastes.
    const remedy = { layer: 'none' as const, reason: `nothing to do: ${expected.reason}` };
    return {
      ...finding,
      severity: 'info',
      remedy,
      accepted: { owner: baselineVersion, reason: expected.reason, expires: 'never' },
    };
  }
  const { valid } = coveringException(facts.exceptions.entries, finding, facts.now);
  if (!valid) return finding;
  usage.set(valid, (usage.get(valid) ?? 0) + 1);
  return {
    ...finding,
    accepted: { owner: printable(valid.owner), reason: printable(valid.reason, 1000), expires: valid.expires },
  };
}

function byImportance(a: Finding, b: Finding): number {
  return (
    Number(a.accepted !== undefined) - Number(b.accepted !== undefined) ||
    compareSeverity(a.severity, b.severity) ||
    compareText(a.id, b.id)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function figuresOf(findings: readonly Finding[], facts: ScanFacts): Record<string, number> {
  const open = findings.filter((f) => f.accepted === undefined);
  const count = (severity: Severity) => open.filter((f) => f.severity === severity).length;
  return {
    critical: count('critical'),
    high: count('high'),
    medium: count('medium'),
    low: count('low'),
    info: count('info'),
    accepted: findings.length - open.length,
    namespaces_scanned: facts.scope.namespaces.length,
    objects_scanned: objectCount(facts),
  };
}

function objectCount(facts: ScanFacts): number {
  return Object.values(facts.counts).reduce((sum, n) => sum + n, 0);
}

function summaryOf(findings: readonly Finding[], facts: ScanFacts): string {
  const f = figuresOf(findings, facts);
  const expired = facts.exceptions.entries.filter((e) => isExpired(e, facts.now)).length;
  const parts = [
    `${f['critical']} critical, ${f['high']} high, ${f['medium']} medium, ${f['low']} low in ${counted(facts.scope.namespaces.length, 'namespace')} (${counted(objectCount(facts), 'object')})`,
    ...(f['accepted'] ? [`${f['accepted']} accepted`] : []),
    ...(facts.scope.missing.length > 0 ? [`not there: ${facts.scope.missing.join(', ')}`] : []),
    ...(expired > 0 ? [`${expired} ${expired === 1 ? 'exception has' : 'exceptions have'} expired`] : []),
    ...(facts.exceptions.problems.length > 0
      ? [`${counted(facts.exceptions.problems.length, 'problem')} in the exceptions`]
      : []),
    'images not checked for known vulnerabilities',
  ];
  return printable(parts.join('; '), 2000);
}

function unknownsOf(facts: ScanFacts): Diagnosis['unknowns'] {
  return [
    ...(facts.scope.unknown === undefined ? [] : [{ subject: 'Namespace', reason: facts.scope.unknown }]),
    ...facts.unlisted
      .filter((u) => u.kind !== 'Namespace' || facts.scope.unknown === undefined)
      .map((u) => ({ subject: u.namespace === undefined ? u.kind : `${u.kind} in ${u.namespace}`, reason: u.reason })),
    ...facts.exceptions.problems.map((problem) => ({ subject: 'exceptions', reason: printable(problem, 1000) })),
    {
      subject: 'known vulnerabilities of images',
      reason: `no image scanner is built in yet; ${facts.images.length} distinct images were seen and not judged`,
    },
  ].map(({ subject, reason }) => ({ subject: printable(subject, 500), reason: printable(reason, 1000) }));
}

/** Which exceptions covered something, which cover nothing, and which are over. */
function exceptionReport(facts: ScanFacts, usage: ReadonlyMap<Exception, number>): Record<string, unknown> {
  const row = (e: Exception) => ({ ...e, covered: usage.get(e) ?? 0 });
  const expired = facts.exceptions.entries.filter((e) => isExpired(e, facts.now));
  const valid = facts.exceptions.entries.filter((e) => !isExpired(e, facts.now));
  return {
    used: valid.filter((e) => usage.has(e)).map(row),
    unused: valid.filter((e) => !usage.has(e)).map(row),
    expired: expired.map(row),
    problems: facts.exceptions.problems,
  };
}
