import { displayWidth } from '@larry/reports';
import { aLarry, anApproval, anEvent, aStatus, aTask } from '../../test/builders';
import { dashboardText, duration, type DashboardStatus, type DashboardStyle } from './dashboard';

const now = new Date('2026-01-02T03:05:35.000Z');
const style: DashboardStyle = { columns: 80, rows: 24, colour: false, simulated: false, now };
const events = Array.from({ length: 30 }, (_, i) => anEvent({ task_id: `task-${i}` }, `${i}-0`));
const figures = { 'larry-02': { critical: 3, high: 10, medium: 0, low: 2 }, 'larry-03': { assets_discovered: 173, releases: 9 } };

function linesOf(status: DashboardStatus, more: Partial<DashboardStyle> = {}, log = events): string[] {
  return dashboardText(status, log, { ...style, ...more }).split('\n');
}

/** What a terminal shows: without the sequences that only colour. */
const shown = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '');

describe('the dashboard', () => {
  it('shows at 80×24 each Larry, findings, inventory, tokens, active tasks with their seconds, and the last events', () => {
    const text = linesOf({ ...aStatus(), figures }).join('\n');
    expect(text).toMatch(/larry-01 +█{6}░{3}·{3} +50 % in_progress 2 of 4 done, 1 skipped, 1 working/);
    expect(text).toMatch(/larry-02 +█{12} 100 % completed/);
    expect(text).toContain('3 critical · 10 high · 0 medium · 2 low');
    expect(text).toContain('173 resources · 9 Helm releases');
    expect(text).toContain('1200 of 478000 · larry-02 1200');
    expect(text).toMatch(/task-1 +working +1:30 local \(planned k3s-worker01\)/);
    expect(text).toContain('Active (3)');
    expect(text).toContain('task-29');
    expect(text).not.toContain('task-15\n');
  });

  it('says that nothing is known before a task has said it, and never zero', () => {
    const text = linesOf(aStatus()).join('\n');
    expect(text).toContain('nothing scanned yet');
    expect(text).toContain('nothing counted yet');
  });

  it.each([
    [80, 24],
    [80, 10],
    [40, 12],
    [200, 60],
    [120, 24],
    [119, 24],
    [20, 5],
    [500, 200],
  ])('stays within %i × %i, whatever is to be shown, with and without colour', (columns, rows) => {
    const wide = '日本語🔥'.repeat(40);
    const full = aStatus({ approvals: Array.from({ length: 9 }, () => anApproval({ task: wide })), plan: { id: 'x', title: wide, hash: '' }, larrys: Array.from({ length: 6 }, () => aLarry({ larry: wide, title: wide })) }, 40);
    for (const status of [aStatus(), aStatus({}, 0), full]) {
      for (const colour of [true, false]) {
        const lines = linesOf(status, { columns, rows, colour, simulated: true }).map(shown);
        expect(lines.length).toBeLessThanOrEqual(rows);
        expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(columns);
        expect(lines[0]).toContain('SIMULATED');
      }
    }
  });

  it('gives up events first, then tasks', () => {
    const count = (rows: number): { tasks: number; log: number } => {
      const lines = linesOf(aStatus(), { rows });
      return { tasks: lines.filter((l) => /^ {2}task-/.test(l)).length, log: lines.filter((l) => /task_complete/.test(l)).length };
    };
    expect(count(24).tasks).toBe(3);
    expect(count(24).log).toBeGreaterThan(count(17).log);
    expect(count(17).tasks).toBe(3);
    expect(count(15).tasks).toBeLessThan(3);
    expect(count(15).log).toBe(2);
  });

  it('says how many tasks it does not show', () => {
    expect(linesOf(aStatus(), { rows: 14 }).join('\n')).toMatch(/Active \(3, [12] more\)/);
  });

  it('says of a task that waits for another attempt, could not start or failed why, cut to the width', () => {
    const reason = 'it could not start within 120 s: Unschedulable: 0/7 nodes are available';
    const tasks = [aTask({ task: 'waits', status: 'pending', attempt: 1, startedAt: undefined, reason }), aTask({ task: 'broken', status: 'failed', reason }), aTask({ task: 'done', status: 'completed', attempt: 2, reason })];
    const lines = linesOf(aStatus({ tasks }), { columns: 60, rows: 60 }, []);
    const under = (task: string): string | undefined => lines[lines.findIndex((l) => l.startsWith(`  ${task} `)) + 1];
    expect(under('waits')).toMatch(/^ {6}it could not start within 120 s: Unschedulable.*…$/);
    expect(under('broken')).toBe(under('waits'));
    expect(under('done')).not.toContain('could not start');
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(60);
    expect(linesOf(aStatus({ tasks }), { columns: 60, rows: 13 }).join('\n')).not.toContain('could not start');
    const hostile = dashboardText(aStatus({ tasks: [aTask({ status: 'failed', reason: 'evil\u001b[2J\u202e\r\nreason' })] }), [], { ...style, rows: 60 });
    expect(hostile).toContain('reason');
    expect(hostile).not.toMatch(/[\u001b\u202e\r]/);
  });

  it.each([
    ['a worker that starts', 'claimed', 31, 'starting: overdue'],
    ['a worker at work', 'in_progress', 31, 'working: overdue'],
    ['one whose lease has only just ended', 'in_progress', 29, undefined],
    ['one that waits for its next attempt', 'pending', 600, undefined],
  ] as const)('marks what no coordinator takes back, long after its lease ended: %s', (_, status, seconds, said) => {
    const task = aTask({ task: 'late', status, due: new Date(now.getTime() - 1000 * seconds).toISOString() });
    const line = linesOf(aStatus({ tasks: [task] }), { rows: 60 }, []).find((l) => l.includes('late')) ?? '';
    if (said) expect(line).toContain(said);
    else expect(line).not.toContain('overdue');
  });

  it('shows every task, the convergence too, where there is room', () => {
    const text = linesOf(aStatus(), { rows: 60 }).join('\n');
    expect(text).toContain('Tasks (3 active)');
    expect(text).toMatch(/task-16 +pending/);
    expect(text).toMatch(/converge +pending/);
  });

  it('puts events beside the tasks and titles beside the Larrys on a wide terminal', () => {
    const lines = linesOf(aStatus(), { columns: 200, rows: 30 });
    expect(lines.some((l) => /task-1 .*task_complete/.test(l))).toBe(true);
    expect(lines.some((l) => l.includes('Infrastructure & Database Operations'))).toBe(true);
  });

  it('says what to type for each open approval, and how many more there are', () => {
    const text = linesOf(aStatus({ approvals: [anApproval()] })).join('\n');
    expect(text).toContain('Waiting for you (1)');
    expect(text).toMatch(/  (npx )?larry approve 37e02466b644 {2}fix-pgadmin-crashloop: Set PGADMIN_DEF/);
    expect(linesOf(aStatus({ approvals: Array.from({ length: 5 }, () => anApproval()) }), { address: { state: '/tmp/x' } }).join('\n')).toMatch(/\(5, 2 more: (npx )?larry status --state \/tmp\/x\).*\n {2}(npx )?larry approve 37e02466b644 --state \/tmp\/x /);
  });

  it('says SIMULATED only of a simulated cluster', () => {
    expect(linesOf(aStatus(), { simulated: true })[0]).toMatch(/SIMULATED/);
    expect(linesOf(aStatus()).join('\n')).not.toMatch(/SIMULATED/);
  });

  it('holds no escape sequence without colour, and colours what matters with it', () => {
    expect(dashboardText({ ...aStatus(), figures }, events, style)).not.toContain('\u001b');
    const coloured = dashboardText({ ...aStatus(), figures }, [anEvent({ event: 'critical_cve' })], { ...style, colour: true });
    expect(coloured).toMatch(/\u001b\[31m Security/);
    expect(coloured).toMatch(/\u001b\[32m larry-02/);
    expect(shown(coloured)).not.toContain('\u001b');
  });

  it('lets no name of a cluster, a plan or a worker reach the terminal as a command', () => {
    const hostile = '\u001b[2J\u001b]52;c;ZXZpbA==\u0007\u202e\r\n\u0090evil';
    const status = aStatus({
      run: hostile,
      mode: 'ask',
      plan: { id: hostile, title: hostile, hash: hostile },
      didWork: hostile,
      abortedBy: hostile,
      status: 'aborted',
      larrys: [aLarry({ larry: hostile, title: hostile })],
      tasks: [aTask({ task: hostile, node: hostile, reason: hostile })],
      approvals: [anApproval({ task: hostile, digest: hostile, asks: { summary: hostile, objects: [], diff: '' } })],
      budget: [{ node: 'run', limit: 1, reserve: 0, used: 1, held: 0, drawn: 0 }, { node: hostile, parent: 'run', limit: 1, reserve: 0, used: 1, held: 0, drawn: 0 }],
    });
    for (const columns of [80, 200]) {
      const text = dashboardText(status, [anEvent({ task_id: hostile })], { ...style, columns, notice: hostile });
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(text.split('\n').length).toBeLessThanOrEqual(24);
    }
  });

  it('says why something that waits cannot be approved', () => {
    const text = linesOf(aStatus({ approvals: [anApproval({ asks: undefined, problem: 'it does not fit' })] })).join('\n');
    expect(text).toContain('cannot be approved: 37e02466b644  fix-pgadmin-crashloop: it does not fit');
  });

  it('says at the bottom what Ctrl-C does, that the connection is gone, or that the run has ended', () => {
    expect(linesOf(aStatus(), { keys: 'Ctrl-C stops the run.' }).at(-1)).toContain('Ctrl-C stops the run.');
    expect(linesOf(aStatus(), { keys: 'x', notice: 'no answer' }).at(-1)).toContain('no answer');
    expect(linesOf(aStatus({ status: 'completed', reportReady: true })).at(-1)).toContain('larry report');
    expect(linesOf(aStatus({ status: 'aborted', abortedBy: 'ada' })).at(-1)).toContain('Aborted by ada');
  });

  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1:00'],
    [3599, '59:59'],
    [3661, '1:01:01'],
    [Number.NaN, ''],
  ])('writes %i seconds as %j', (seconds, text) => expect(duration(seconds)).toBe(text));
});
