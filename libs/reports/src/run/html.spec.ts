import { aCriterion, aFinding, aLarryReport, aRunSummary, aTaskReport, aTaskResult } from '../builders';
import { markupProblems } from '../markup-problems';
import { hostileSummary } from './hostile-summary';
import { summaryToHtml } from './html';

describe('summaryToHtml', () => {
  it('is well-formed, runs nothing and asks nobody, whatever stands in the reports', () => {
    const page = summaryToHtml(hostileSummary);
    expect(markupProblems(page)).toEqual([]);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/[\u001b\u202e]/);
  });

  it('draws ✅ for a claim with its observation, and for nothing else', () => {
    const unknown = { id: 'u', text: 'open', verdict: 'unknown' as const, reason: 'not readable' };
    const result = aTaskResult({ criteria: [unknown] });
    const page = summaryToHtml(aRunSummary({ larrys: [aLarryReport([aTaskReport({ result })])], validations: [{ task: 't', larry: 'l', at: 'now', criteria: [], turned: [] }] }));
    expect(page.replace(/✅ met, with its observation/, '')).not.toContain('✅');
    expect(summaryToHtml(aRunSummary())).toMatch(/✅ met<\/span> every namespace scanned<br><small>namespaces = 4 of 4, seen 2026/);
  });

  it('leaves no ✅ on a task or a criterion that turned within the run', () => {
    const now = aCriterion({ verdict: 'not-met', observation: { subject: 'namespaces', value: '3 of 4', at: '2026-01-02' } });
    const page = summaryToHtml(aRunSummary({ validations: [{ task: 'catalog-deployments', larry: 'larry-03', at: 'now', criteria: [now], turned: [now.id] }] }));
    expect(page).toMatch(/❌ not met<\/span> Catalog/);
    expect(page).toMatch(/❌ not met<\/span> every namespace scanned<br><small>turned when it was looked at again: not-met, namespaces = 3 of 4/);
    expect(page.replace(/✅ met, with its observation/, '')).not.toContain('✅');
  });

  it('shows skipped work apart from done work', () => {
    const page = summaryToHtml(aRunSummary({ larrys: [aLarryReport([aTaskReport(), aTaskReport({ task: 'x', status: 'skipped', skipReason: 'not-built' })])] }));
    expect(page).toContain('1 of 2 tasks did work');
    expect(page).toContain('skipped: not-built');
    expect(page).toMatch(/<span class="verdict skipped">/);
  });

  it('names who approved a change, as no more than text', () => {
    const change = { id: 'r/t/s', summary: 'Set the image', target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'shop' }, outcome: 'verified' as const, digest: 'a'.repeat(64), diff: '' };
    const said = (approvedBy?: string) => summaryToHtml(aRunSummary({ larrys: [aLarryReport([aTaskReport({ result: aTaskResult({ changes: [{ ...change, ...(approvedBy ? { approvedBy } : {}) }] }) })])] }));
    expect(said('ada')).toContain('Set the image: <b>verified</b>, approved by ada<pre>');
    expect(said('<b>ada')).toContain('approved by &lt;b&gt;ada');
    expect(said()).not.toContain('approved by');
  });

  it('says how many findings it leaves out', () => {
    const findings = Array.from({ length: 60 }, (_, i) => aFinding({ id: `f${i}` }));
    const page = summaryToHtml(aRunSummary({ larrys: [aLarryReport([aTaskReport({ result: aTaskResult({ findings, criteria: [aCriterion()] }) })])] }));
    expect(page).toContain('60 findings');
    expect(page).toContain('and 10 more in the JSON report');
  });
});
