import { compareSeverity, describeRef, printable, stripControl, type CheckReport, type Finding, type Severity } from '@larry/contracts';
import { lazyList } from '../json-pieces';

const levels: Record<Severity, 'error' | 'warning' | 'note'> = { critical: 'error', high: 'error', medium: 'warning', low: 'note', info: 'note' };
/** GitHub's code scanning reads this number to sort (its docs, *SARIF support*, `security-severity`). */
const scores: Record<Severity, string> = { critical: '9.5', high: '8.0', medium: '5.5', low: '3.0', info: '0.0' };

/** SARIF 2.1.0 (OASIS), to be written by `JSON.stringify` or `jsonPieces`. Findings in files have a physical location, others a logical one named like the object. */
export function checkToSarif(report: CheckReport, toolVersion: string): unknown {
  const worst = worstByRule(report.findings);
  const ruleIds = [...worst.keys()];
  const indexOf = new Map(ruleIds.map((id, i) => [id, i]));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'larry',
            version: toolVersion,
            rules: ruleIds.map((id) => ({
              id,
              shortDescription: { text: id },
              properties: { 'security-severity': scores[worst.get(id) ?? 'info'] },
            })),
          },
        },
        properties: { simulated: report.source.simulated, source: printable(`${report.source.type} ${report.source.name}`) },
        results: lazyList(report.findings, (f) => sarifResult(f, indexOf.get(f.rule) ?? -1)),
        invocations: [
          {
            // A task that failed leaves the scan with a hole: tools then do not close what it did not see.
            executionSuccessful: report.tasks.every((t) => t.outcome !== 'failed'),
            toolExecutionNotifications: report.unknowns.map((u) => ({ level: 'warning', message: { text: printable(`${u.subject}: unknown (${u.reason})`, 1500) } })),
          },
        ],
      },
    ],
  };
}

function worstByRule(findings: readonly Finding[]): Map<string, Severity> {
  const worst = new Map<string, Severity>();
  for (const { rule, severity } of findings) {
    const known = worst.get(rule);
    if (!known || compareSeverity(severity, known) < 0) worst.set(rule, severity);
  }
  return worst;
}

function sarifResult(finding: Finding, ruleIndex: number): unknown {
  const file = finding.owner.kind === 'manifest' ? finding.owner : undefined;
  const { namespace, kind, name } = finding.object;
  return {
    ruleId: finding.rule,
    ruleIndex,
    level: levels[finding.severity],
    message: { text: [finding.title, ...finding.evidence.map((e) => `${e.at}: ${e.value}`)].map((line) => printable(line, 1000)).join('\n') },
    locations: [
      {
        logicalLocations: [{ fullyQualifiedName: stripControl(describeRef(finding.object)), kind: 'resource' }],
        // Scanners that show SARIF want a file; an object of a cluster is named like one.
        physicalLocation: {
          artifactLocation: { uri: uriOf(file?.file ?? ['cluster', namespace ?? '_', kind, name].join('/')) },
          region: { startLine: file?.line ?? 1 },
        },
      },
    ],
    partialFingerprints: { larryFindingId: stripControl(finding.id) },
    ...(finding.accepted ? { suppressions: [{ kind: 'external', justification: printable(finding.accepted.reason, 1000) }] } : {}),
  };
}

/** A relative reference (RFC 3986): nothing in a file's name is a scheme, a query or a fragment. */
function uriOf(file: string): string {
  return stripControl(file).split(/[/\\]/).map(encodeURIComponent).join('/');
}
