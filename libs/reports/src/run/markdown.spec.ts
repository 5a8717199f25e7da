import { aCriterion, aLarryReport, aRunSummary, aTaskReport, aTaskResult } from '../builders';
import { hostileSummary } from './hostile-summary';
import { counted, summaryToMarkdown } from './markdown';

describe('summaryToMarkdown', () => {
  it('keeps hostile text inside its line and its cell', () => {
    const text = summaryToMarkdown(hostileSummary);
    expect(text).not.toMatch(/(?<!\\)[<`]|(?<!\\)\]\(/);
    expect(text.split('\n').filter((l) => /^#+ heading/.test(l))).toEqual([]);
    const widths = text.split('\n').filter((l) => /^\|/.test(l)).map((l) => l.split(/(?<!\\)\|/).length);
    expect(new Set(widths)).toEqual(new Set([7, 6]));
    expect(text).not.toMatch(/[\u001b\u202e]/);
    expect(text).toContain('SIMULATED');
  });

  it('says planned and actual times, and no time of what did no work', () => {
    const text = summaryToMarkdown(aRunSummary({ larrys: [aLarryReport([aTaskReport(), aTaskReport({ task: 'b', worker: 'idler', status: 'skipped', skipReason: 'not-built' })])] }));
    expect(text).toContain('| 15 min | 0.5 s |');
    expect(text).toMatch(/\| idler \|.*\| – \|/);
    expect(text).toContain('(skipped: not-built)');
    expect(text).toContain('1 of 2 tasks did work');
  });

  it('says with each mark what was seen, and says turned claims aloud', () => {
    expect(summaryToMarkdown(aRunSummary())).toMatch(/✅ every namespace scanned: namespaces = 4 of 4, seen 2026/);
    const validations = [{ task: 't', larry: 'l', at: 'now', criteria: [], turned: ['a'] }];
    const text = summaryToMarkdown(aRunSummary({ validations }));
    expect(text).toContain('**1 claims turned**');
    expect(text).toContain('❌ turned: a');
  });

  it('leaves no ✅ on a task or a criterion that turned within the run', () => {
    const now = aCriterion({ verdict: 'not-met', observation: { subject: 'namespaces', value: '3 of 4', at: '2026-01-02' } });
    const text = summaryToMarkdown(aRunSummary({ validations: [{ task: 'catalog-deployments', larry: 'larry-03', at: 'now', criteria: [now], turned: [now.id] }] }));
    expect(text).toContain('### ❌ Catalog');
    expect(text).toMatch(/- ❌ every namespace scanned: turned when it was looked at again: not-met, namespaces = 3 of 4.*claimed: met, namespaces = 4 of 4/);
    expect(text.replace(/✅ met, with its observation/, '')).not.toContain('✅');
  });

  it('names who approved a change, as no more than text', () => {
    const change = { id: 'r/t/s', summary: 'Set the image', target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'shop' }, outcome: 'verified' as const, digest: 'a'.repeat(64), diff: '' };
    const said = (approvedBy?: string) => summaryToMarkdown(aRunSummary({ larrys: [aLarryReport([aTaskReport({ result: aTaskResult({ changes: [{ ...change, ...(approvedBy ? { approvedBy } : {}) }] }) })])] }));
    expect(said('ada')).toContain('- Change Set the image: **verified**, approved by ada\n');
    expect(said('<b>ada')).toContain('approved by \\<b');
    expect(said()).not.toContain('approved by');
  });

  it('calls a validation that looked at nothing unknown', () => {
    expect(summaryToMarkdown(aRunSummary({ validations: [{ task: 't', larry: 'l', at: 'now', criteria: [], turned: [] }] }))).toContain('- t (now): ❔ there was nothing to look at');
  });
});

it('counts outcomes in words', () => {
  expect(counted(['verified', 'refused', 'verified'])).toBe('2 verified, 1 refused');
});
