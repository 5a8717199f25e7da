import { anApproval } from '../../test/builders';
import { approvalText, theOne } from './approve';

const a = anApproval({ digest: 'aaaaaaaa1'.padEnd(64, '0') });
const b = anApproval({ digest: 'aaaaaaaa2'.padEnd(64, '0') });

describe('what an approval is asked about', () => {
  it('is found by the beginning of its digest', () => expect(theOne('aaaaaaaa1', [a, b])).toBe(a));

  it.each([
    ['aaaaaaaa', /2 digests begin with aaaaaaaa; give more digits/],
    ['bbbbbbbb', /nothing waits with a digest that begins with bbbbbbbb; waiting are aaaaaaaa1000, aaaaaaaa2000/],
    ['abc', /is no digest/],
    ['../runs', /is no digest/],
  ])('%s names none', (prefix, sentence) => expect(() => theOne(prefix, [a, b])).toThrow(sentence));

  it('shows object, digest and every line of the change', () => {
    expect(approvalText(anApproval(), false).split('\n')).toEqual([
      'larry-01 fix-pgadmin-crashloop: Set PGADMIN_DEFAULT_EMAIL',
      '  object  Deployment database/pgadmin',
      `  digest  ${'37e02466b644'.padEnd(64, '0')}`,
      '  until   2026-01-03T03:04:05.000Z; then it is skipped',
      '  /spec',
      '  - "a"',
      '  + "b"',
    ]);
  });

  it('shows every object of a plan', () => {
    const asks = { summary: 's', objects: ['Deployment a/b', 'ConfigMap a/c'], diff: '' };
    expect(approvalText(anApproval({ asks }), false)).toContain('  object  Deployment a/b\n  object  ConfigMap a/c\n');
  });

  it('shows only why where it cannot be approved', () => {
    expect(approvalText(anApproval({ asks: undefined, problem: 'it does not fit', deadline: undefined }), false).split('\n')).toEqual([
      'larry-01 fix-pgadmin-crashloop: it does not fit',
      `  digest  ${'37e02466b644'.padEnd(64, '0')}`,
    ]);
  });

  it('says how much of a long line is not shown', () => {
    const asks = { summary: 's', objects: [], diff: `+ ${'x'.repeat(2500)}` };
    expect(approvalText(anApproval({ asks }), false)).toContain('… (502 more characters: larry approve --json)');
  });

  it('shows nothing that a terminal would obey, and no line of the diff that pretends to be ours', () => {
    const hostile = '\u001b[1A\u001b[2K\u202eok\r  digest  fake';
    const text = approvalText(anApproval({ task: hostile, digest: hostile, asks: { summary: hostile, objects: [hostile], diff: `+ ${hostile}` } }), false);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text.split('\n').filter((l) => l.startsWith('  digest'))).toHaveLength(1);
  });
});
