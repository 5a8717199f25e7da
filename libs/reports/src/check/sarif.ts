import { describeRef, stripControl, type CheckReport, type Finding, type Severity } from '@larry/contracts';

const levels: Record<Severity, 'error' | 'warning' | 'note'> = { critical: 'error', high: 'error', medium: 'warning', low: 'note', info: 'note' };
/** GitHub's code scanning reads this number to sort (its docs, *SARIF support*, `security-severity`). */
const scores: Record<Severity, string> = { critical: '9.5', high: '8.0', medium: '5.5', low: '3.0', info: '0.0' };

/** SARIF 2.1.0 (OASIS). Findings in files have a physical location, others a logical one named like the object. */
export function checkToSarif(report: CheckReport, toolVersion: string): unknown {
  const rules = [...new Map(report.findings.map((f) => [f.rule, f])).values()];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'larry',
            version: toolVersion,
            rules: rules.map((f) => ({
              id: f.rule,
              shortDescription: { text: f.rule },
              properties: { 'security-severity': scores[f.severity] },
            })),
          },
        },
        properties: { simulated: report.source.simulated, source: `${report.source.type} ${report.source.name}` },
        results: report.findings.map((f) => sarifResult(f, rules.findIndex((r) => r.rule === f.rule))),
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: report.unknowns.map((u) => ({ level: 'warning', message: { text: stripControl(`${u.subject}: unknown (${u.reason})`) } })),
          },
        ],
      },
    ],
  };
}

function sarifResult(finding: Finding, ruleIndex: number): unknown {
  const name = describeRef(finding.object);
  const file = finding.owner.kind === 'manifest' ? finding.owner : undefined;
  return {
    ruleId: finding.rule,
    ruleIndex,
    level: levels[finding.severity],
    message: { text: stripControl(`${finding.title}\n${finding.evidence.map((e) => `${e.at}: ${e.value}`).join('\n')}`) },
    locations: [
      {
        logicalLocations: [{ fullyQualifiedName: name, kind: 'resource' }],
        // Scanners that show SARIF want a file; an object of a cluster is named like one.
        physicalLocation: {
          artifactLocation: { uri: encodeURI(file?.file ?? `cluster/${finding.object.namespace ?? '_'}/${finding.object.kind}/${finding.object.name}`) },
          region: { startLine: file?.line ?? 1 },
        },
      },
    ],
    partialFingerprints: { larryFindingId: finding.id },
    ...(finding.accepted ? { suppressions: [{ kind: 'external', justification: finding.accepted.reason }] } : {}),
  };
}
