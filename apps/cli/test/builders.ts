import type { ApprovalView, LarryReport, LarryStatus, RunStatusView, RunSummary, TaskReport, TaskResult, TaskStatusView } from '@larry/contracts';
import type { EventLine } from '../src/run/event-line';

const startedAt = '2026-01-02T03:04:05.000Z';

export function aTask(task: Partial<TaskStatusView> = {}): TaskStatusView {
  return { task: 'fix-pgadmin-crashloop', title: 'Repair', larry: 'larry-01', worker: 'cleanup-worker', node: 'local (planned k3s-worker01)', plannedNode: 'k3s-worker01', status: 'in_progress', attempt: 1, startedAt, ...task };
}

export function aLarry(larry: Partial<LarryStatus> = {}): LarryStatus {
  return { larry: 'larry-01', title: 'Infrastructure & Database Operations', status: 'in_progress', progress: 50, completed: 2, failed: 0, skipped: 1, total: 4, didWork: '2 of 4 tasks did work', workersActive: 1, startedAt, ...larry };
}

export function anApproval(approval: Partial<ApprovalView> = {}): ApprovalView {
  const asks = { summary: 'Set PGADMIN_DEFAULT_EMAIL', objects: ['Deployment database/pgadmin'], diff: '/spec\n- "a"\n+ "b"' };
  return { task: 'fix-pgadmin-crashloop', larry: 'larry-01', digest: '37e02466b644'.padEnd(64, '0'), asks, attempt: 1, deadline: '2026-01-03T03:04:05.000Z', ...approval };
}

/** A run of three Larrys and as many tasks as wanted, the first three of which are active. */
export function aStatus(status: Partial<RunStatusView> = {}, tasks = 16): RunStatusView {
  const all = Array.from({ length: tasks }, (_, i) => aTask({ task: `task-${i + 1}`, larry: `larry-0${(i % 3) + 1}`, ...(i >= 3 ? { status: 'pending', startedAt: undefined } : {}) }));
  return {
    run: 'run-20260102-030405-a1b2c3',
    mode: 'ask',
    status: 'running',
    plan: { id: '3-larry', title: '3-Larry distributed orchestration', hash: 'f'.repeat(64) },
    startedAt,
    deadline: '2026-01-02T04:04:05.000Z',
    now: '2026-01-02T03:05:35.000Z',
    lastEventId: '1-0',
    didWork: '6 of 16 tasks did work',
    larrys: [aLarry(), aLarry({ larry: 'larry-02', title: 'Security & Compliance', status: 'completed', progress: 100 }), aLarry({ larry: 'larry-03', title: 'Development & Inventory', status: 'failed', failed: 1, progress: 12 })],
    tasks: all,
    converge: aTask({ task: 'converge', larry: 'meta-coordinator', node: 'local', status: 'pending', startedAt: undefined }),
    budget: [
      { node: 'run', limit: 478_000, reserve: 0, used: 1200, held: 0, drawn: 0 },
      { node: 'larry-02', parent: 'run', limit: 66_000, reserve: 15_000, used: 1200, held: 0, drawn: 0 },
      { node: 'larry-02/scan', parent: 'larry-02', limit: 9000, reserve: 0, used: 1200, held: 0, drawn: 0 },
    ],
    approvals: [],
    reportReady: false,
    ...status,
  };
}

export function anEvent(event: Partial<EventLine['event']> & { event?: string } = {}, id = '1-0'): EventLine {
  return { id, event: { id: 'x/1/task_complete', from: 'larry-01', event: 'task_complete', timestamp: startedAt, run: 'run-1', task_id: 'fix-pgadmin-crashloop', attempt: 1, ...event } };
}

export function aResult(result: Partial<TaskResult> = {}): TaskResult {
  return { task: 'fix-pgadmin-crashloop', outcome: 'completed', summary: 'done', startedAt, endedAt: '2026-01-02T03:05:05.000Z', figures: { workloads: 3 }, criteria: [], findings: [], changes: [], unknowns: [], artifacts: {}, ...result };
}

export function aTaskReport(task: Partial<TaskReport> = {}): TaskReport {
  return { task: 'fix-pgadmin-crashloop', title: 'Repair', worker: 'cleanup-worker', node: 'local', status: 'completed', attempts: 1, startedAt, endedAt: '2026-01-02T03:05:05.000Z', plannedMinutes: 10, result: aResult(), ...task };
}

export function aReport(report: Partial<LarryReport> = {}): LarryReport {
  return {
    kind: 'LarryReport',
    version: 1,
    larry: 'larry-01',
    title: 'Infrastructure',
    run: 'run-1',
    source: { type: 'live', name: 'prod (https://10.0.0.1:6443)', simulated: false },
    status: 'completed',
    startedAt,
    completedAt: '2026-01-02T03:05:05.000Z',
    didWork: 1,
    tasks: [aTaskReport()],
    tokens: { used: 0, limit: 86_000 },
    ...report,
  };
}

export function aSummary(summary: Partial<RunSummary> = {}): RunSummary {
  return {
    kind: 'LarryRunSummary',
    version: 1,
    run: 'run-1',
    plan: { id: '3-larry', title: '3-Larry', hash: 'f'.repeat(64) },
    mode: 'observe',
    source: { type: 'live', name: 'prod (https://10.0.0.1:6443)', simulated: false },
    status: 'completed',
    startedAt,
    endedAt: '2026-01-02T03:06:05.000Z',
    didWork: { done: 1, of: 1 },
    larrys: [aReport(), aReport({ larry: 'larry-02', tasks: [aTaskReport({ task: 'security-scan-group-01', result: aResult({ task: 'security-scan-group-01' }) })] })],
    validations: [],
    crossChecks: [],
    tokens: [{ node: 'run', used: 0, limit: 478_000, overshoot: 0 }],
    lessons: [],
    nextSteps: [],
    ...summary,
  };
}
