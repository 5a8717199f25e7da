import { aCheckReport, aFinding } from '../builders';
import { markupProblems } from '../markup-problems';
import { checkToHtml } from './html';

const hostile = '</script><script>alert(1)</script>"\'><img src=http://evil onerror=x> &lt; ](javascript:x) | ` \u202e\u001b[31m';
const hostileReport = aCheckReport({
  source: { type: 'manifests', name: hostile, simulated: true, serverVersion: hostile },
  tasks: [{ task: hostile, title: hostile, outcome: 'skipped', summary: hostile, figures: {}, criteria: [], skipReason: 'no-target' }],
  findings: [
    aFinding({
      title: hostile,
      rule: hostile,
      references: [hostile],
      also: [hostile],
      object: { apiVersion: hostile, kind: hostile, namespace: hostile, name: hostile },
      owner: { kind: 'argocd', application: hostile },
      evidence: [{ object: aFinding().object, at: hostile, value: hostile }],
      remedy: { layer: 'manifest', file: hostile, yaml: hostile, note: hostile },
    }),
  ],
  unknowns: [{ subject: hostile, reason: hostile }],
  files: { loaded: 0, skipped: [{ file: hostile, reason: hostile }] },
});

describe('checkToHtml', () => {
  it('is well-formed, runs nothing and asks nobody, whatever stands in the cluster', () => {
    const page = checkToHtml(hostileReport, [{ title: hostile, svg: `<svg onload="x">${hostile}</svg>` }]);
    expect(markupProblems(page)).toEqual([]);
    expect(page).not.toMatch(/[\u001b\u202e]/);
  });

  it('tells the browser to fetch and run nothing', () => {
    expect(checkToHtml(aCheckReport())).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
  });

  it('says what is unknown, what was skipped, and that it is simulated', () => {
    const page = checkToHtml(hostileReport);
    expect(page).toContain('SIMULATED');
    expect(page).toContain('skipped (no-target)');
    expect(page).toMatch(/<h2>Unknown<\/h2>\s*<ul><li>/);
  });

  it('says "none in what could be read", never "fine"', () => {
    expect(checkToHtml(aCheckReport())).toContain('None in what could be read.');
  });

  it('stays small under a log line of 10 MB', () => {
    const evidence = [{ object: aFinding().object, at: 'log:app', value: 'x'.repeat(10_000_000) }];
    expect(checkToHtml(aCheckReport({ findings: [aFinding({ evidence })] })).length).toBeLessThan(200_000);
  });

  it('finds markup that is not well-formed, or it could not fail', () => {
    expect(markupProblems('<p><b></p>')).not.toEqual([]);
    expect(markupProblems('<p>a < b</p>')).not.toEqual([]);
    expect(markupProblems('<script>x</script>')).not.toEqual([]);
    expect(markupProblems('<img src="http://evil">')).not.toEqual([]);
    expect(markupProblems('<p onclick="x">a</p>')).not.toEqual([]);
  });
});
