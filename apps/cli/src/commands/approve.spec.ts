import type { ChangeText } from '@larry/contracts';
import { anApproval } from '../../test/builders';
import { approvalText, theOne } from './approve';

const a = anApproval({ digest: 'aaaaaaaa1'.padEnd(64, '0') });
const b = anApproval({ digest: 'aaaaaaaa2'.padEnd(64, '0') });

describe('what an approval is asked about', () => {
  it('is found by the beginning of its digest', () => expect(theOne('aaaaaaaa1', [a, b])).toEqual({ digest: a.digest, approval: a }));

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

  describe('of changes that are decided one by one', () => {
    const single = (n: number, more: Partial<ChangeText> = {}): ChangeText => ({ digest: String(n).repeat(64), summary: `Change ${n}`, object: `Deployment a/${n}`, diff: `change ${n} of 2, ${String(n).repeat(12)}:\n+ ${n}`, ...more });
    const several = anApproval({ asks: { summary: 'Change 1; Change 2', objects: ['Deployment a/1', 'Deployment a/2'], diff: 'both', changes: [single(1), single(2, { verdict: { granted: false, who: 'ben' } })] } });

    it('finds one by its own digest, and shows that one alone', () => {
      const { approval, change } = theOne('11111111', [several]);
      expect(approvalText(approval, false, change).split('\n')).toEqual([
        'larry-01 fix-pgadmin-crashloop: Change 1',
        '  object  Deployment a/1',
        `  digest  ${'1'.repeat(64)}`,
        '  until   2026-01-03T03:04:05.000Z; then it is skipped',
        '  change 1 of 2, 111111111111:',
        '  + 1',
      ]);
    });

    it('shows with all of them which is decided, and by whom', () => {
      expect(theOne('37e02466', [several])).toEqual({ digest: several.digest, approval: several });
      expect(approvalText(several, false)).toContain('  change 1 of 2  111111111111  waits\n  change 2 of 2  222222222222  denied by ben\n');
    });
  });
});
