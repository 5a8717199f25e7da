import { z } from 'zod';

const id = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits and dashes, at most 63 characters');
const tokens = z.number().int().nonnegative();
const minutes = z.number().positive().max(24 * 60);

/** A success criterion as data; `id` is what the playbook reports a verdict for. */
export const planCriterionSchema = z.strictObject({ id, text: z.string().max(500) });

/** One task, done by one worker. The task's id is its playbook's id and its folder's name. */
export const planTaskSchema = z.strictObject({
  id,
  title: z.string().max(200).optional(),
  /** The name of the worker, and so of its Job: `cleanup-worker`. */
  worker: id,
  /** Tokens that the task may spend, in model tokens. */
  tokens,
  minutes,
  /** Tasks that must have completed first; a dependent of one that did not is skipped. */
  needs: z.array(id).default([]),
  /** Tasks that must have ended first, however. */
  after: z.array(id).default([]),
  /** Attempts in all; errors of the task use them up. */
  attempts: z.number().int().min(1).max(10).default(3),
  /** The node that the worker is planned for, when it differs from its Larry's. */
  node: id.optional(),
  criteria: z.array(planCriterionSchema).default([]),
  /** Options for the playbook; checked by the playbook's own schema. */
  with: z.record(z.string(), z.unknown()).default({}),
});
export type PlanTask = z.infer<typeof planTaskSchema>;

/** One coordinator and its domain. */
export const planLarrySchema = z.strictObject({
  id,
  title: z.string().max(200),
  /** Node of the coordinator. */
  node: id,
  /** Nodes of its workers; a task's own `node` must be one of them. */
  workerNodes: z.array(id).min(1),
  minutes,
  budget: z.strictObject({
    /** Tokens of the coordinator and its master agents. */
    personal: tokens,
    /** Parts of `personal`, by master agent; they add up to it. */
    agents: z.record(z.string(), tokens).default({}),
    /** Tokens of all its workers together; the tasks' `tokens` add up to it. */
    workers: tokens,
    reserve: tokens,
  }),
  tasks: z.array(planTaskSchema).min(1),
});
export type PlanLarry = z.infer<typeof planLarrySchema>;

/** The plan of a run: `plans/3-larry.yaml`. */
export const planSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  id,
  title: z.string().max(200),
  /** The sum of every budget below, in model tokens. */
  totalTokens: tokens,
  /** Nodes of the cluster that the plan speaks of. */
  nodes: z.strictObject({ masters: z.array(id).min(1), workers: z.array(id).min(1) }),
  larrys: z.array(planLarrySchema).min(1),
  metaCoordinator: z.strictObject({
    minutes,
    budget: z.strictObject({ personal: tokens, reserve: tokens }),
  }),
  risks: z.array(z.strictObject({ risk: z.string(), mitigation: z.string() })).default([]),
});
export type Plan = z.infer<typeof planSchema>;

/** The task that the meta-coordinator does when every phase has ended. No plan may use this id. */
export const convergeTask = 'converge';

/** Something wrong with a plan: where (a path into the document, `larrys[1].tasks[0].needs[0]`) and what to do. */
export interface PlanProblem {
  path: string;
  message: string;
}

/** A task with the Larry it belongs to. */
export type OwnedTask = PlanTask & { larry: string };

/** Every task of a plan with its Larry, in the order of the document. */
export function planTasks(plan: Plan): OwnedTask[] {
  return plan.larrys.flatMap((larry) => larry.tasks.map((task) => ({ ...task, larry: larry.id })));
}

/** The node a task's worker is planned for. */
export function plannedNode(plan: Plan, task: OwnedTask): string {
  return task.node ?? plan.larrys.find((l) => l.id === task.larry)?.workerNodes[0] ?? 'unknown';
}

/**
 * Checks a document against the schema and the rules that a schema cannot say: ids that stand twice, unknown tasks,
 * cycles, nodes that do not exist, budgets that do not add up. Returns every problem at once, or the plan.
 */
export function parsePlan(document: unknown): { plan: Plan } | { problems: PlanProblem[] } {
  const parsed = planSchema.safeParse(document);
  if (!parsed.success) {
    return { problems: parsed.error.issues.map((i) => ({ path: pathText(i.path), message: i.message })) };
  }
  const plan = parsed.data;
  const problems = [...duplicateIds(plan), ...unknownTasks(plan), ...unknownNodes(plan), ...budgetSums(plan)];
  return problems.length > 0 ? { problems } : withoutCycles(plan);
}

