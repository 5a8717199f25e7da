import { aCheckReport, aFinding } from '../builders';
import { checkToMarkdown } from './markdown';

const hostile = '</script> ](javascript:x) | `a` \u202e# [x](y)\n# heading\n```\nend of fence';

describe('checkToMarkdown', () => {
  const text = checkToMarkdown(
    aCheckReport({
      source: { type: 'manifests', name: hostile, simulated: true },
      tasks: [{ task: hostile, title: hostile, outcome: 'completed', summary: hostile, figures: {}, criteria: [] }],
      findings: [aFinding({ title: hostile, rule: hostile, also: [hostile], references: [hostile], remedy: { layer: 'manifest', yaml: hostile } })],
      unknowns: [{ subject: hostile, reason: hostile }],
      files: { loaded: 2, skipped: [{ file: hostile, line: 3, reason: hostile }] },
    }),
  );
  const prose = text.replace(/^````yaml\n[^]*?\n````$/m, '');

  it('keeps hostile text inside its line, its cell and its block', () => {
    expect(prose).not.toMatch(/(?<!\\)[<`]|(?<!\\)\]\(/);
    expect(prose.split('\n').filter((l) => l.startsWith('#'))).toEqual(['# Larry check', '## Findings', expect.stringMatching(/^### 1\. HIGH /), '## Tasks', '## Unknown', '## Files']);
    const cells = prose.split('\n').filter((l) => l.startsWith('| ')).map((l) => l.split(/(?<!\\)\|/).length);
    expect(new Set(cells)).toEqual(new Set([7, 5]));
    expect(text).toContain('````yaml\n');
  });

  it('says what is unknown, what was skipped, and that it is simulated', () => {
    expect(prose).toContain('SIMULATED');
    expect(prose).toContain('3 = 2 loaded + 1 skipped');
    expect(prose).toMatch(/## Unknown\n\n- /);
  });
});
