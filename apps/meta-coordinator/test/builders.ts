import { planBudget, type BudgetNode } from '@larry/budget';
import { parsePlan, taskResultSchema, type AppliedChange, type BudgetUsage, type Finding, type Plan, type PlannedChange, type TaskResult } from '@larry/contracts';
import { runSpecOf } from '@larry/coordinator';
import type { PhaseState, RunSnapshot, TaskRecord, TaskState } from '@larry/coordination';
import type { ApprovalRequest } from '@larry/playbook';
import type { RunFacts } from '../src/converge/gather';

/** Two Larrys, three tasks, 100 tokens. */
export const planDocument = {
  version: 1,
  id: 'two-larrys',
  title: 'Two Larrys',
  totalTokens: 100,
  nodes: { masters: ['m1'], workers: ['w1', 'w2'] },
  larrys: [
    {
      id: 'larry-01',
      title: 'Infrastructure',
      node: 'm1',
      workerNodes: ['w1'],
      minutes: 5,
      budget: { personal: 10, workers: 10, reserve: 5 },
      tasks: [{ id: 'repair', worker: 'repair-worker', tokens: 10, minutes: 5, title: 'Repair it', with: { strict: true } }],
    },
    {
      id: 'larry-02',
      title: 'Inventory',
      node: 'm1',
      workerNodes: ['w2'],
      minutes: 5,
      budget: { personal: 10, workers: 20, reserve: 5 },
      tasks: [
        { id: 'count', worker: 'count-worker', tokens: 10, minutes: 5 },
        { id: 'draw', worker: 'draw-worker', tokens: 10, minutes: 5, needs: ['count'] },
      ],
    },
  ],
  metaCoordinator: { minutes: 5, budget: { personal: 30, reserve: 10 } },
};

export function aPlan(): Plan {
  const parsed = parsePlan(planDocument);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.plan;
}

export function aResult(task: string, result: Partial<TaskResult> = {}): TaskResult {
  return taskResultSchema.parse({
    task,
    outcome: 'completed',
    summary: `${task} is done`,
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:02.000Z',
    figures: {},
    criteria: [],
    findings: [],
    changes: [],
    unknowns: [],
    artifacts: {},
    ...result,
  });
}

export function aFinding(finding: Partial<Finding> = {}): Finding {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' };
  return {
    id: 'rule/database/pgadmin',
    rule: 'rule',
    task: 'repair',
    severity: 'high',
    title: 'PgAdmin does not run',
    object,
    owner: { kind: 'none' },
    evidence: [{ object, at: '.status', value: 'x' }],
    remedy: { layer: 'manifest', yaml: 'kind: Deployment\nspec: fixed' },
    confidence: 1,
    references: [],
    also: [],
    ...finding,
  };
}

/** What a worker is parked with. */
export function aRequest(change: Partial<PlannedChange> = {}): ApprovalRequest {
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' };
  const patch = [{ op: 'replace', path: '/spec/email', value: 'b' }];
  const planned: PlannedChange = { step: 'set-email', summary: 'Set the e-mail address', verb: 'patch', target, patch, depends: ['/spec/email'], category: 'workload-env', alwaysAsk: false, ...change };
  return { summary: 'It crashes.', changes: [{ change: planned, uid: 'u1', observed: [['/spec/email', 'a']] }] };
}

export function aChange(change: Partial<AppliedChange> = {}): AppliedChange {
  return {
    id: 'run-1/repair/set-email',
    summary: 'Set the e-mail address',
    target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' },
    outcome: 'verified',
    digest: 'ab'.repeat(32),
    diff: '- a\n+ b',
    ...change,
  };
}

const started = Date.parse('2026-01-01T00:00:00.000Z');

/** A run in which every task completed, with what differs. */
export function someFacts(parts: { results?: TaskResult[]; tasks?: Record<string, Partial<TaskRecord>>; budget?: BudgetUsage[] } = {}): RunFacts {
  const plan = aPlan();
  const results = new Map((parts.results ?? [aResult('repair'), aResult('count'), aResult('draw')]).map((r) => [r.task, r]));
  const states = runSpecOf(plan, 'run-1', 'auto').tasks.map((task): TaskState => ({
    task: task.id,
    larry: task.larry,
    worker: task.worker,
    node: task.node,
    status: 'completed',
    attempt: 1,
    claimable: false,
    converge: false,
    ...parts.tasks?.[task.id],
  }));
  const records = states.map((state): TaskRecord => ({ ...state, startedAt: started, endedAt: started + 2000, ...parts.tasks?.[state.task], result: results.get(state.task) }));
  return { plan, mode: 'auto', results, records: new Map(records.map((r) => [r.task, r])), snapshot: aSnapshot(plan, states), budget: parts.budget ?? unspent(plan) };
}

function aSnapshot(plan: Plan, tasks: TaskState[]): RunSnapshot {
  const phases = plan.larrys.map(({ id: larry }): PhaseState => {
    const own = tasks.filter((t) => t.larry === larry);
    const [completed = 0, failed = 0, skipped = 0] = (['completed', 'failed', 'skipped'] as const).map((s) => own.filter((t) => t.status === s).length);
    const ended = completed + failed + skipped === own.length;
    const status = ended ? (failed > 0 ? 'failed' : 'completed') : 'in_progress';
    return { larry, status, total: own.length, completed, failed, skipped, progress: Math.floor((completed * 100) / own.length), startedAt: started, endedAt: ended ? started + 3000 : undefined };
  });
  return { now: started + 4000, run: { run: 'run-1', mode: 'auto', planHash: 'hash', status: 'running', createdAt: started, deadline: started + 60_000, phases }, tasks };
}

function unspent(plan: Plan): BudgetUsage[] {
  const flat = (node: BudgetNode, parent?: string): BudgetUsage[] => [
    { node: node.id, ...(parent ? { parent } : {}), limit: node.limit, reserve: node.reserve ?? 0, used: 0, held: 0, drawn: 0 },
    ...(node.children ?? []).flatMap((child) => flat(child, node.id)),
  ];
  return flat(planBudget(plan));
}