function withoutCycles(plan: Plan): { plan: Plan } | { problems: PlanProblem[] } {
  const cycle = findCycle(plan);
  if (!cycle) return { plan };
  return { problems: [{ path: 'larrys', message: `the tasks wait for each other in a circle: ${cycle.join(' → ')}; remove one "needs" or "after"` }] };
}

function duplicateIds(plan: Plan): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const seen = { larry: new Set<string>(), task: new Set<string>([convergeTask]), worker: new Set<string>() };
  const note = (kind: keyof typeof seen, value: string, path: string) => {
    if (seen[kind].has(value)) problems.push({ path, message: `${kind} id "${value}" is used twice; give it another` });
    seen[kind].add(value);
  };
  plan.larrys.forEach((larry, l) => {
    note('larry', larry.id, `larrys[${l}].id`);
    larry.tasks.forEach((task, t) => {
      note('task', task.id, `larrys[${l}].tasks[${t}].id`);
      note('worker', `${larry.id}-${task.worker}`, `larrys[${l}].tasks[${t}].worker`);
    });
  });
  return problems;
}

function unknownTasks(plan: Plan): PlanProblem[] {
  const known = new Set(planTasks(plan).map((t) => t.id));
  const problems: PlanProblem[] = [];
  plan.larrys.forEach((larry, l) =>
    larry.tasks.forEach((task, t) => {
      for (const field of ['needs', 'after'] as const) {
        task[field].forEach((other, i) => {
          if (!known.has(other)) {
            problems.push({ path: `larrys[${l}].tasks[${t}].${field}[${i}]`, message: `there is no task "${other}" in this plan` });
          }
        });
      }
    }),
  );
  return problems;
}

function unknownNodes(plan: Plan): PlanProblem[] {
  const all = [...plan.nodes.masters, ...plan.nodes.workers];
  const problems: PlanProblem[] = [];
  const check = (node: string, among: string[], path: string, where: string) => {
    if (!among.includes(node)) problems.push({ path, message: `node "${node}" is not among ${where}: ${among.join(', ')}` });
  };
  plan.larrys.forEach((larry, l) => {
    check(larry.node, all, `larrys[${l}].node`, "the plan's nodes");
    larry.workerNodes.forEach((n, i) => check(n, all, `larrys[${l}].workerNodes[${i}]`, "the plan's nodes"));
    larry.tasks.forEach((task, t) => {
      if (task.node) check(task.node, larry.workerNodes, `larrys[${l}].tasks[${t}].node`, `${larry.id}'s workerNodes`);
    });
  });
  return problems;
}

function budgetSums(plan: Plan): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const expectSum = (sum: number, said: number, path: string, what: string) => {
    if (sum !== said) problems.push({ path, message: `says ${said}, but ${what} add up to ${sum}; change one of them` });
  };
  plan.larrys.forEach((larry, l) => {
    const at = `larrys[${l}].budget`;
    const agents = Object.values(larry.budget.agents);
    if (agents.length > 0) expectSum(total(agents), larry.budget.personal, `${at}.personal`, 'its agents');
    expectSum(total(larry.tasks.map((t) => t.tokens)), larry.budget.workers, `${at}.workers`, "its tasks' tokens");
  });
  const meta = plan.metaCoordinator.budget;
  const everything =
    total(plan.larrys.flatMap(({ budget }) => [budget.personal, budget.workers, budget.reserve])) + meta.personal + meta.reserve;
  expectSum(everything, plan.totalTokens, 'totalTokens', 'the budgets of all Larrys and the meta-coordinator');
  return problems;
}

function findCycle(plan: Plan): string[] | undefined {
  const waitsFor = new Map(planTasks(plan).map((t) => [t.id, [...t.needs, ...t.after]]));
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (task: string): string[] | undefined => {
    const at = path.indexOf(task);
    if (at >= 0) return [...path.slice(at), task];
    if (done.has(task)) return undefined;
    path.push(task);
    for (const next of waitsFor.get(task) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(task);
    return undefined;
  };
  for (const task of waitsFor.keys()) {
    const cycle = visit(task);
    if (cycle) return cycle;
  }
  return undefined;
}

const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);

function pathText(path: PropertyKey[]): string {
  return path.map((p, i) => (typeof p === 'number' ? `[${p}]` : i === 0 ? String(p) : `.${String(p)}`)).join('') || '(document)';
}
