import { runSummarySchema, type Validation } from '@larry/contracts';
import { lessons, nextSteps } from '@larry/reports';
import { aChange, aFinding, aResult, someFacts } from '../../test/builders';
import { larryReport } from './larry-report';
import { findingsOf, LastRunFile, sinceLast, sourceKey, type LastRun } from './last-run';
import { claimsOf, runSummary } from './run-summary';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const source = { type: 'live' as const, name: 'sim (http://127.0.0.1:6443)', simulated: true };
const endedAt = '2026-01-01T00:01:00.000Z';

function summaryOf(facts = someFacts(), more: Partial<Parameters<typeof runSummary>[0]> = {}) {
  return runSummary({ facts, source, validations: [], crossChecks: [], leftOut: [], endedAt, ...more });
}

function aValidation(validation: Partial<Validation> = {}): Validation {
  return { task: 'repair', larry: 'larry-01', at: endedAt, criteria: [], turned: [], ...validation };
}

describe('the summary', () => {
  it('is what the schema says, the same for the same parts, and counts only completed tasks as work', () => {
    const facts = someFacts({ results: [aResult('repair'), aResult('count')], tasks: { draw: { status: 'skipped', skipReason: 'not-built' } } });
    const summary = summaryOf(facts);
    expect(runSummarySchema.parse(summary)).toEqual(summary);
    expect(summaryOf(facts)).toEqual(summary);
    expect(summary.didWork).toEqual({ done: 2, of: 3 });
    expect(summary.status).toBe('completed');
    expect(summary.tokens.map((t) => t.node)).toEqual(['run', 'larry-01', 'larry-02', 'meta-coordinator']);
  });

  it('failed when a phase failed', () => {
    expect(summaryOf(someFacts({ tasks: { repair: { status: 'failed', reason: 'no way' } } })).status).toBe('failed');
  });

  it('shows overshoot of tokens', () => {
    const budget = someFacts().budget.map((b) => (b.node === 'larry-01' ? { ...b, used: b.limit + 7 } : b));
    expect(summaryOf(someFacts({ budget })).tokens.find((t) => t.node === 'larry-01')).toMatchObject({ overshoot: 7 });
  });

  it('asks for the validation of a task that failed and has a change that stands', () => {
    const claimed = (outcome: 'provisional' | 'rolled-back') => {
      const facts = someFacts({ results: [aResult('repair', { outcome: 'failed', changes: [aChange({ outcome })] })], tasks: { repair: { status: 'failed', reason: 'one was rolled back' } } });
      const report = larryReport('larry-01', { ...facts, source });
      return report && claimsOf(report, facts).map((c) => c.task);
    };
    expect(claimed('provisional')).toEqual(['repair']);
    expect(claimed('rolled-back')).toEqual([]);
  });

  it('asks for the validation of completed tasks, with their options, and of none that failed and says nothing', () => {
    const facts = someFacts({ tasks: { draw: { status: 'failed' } } });
    const claims = ['larry-01', 'larry-02'].flatMap((l) => {
      const report = larryReport(l, { ...facts, source });
      return report ? claimsOf(report, facts) : [];
    });
    expect(claims.map((c) => [c.task, c.options])).toEqual([['repair', { strict: true }], ['count', {}]]);
  });
});

describe('the report of one Larry', () => {
  it('says of each task where it ran, what became of it and why', () => {
    const facts = someFacts({ results: [aResult('repair')], tasks: { repair: { attempt: 2 }, count: { status: 'skipped', skipReason: 'timed-out', startedAt: undefined, endedAt: undefined } } });
    const report = larryReport('larry-02', { ...facts, source });
    expect(report).toMatchObject({ kind: 'LarryReport', larry: 'larry-02', didWork: 1, tokens: { used: 0, limit: 30 } });
    expect(report?.tasks[0]).toEqual({ task: 'count', title: 'count', worker: 'count-worker', node: 'local (planned w2)', status: 'skipped', skipReason: 'timed-out', attempts: 1, plannedMinutes: 5 });
    expect(larryReport('larry-01', { ...facts, source })?.tasks[0]).toMatchObject({ title: 'Repair it', attempts: 2, startedAt: '2026-01-01T00:00:00.000Z' });
  });

  it('is none for a Larry that the plan does not have', () => {
    expect(larryReport('larry-09', { ...someFacts(), source })).toBeUndefined();
  });
});

