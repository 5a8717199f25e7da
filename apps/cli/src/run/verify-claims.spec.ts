import type { AppliedChange, Criterion, Plan, TaskReport, TaskResult, Validation } from '@larry/contracts';
import { aReport, aResult, aSummary, aTaskReport } from '../../test/builders';
import { verifyExitCode, verifyText } from '../commands/verify';
import { claimsOf, verifiedCriteria } from './verify-claims';

const observation = { subject: 'Deployment x', value: '1', at: '2026-01-02T03:04:05.000Z' };
const criterion = (id: string, verdict: Criterion['verdict']): Criterion => ({ id, text: `text of ${id}`, verdict, ...(verdict === 'met' || verdict === 'not-met' ? { observation } : { reason: 'not yet' }) });
const claimed = [criterion('ready', 'met'), criterion('quiet', 'provisional'), criterion('fast', 'met'), criterion('seen', 'unknown')];
const summary = aSummary({ larrys: [aReport({ tasks: [aTaskReport({ result: aResult({ criteria: claimed }) }), aTaskReport({ task: 'skipped-one', status: 'skipped', result: undefined })] })] });
const validation = (more: Partial<Validation> = {}): Validation => ({ task: 'fix-pgadmin-crashloop', larry: 'larry-01', at: observation.at, criteria: [criterion('ready', 'met'), criterion('quiet', 'met'), criterion('fast', 'not-met'), criterion('seen', 'unknown')], turned: ['fast'], ...more });

describe('claims that are looked at anew', () => {
  it("are those of tasks that completed, with the plan's options", () => {
    const plan = { larrys: [{ id: 'larry-01', tasks: [{ id: 'fix-pgadmin-crashloop', with: { quietMinutes: 5 } }] }] } as unknown as Plan;
    expect(claimsOf(summary, plan)).toMatchObject([{ larry: 'larry-01', request: { run: 'run-1', tasks: [{ task: 'fix-pgadmin-crashloop', options: { quietMinutes: 5 } }] } }]);
  });

  it('are those of a task that failed too, where a change of it stands or it says what it saw; what was taken back claims nothing', () => {
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
    const change = (step: string, outcome: AppliedChange['outcome']): AppliedChange => ({ id: `run-1/fix/${step}`, summary: step, target, outcome, digest: 'a'.repeat(64), diff: '' });
    const criteria = [criterion('repaired-a', 'provisional'), criterion('repaired-b', 'not-met')];
    const failed = (result: Partial<TaskResult>, status: TaskReport['status'] = 'failed') => aSummary({ larrys: [aReport({ tasks: [aTaskReport({ status, result: aResult({ outcome: 'failed', ...result }) })] })] });
    const plan = { larrys: [] } as unknown as Plan;
    const some = failed({ criteria, changes: [change('a', 'provisional'), change('b', 'rolled-back'), change('c', 'proposed')] });
    expect(claimsOf(some, plan)).toMatchObject([{ request: { tasks: [{ task: 'fix-pgadmin-crashloop' }] } }]);
    expect(claimsOf(failed({ criteria }), plan)).toHaveLength(1);
    expect(claimsOf(failed({ changes: [change('a', 'applied')] }, 'skipped'), plan)).toHaveLength(1);
    expect(claimsOf(failed({ changes: [change('b', 'rolled-back')] }), plan)).toEqual([]);
    expect(claimsOf(failed({ criteria }, 'skipped'), plan)).toEqual([]);
    const text = verifyText(some, [validation({ criteria: [criterion('repaired-a', 'met')], turned: [] })]);
    expect(text).toContain('0 holds, 1 closed, 0 TURNED, 0 open');
    expect(text).not.toContain('text of repaired-b');
  });

  it('hold, turn, close or stay open, each by what was seen', () => {
    expect(verifiedCriteria(summary, [validation()]).map((c) => [c.before.id, c.outcome])).toEqual([
      ['ready', 'holds'],
      ['quiet', 'closed'],
      ['fast', 'turned'],
      ['seen', 'open'],
    ]);
  });

  it('are no claims of a task that could not be looked at', () => expect(verifiedCriteria(summary, [validation({ problem: 'no cluster', criteria: [], turned: [] })])).toEqual([]));

  it('end with 1 when one turned, 4 when one could not be looked at, else 0', () => {
    expect(verifyExitCode([validation()])).toBe(1);
    expect(verifyExitCode([validation(), validation({ problem: 'x' })])).toBe(1);
    expect(verifyExitCode([validation({ turned: [], problem: 'x' })])).toBe(4);
    expect(verifyExitCode([validation({ turned: [] })])).toBe(0);
  });

  it('are told with their marks; only what is met and was seen is ticked', () => {
    const text = verifyText(summary, [validation(), validation({ task: 'other', problem: 'no \u001b[2Jcluster', criteria: [], turned: [] })]);
    expect(text).toContain('1 holds, 1 closed, 1 TURNED, 1 open');
    expect(text.match(/✅/g)).toHaveLength(2);
    expect(text).toContain('❌ TURNED: text of fast');
    expect(text).toContain('other: ❔ no cluster');
  });
});
