import { aCheckReport, aFinding } from '../builders';
import { checkToSarif } from './sarif';

interface Sarif {
  version: string;
  runs: {
    tool: { driver: { name: string; version: string; rules: { id: string; properties: Record<string, string> }[] } };
    results: { ruleId: string; ruleIndex: number; level: string; message: { text: string }; locations: { physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } } }[]; suppressions?: unknown[] }[];
    invocations: { executionSuccessful: boolean; toolExecutionNotifications: { message: { text: string } }[] }[];
  }[];
}
const sarif = (...args: Parameters<typeof aCheckReport>) => (JSON.parse(JSON.stringify(checkToSarif(aCheckReport(...args), '1.2.3'))) as Sarif).runs[0] as Sarif['runs'][0];

describe('checkToSarif', () => {
  it('is a SARIF 2.1.0 log whose results point at their rules', () => {
    const findings = [aFinding({ rule: 'b', severity: 'low' }), aFinding({ rule: 'a' }), aFinding({ rule: 'b', severity: 'critical', id: 'b2' })];
    expect((checkToSarif(aCheckReport({ findings }), '1.2.3') as Sarif).version).toBe('2.1.0');
    const run = sarif({ findings });
    expect(run.tool.driver).toMatchObject({ name: 'larry', version: '1.2.3' });
    for (const result of run.results) {
      expect(run.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
      expect(result.message.text).not.toBe('');
      expect(['error', 'warning', 'note']).toContain(result.level);
    }
    // A rule is as bad as its worst finding, in whatever order they come.
    expect(run.tool.driver.rules.find((r) => r.id === 'b')?.properties['security-severity']).toBe('9.5');
  });

  it('points at the file and line of a manifest, and at a name where there is no file', () => {
    const inFile = aFinding({ owner: { kind: 'manifest', file: 'deploy/a b#?.yaml', line: 7 } });
    const [first, second] = sarif({ findings: [inFile, aFinding({ id: 'x' })] }).results.map((r) => r.locations[0]?.physicalLocation);
    expect(first).toEqual({ artifactLocation: { uri: 'deploy/a%20b%23%3F.yaml' }, region: { startLine: 7 } });
    expect(second).toEqual({ artifactLocation: { uri: 'cluster/web/Deployment/shop' }, region: { startLine: 1 } });
  });

  it('survives names that no URI and no terminal can hold', () => {
    const name = 'javascript:alert(1)\ud800\u202e\u001b[31m';
    const run = sarif({ findings: [aFinding({ title: name, object: { apiVersion: 'v1', kind: 'Pod', name }, owner: { kind: 'manifest', file: name } })] });
    expect(run.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe('javascript%3Aalert(1)');
    expect(JSON.stringify(run)).not.toMatch(/u001b|u202e|\u202e/);
  });

  it('names what it could not read, and does not call a check with a failed task successful', () => {
    const failed = { task: 't', title: 't', outcome: 'failed' as const, summary: 's', figures: {}, criteria: [] };
    const [invocation] = sarif({ tasks: [failed], unknowns: [{ subject: 'Secret', reason: 'forbidden' }] }).invocations;
    expect(invocation).toMatchObject({ executionSuccessful: false, toolExecutionNotifications: [{ message: { text: 'Secret: unknown (forbidden)' } }] });
    expect(sarif({}).invocations[0]?.executionSuccessful).toBe(true);
  });

  it('marks accepted findings as suppressed', () => {
    const findings = [aFinding({ accepted: { owner: 'me', reason: 'known', expires: '2027-01-01' } })];
    expect(sarif({ findings }).results[0]?.suppressions).toEqual([{ kind: 'external', justification: 'known' }]);
  });
});