describe('lessons', () => {
  const said = (facts = someFacts(), validations: Validation[] = []) => {
    const { larrys } = summaryOf(facts);
    return lessons({ larrys, validations, crossChecks: [], budget: facts.budget, leftOut: ['left out'] }).join('\n');
  };
  const changed = (...changes: ReturnType<typeof aChange>[]) => someFacts({ results: [aResult('repair', { changes }), aResult('count'), aResult('draw')] });

  it('are few for a run in which all went well', () => {
    expect(said()).toBe('No model was asked: 0 tokens used, every result comes from rules\nleft out');
  });

  it.each([
    ['skipped tasks by reason', said(someFacts({ tasks: { count: { status: 'skipped', skipReason: 'not-built' }, draw: { status: 'skipped', skipReason: 'dependency' } } })), /1 task did no work, not-built: count\n1 task did no work, dependency: draw/],
    ['failures with their reason', said(someFacts({ tasks: { repair: { status: 'failed', attempt: 3, reason: 'it will not' } } })), /repair failed after 3 attempts: it will not/],
    ['retries', said(someFacts({ tasks: { repair: { attempt: 2 } } })), /repair needed 2 attempts/],
    ['turned claims', said(someFacts(), [aValidation({ turned: ['ready', 'calm'] })]), /2 claims did not hold when looked at again: repair\/ready, repair\/calm/],
    ['what could not be looked at again', said(someFacts(), [aValidation({ problem: 'no answer' })]), /repair could not be looked at again: no answer/],
    ['refused changes', said(changed(aChange({ outcome: 'refused', reason: 'denied by ada' }))), /1 change refused or denied: run-1\/repair\/set-email \(denied by ada\)/],
    ['unknown outcomes', said(changed(aChange({ outcome: 'outcome-unknown' }))), /1 change with an unknown outcome/],
    ['unread kinds once, with every task', said(someFacts({ results: [aResult('repair', { unknowns: [{ subject: 'Secret', reason: 'forbidden' }] }), aResult('count', { unknowns: [{ subject: 'Secret', reason: 'forbidden' }] })] })), /1 thing could not be read and counts as unknown, not as fine: Secret: forbidden \(repair, count\)/],
    ['late tasks', said(someFacts({ tasks: { repair: { endedAt: Date.parse('2026-01-01T00:06:00Z') } } })), /repair took 6\.0 minutes, and 5 were planned/],
    ['an opened reserve', said(someFacts({ budget: someFacts().budget.map((b) => (b.node === 'larry-01' ? { ...b, deployedAt: 1 } : b)) })), /The reserve of larry-01 was opened: 5 tokens/],
    ['a missing ledger', said(someFacts({ budget: [] })), /token ledger of this run is not there/],
  ])('name %s', (_, text, expected) => expect(text).toMatch(expected));
});

