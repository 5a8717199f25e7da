import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureApprovalKeys, readApprovalKey, signApproval, verifyApproval, type ApprovalRecord } from './approval';

const approval: ApprovalRecord = { run: 'r1', task: 't1', digest: 'a'.repeat(64), granted: true, who: 'ann', at: '2026-01-01T00:00:00.000Z' };

describe('approvals', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-approval-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps one key pair and lets only its owner read the private half', () => {
    const files = ensureApprovalKeys(folder);
    const again = ensureApprovalKeys(folder);
    expect(again).toEqual(files);
    expect(statSync(files.privateKey).mode & 0o077).toBe(0);
  });

  it('accepts what was signed with the key', () => {
    const files = ensureApprovalKeys(folder);
    const signed = signApproval(approval, readApprovalKey(files.privateKey, 'private'));
    expect(verifyApproval(JSON.parse(JSON.stringify(signed)), readApprovalKey(files.publicKey, 'public'))).toEqual(approval);
  });

  it.each([
    ['another digest', { digest: 'b'.repeat(64) }],
    ['a denial turned into a grant', { granted: false }],
    ['another person', { who: 'eve' }],
    ['another run', { run: 'r2' }],
  ])('refuses %s under a signature for something else', (_what, change) => {
    const files = ensureApprovalKeys(folder);
    const signed = signApproval(approval, readApprovalKey(files.privateKey, 'private'));
    const forged = { ...signed, approval: { ...approval, ...change } };
    expect(verifyApproval(forged, readApprovalKey(files.publicKey, 'public'))).toBeUndefined();
  });

  it('refuses what is no signed approval at all', () => {
    const key = readApprovalKey(ensureApprovalKeys(folder).publicKey, 'public');
    for (const value of [undefined, 'yes', { approval }, { approval, signature: '' }, { granted: true }]) {
      expect(verifyApproval(value, key)).toBeUndefined();
    }
  });

  it('says which key file cannot be read', () => {
    expect(() => readApprovalKey(path.join(folder, 'missing.pub'), 'public')).toThrow(/missing\.pub/);
  });
});
