import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { accountOwner, ownerFromTokenFile } from './job-owner';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenOf = (claims: unknown): string => `${part({ alg: 'RS256' })}.${part(claims)}.signature`;
const claims = (uid: string) => ({ sub: 'system:serviceaccount:larry-01:larry-01-coordinator', 'kubernetes.io': { namespace: 'larry-01', pod: { name: 'p', uid: 'u' }, serviceaccount: { name: 'larry-01-coordinator', uid } } });
const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'ServiceAccount', name: 'larry-01-coordinator', uid, controller: true });

describe('the owner of a worker Job', () => {
  it("is the coordinator's own account, and never stands in the way of its deletion", () => {
    expect(accountOwner(tokenOf(claims('a')), 'larry-01')).toEqual(owner('a'));
  });

  it.each([
    ['an account of another namespace, which could own nothing here', tokenOf({ 'kubernetes.io': { ...claims('a')['kubernetes.io'], namespace: 'other' } })],
    ['a token of no account', tokenOf({ sub: 'ada' })],
    ['claims that are odd', tokenOf({ 'kubernetes.io': { namespace: 'larry-01', serviceaccount: { name: 7 } } })],
    ['null', tokenOf(null)],
    ['an opaque token', 'abcdef'],
    ['no JSON', 'a.b.c'],
  ])('is nobody for %s', (_, token) => {
    expect(accountOwner(token, 'larry-01')).toBeUndefined();
  });

  it('is read anew from the token, which may have become that of an account made again; nobody without one', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'larry-owner-'));
    const file = path.join(folder, 'token');
    const read = ownerFromTokenFile(file, 'larry-01');
    expect(read()).toBeUndefined();
    for (const uid of ['a', 'b']) {
      writeFileSync(file, `${tokenOf(claims(uid))}\n`);
      expect(read()).toEqual(owner(uid));
    }
    rmSync(folder, { recursive: true });
  });
});