describe('next steps', () => {
  const steps = (result: Parameters<typeof aResult>[1], validations: Validation[] = [], simulated = false) => {
    const { larrys } = summaryOf(someFacts({ results: [aResult('repair', result), aResult('count'), aResult('draw')] }));
    return nextSteps({ larrys: larrys.map((l) => ({ ...l, source: { ...l.source, simulated } })), validations });
  };
  const provisional = { id: 'calm', text: '0 restarts', verdict: 'provisional' as const, reason: '12 of 30 minutes seen' };
  const notMet = { id: 'ready', text: 'PgAdmin is ready', verdict: 'not-met' as const, observation: { subject: 'Deployment database/pgadmin', value: '0 ready', at: endedAt } };

  it('are none where nothing is open', () => expect(steps({})).toEqual([]));

  it.each([
    ['a decision', steps({ changes: [aChange({ outcome: 'awaiting-approval' })] }), [/larry approve abababababab or larry deny abababababab/]],
    ['a look at what is not known', steps({ changes: [aChange({ outcome: 'outcome-unknown', reason: 'cut off' })] }), [/Deployment database\/pgadmin.*not known \(cut off\)/]],
    ['what turned, with what was seen', steps({ criteria: [{ ...notMet, verdict: 'met' }] }, [aValidation({ criteria: [notMet], turned: ['ready'] })]), [/claimed "PgAdmin is ready", which does not hold any more: Deployment database\/pgadmin: 0 ready/]],
    ['the worst findings with their remedy, worst first', steps({ findings: [aFinding(), aFinding({ id: 'b', severity: 'critical', title: 'Root' }), aFinding({ id: 'c', severity: 'low' })] }), [/^CRITICAL Root .*: kind: Deployment ⏎ spec: fixed$/, /^HIGH PgAdmin does not run/]],
    ['no accepted findings', steps({ findings: [aFinding({ accepted: { owner: 'ada', reason: 'r', expires: '2027-01-01' } })] }), []],
    ['proposed changes', steps({ changes: [aChange({ outcome: 'proposed' })] }), [/1 change is proposed and not made: run again in mode ask.*Set the e-mail address/]],
    ['what is provisional', steps({ criteria: [provisional] }), [/larry verify, for "0 restarts" of repair: 12 of 30 minutes seen/]],
    ['nothing of what was provisional and is met now', steps({ criteria: [provisional] }, [aValidation({ criteria: [{ ...notMet, id: 'calm', verdict: 'met' }] })]), []],
  ])('name %s', (_, lines, expected) => {
    expect(lines).toHaveLength(expected.length);
    expected.forEach((pattern, i) => expect(lines[i]).toMatch(pattern));
  });

  it('do not send anybody to a simulated cluster that is gone', () => {
    const [line] = steps({ criteria: [provisional] }, [], true);
    expect(line).toMatch(/^Not closed by this run.*--keep.*larry report and larry audit verify need no cluster.*"0 restarts" of repair/);
  });

  it('say how many more grave findings there are', () => {
    const lines = steps({ findings: Array.from({ length: 8 }, (_, i) => aFinding({ id: String(i) })) });
    expect(lines).toHaveLength(6);
    expect(lines[5]).toContain('3 more findings');
  });
});

describe('since the last run', () => {
  const larrys = summaryOf(someFacts({ results: [aResult('repair', { findings: [aFinding({ id: 'a', title: 'A' }), aFinding({ id: 'b', title: 'B' })] })] })).larrys;
  const last = (findings: LastRun['findings'], run = 'run-0'): LastRun => ({ version: 1, run, source: 's', endedAt, findings });

  it.each([
    ['nothing without one', undefined, undefined],
    ['new and gone by id', last([{ id: 'b', title: 'B, said otherwise' }, { id: 'c', title: 'C' }]), { previousRun: 'run-0', new: ['A'], gone: ['C'] }],
    ['no change', last([{ id: 'a', title: 'A' }, { id: 'b', title: 'B' }]), { previousRun: 'run-0', new: [], gone: [] }],
    ['nothing when it is this run', last([], 'run-1'), undefined],
  ])('%s', (_, previous, expected) => expect(sinceLast(previous, larrys, 'run-1')).toEqual(expected));

  it('leaves accepted findings out', () => {
    const accepted = aFinding({ accepted: { owner: 'ada', reason: 'r', expires: '2027-01-01' } });
    expect(findingsOf(summaryOf(someFacts({ results: [aResult('repair', { findings: [accepted] })] })).larrys)).toEqual([]);
  });

  it('takes a simulated cluster for the same whatever its port, and a real one by its name', () => {
    expect(sourceKey(source)).toBe(sourceKey({ ...source, name: 'sim (http://127.0.0.1:9999)' }));
    expect(sourceKey({ ...source, simulated: false })).not.toBe(sourceKey({ ...source, simulated: false, name: 'other' }));
  });

  it('is kept in a file for each source, written whole', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-last-run-'));
    try {
      const files = new LastRunFile(path.join(folder, 'state'));
      expect(await files.read(source)).toBeUndefined();
      const facts = someFacts({ results: [aResult('repair', { findings: [aFinding({ id: 'a', title: 'A' })] })] });
      await files.write(summaryOf(facts));
      expect(await files.read({ ...source, name: 'sim, restarted' })).toMatchObject({ run: 'run-1', findings: [{ id: 'a', title: 'A' }] });
      expect(await files.read({ ...source, simulated: false })).toBeUndefined();
      const [file, ...others] = readdirSync(path.join(folder, 'state'));
      expect(others).toEqual([]);
      writeFileSync(path.join(folder, 'state', file as string), '{"version":1,"run":');
      expect(await files.read(source)).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
