import { memoryCluster } from '@larry/kube/testing';
import { heartbeatLines, heartbeatVerdict } from './heartbeats';
import { policyLine } from './cluster';

const now = Date.parse('2026-01-01T12:00:00Z');
const lease = (name: string, agoMs: number) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace: 'kube-node-lease' }, spec: { renewTime: new Date(now - agoMs).toISOString() } });

describe('the heartbeats of nodes', () => {
  it.each<[string, number[], string, string]>([
    ['all heard, clocks alike', [2000, 9000], 'ok', 'ok'],
    ['one that is silent', [2000, 90_000], 'warn', 'ok'],
    ['a cluster whose clock is ahead', [-30_000, -22_000], 'ok', 'warn'],
    ['a cluster whose clock is behind, or where nobody is heard', [300_000, 305_000], 'ok', 'warn'],
  ])('%s', async (_, ages, heard, clock) => {
    const lines = await heartbeatLines(memoryCluster(ages.map((ago, i) => lease(`w${i + 1}`, ago))), () => now);
    expect(lines.map(({ subject, level }) => [subject, level])).toEqual([['heartbeats', heard], ['cluster clock', clock]]);
    for (const { level, todo } of lines) expect(todo === undefined).toBe(level === 'ok');
    if (heard === 'warn') expect(lines[0]?.seen).toContain('w2 silent');
  });

  it('are unknown, not fine, where nobody may read them or there are none', async () => {
    const closed = { list: () => { throw new Error('forbidden'); } };
    expect(await heartbeatLines(closed)).toMatchObject([{ level: 'unknown', seen: expect.stringContaining('forbidden') as string }]);
    expect(heartbeatVerdict([{ node: 'a', renewedMs: Number.NaN }], now)).toMatchObject([{ level: 'unknown' }]);
  });
});

it('a cluster without admission policies is told, with what to do about it', () => {
  const kind = (apiVersion: string) => ({ apiVersion, kind: 'ValidatingAdmissionPolicy', resource: 'validatingadmissionpolicies', namespaced: false, availability: { state: 'listed' as const } });
  expect(policyLine([kind('admissionregistration.k8s.io/v1')])).toMatchObject({ level: 'ok' });
  expect(policyLine([kind('admissionregistration.k8s.io/v1beta1')])).toMatchObject({ level: 'warn', seen: expect.stringContaining('only Roles confine') as string, todo: expect.stringContaining('1.30') as string });
});
