import { aStep, aTargetObject } from './testing';
import { approvalDigest, approvalRequestSchema, digestOfRequest, holdsSecret, requestDiff, requestedChange } from './approval-request';
import { changeDigest } from './effects';

const live = aTargetObject({ uid: 'u1' });
const requestOf = (...steps: ReturnType<typeof aStep>[]) => ({ summary: 's', changes: steps.map((s) => requestedChange(s, live)) });
const one = aStep({ depends: ['/data/a', '/data/none'], patch: [{ op: 'replace', path: '/data/a', value: '2' }] });

describe('a request for an approval', () => {
  it('has the digest of its one change, through JSON and back', () => {
    const read = approvalRequestSchema.parse(JSON.parse(JSON.stringify(requestOf(one))));
    expect(digestOfRequest(read)).toBe(changeDigest(one, live));
  });

  it('has the digest of the ordered list of its changes', () => {
    const two = aStep({ step: 'two' });
    const digests = [one, two].map((s) => changeDigest(s, live));
    expect(digestOfRequest(requestOf(one, two))).toBe(approvalDigest(digests));
    expect(digestOfRequest(requestOf(two, one))).not.toBe(approvalDigest(digests));
    expect(digests).not.toContain(approvalDigest(digests));
  });

  it('has another digest when anything that is shown is another', () => {
    const digest = digestOfRequest(requestOf(one));
    const [change] = requestOf(one).changes;
    const forged = [{ ...change!.change, summary: 'harmless' }, { ...change!.change, patch: [] }, { ...change!.change, target: { ...one.target, name: 'other' } }];
    for (const harmless of forged) expect(digestOfRequest({ summary: 's', changes: [{ ...change!, change: harmless }] })).not.toBe(digest);
  });

  it('shows verb, object and what is replaced by what', () => {
    expect(requestDiff(requestOf(one))).toBe('patch ConfigMap default/effects: append\n/data/a\n- "1"\n+ "2"');
  });

  it('shows what stands in a part of what was read', () => {
    const inside = aStep({ depends: ['/data'], patch: [{ op: 'replace', path: '/data/a', value: '2' }] });
    expect(requestDiff(requestOf(inside))).toContain('/data/a\n- "1"\n+ "2"');
  });

  it('says that something is replaced which the change does not depend on', () => {
    const blind = aStep({ depends: [], patch: [{ op: 'replace', path: '/data/z', value: 'x' }] });
    expect(requestDiff(requestOf(blind))).toContain('/data/z\n- (what stands there)\n+ "x"');
  });

  it('shows nothing that a terminal obeys, and no line that pretends to be another', () => {
    const hostile = '\u001b[2K\u202ex\n+ "fake"';
    const text = requestDiff(requestOf(aStep({ summary: hostile, patch: [{ op: 'add', path: `/data/${hostile}`, value: hostile }] })));
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text.split('\n').filter((l) => l.startsWith('+'))).toHaveLength(1);
  });

  it('is cut where it is too long to read, and says so first', () => {
    const text = requestDiff(requestOf(aStep({ patch: [{ op: 'add', path: '/data/b', value: 'x'.repeat(30_000) }] })));
    expect(text).toMatch(/^\(only the first 24000 of 30\d\d\d characters are shown/);
    expect(text.length).toBeLessThan(24_200);
  });

  const inGit = (diff: string, message = 'fix: x\n') => aStep({ verb: 'git-branch', git: { branch: 'larry/x', file: 'a.yaml', before: 'a'.repeat(40), after: 'b'.repeat(40), edits: [{ document: 0, path: ['data', 'a'], set: '2' }], declares: one.target, message, wanted: [{ op: 'replace', path: '/data/a', value: '2' }], diff } });

  it('shows a break inside a line of a file as a mark: no line passes for another one of the diff', () => {
    for (const mark of ['\r', '\u2028', '\u2029', '\u0085']) {
      const lines = requestDiff(requestOf(inGit(`@@ -1 +1 @@\n # x${mark}-  image: a${mark}+  image: harmless\r\n-  image: b\n+  image: evil\n`))).split('\n');
      expect(lines.slice(-4)).toEqual(['@@ -1 +1 @@', ' # x␍-  image: a␍+  image: harmless', '-  image: b', '+  image: evil']);
    }
  });

  it.each([
    ['a diff', inGit('@@ -1 +1 @@\n-  password: hunter2canary\n'), true],
    ['a message', inGit('', 'fix: x\n\npassword=hunter2canary\n'), true],
    ['what is struck out of a diff', inGit('@@ -1 +1 @@\n-  password: [redacted]\n+- --token [redacted]\n'), false],
  ])('with a secret in %s: refused for it %#', (_, step, expected) => expect(holdsSecret(requestedChange(step, live))).toBe(expected));

  it.each([
    ['data of a Secret', aStep({ target: { ...one.target, kind: 'Secret' } }), true],
    ['metadata of a Secret', aStep({ target: { ...one.target, kind: 'Secret' }, depends: [] }), false],
    ['a Secret that is created', aStep({ verb: 'create', target: { ...one.target, kind: 'Secret' }, object: { kind: 'Secret' }, depends: [] }), true],
    ['a password', aStep({ patch: [{ op: 'add', path: '/data/password', value: 'x' }] }), true],
    ['no secret', one, false],
  ])('with %s: refused for its secrets %#', (_, step, expected) => expect(holdsSecret(requestedChange(step, live))).toBe(expected));
});
