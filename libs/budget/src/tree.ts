import type { Plan } from '@larry/contracts';
import { BudgetError } from './errors';

/** A node of the budget: the run, a Larry, a master agent or a worker's task. */
export interface BudgetNode {
  /** Unique in the tree; letters, digits and `. _ - / :`. `larry-01/fix-pgadmin-crashloop`. */
  readonly id: string;
  /** Tokens that this node and all below it may use, without its reserve. */
  readonly limit: number;
  /** Tokens kept back, for a child of the root only: opened once, when 90 % of `limit` is used. */
  readonly reserve?: number;
  /** Its reserve is the last one of all: drawn from when a Larry's own reserve is used up. At most one node. */
  readonly lastResort?: boolean;
  readonly children?: readonly BudgetNode[];
}

/** One node of the ledger, as it is stored. A reserve is a node of its own, `<larry>/reserve`. */
export interface LedgerNode {
  readonly id: string;
  /** Its reserve included. */
  readonly limit: number;
  /** Without its reserve. */
  readonly own: number;
  /** The node itself first, the root last. */
  readonly chain: readonly string[];
  /** The child of the root that it is or belongs to; none for the root. */
  readonly larry?: string;
  /** The node of its reserve. */
  readonly pool?: string;
  readonly lastResort?: boolean;
}

const maxTokens = 1e12;

/**
 * The nodes of a tree, each before its children.
 * @throws BudgetError naming the node that stands twice, is no number of tokens, or promises more than is above it
 */
export function flattenTree(root: BudgetNode): LedgerNode[] {
  if (root.reserve) throw new BudgetError(`budget node "${root.id}": the root has no reserve of its own`);
  const nodes = visit(root, []);
  const seen = new Set<string>();
  for (const { id } of nodes) {
    if (seen.has(id)) throw new BudgetError(`budget node "${id}" stands twice in the tree: give it another id`);
    seen.add(id);
  }
  const last = nodes.filter((node) => node.lastResort);
  if (last.length > 1) throw new BudgetError(`budget nodes ${last.map(({ id }) => `"${id}"`).join(' and ')} are both the last resort: only one can be`);
  return nodes;
}

function visit(node: BudgetNode, above: readonly string[]): LedgerNode[] {
  check(node, above.length);
  const reserve = node.reserve ?? 0;
  const chain = [node.id, ...above];
  const larry = chain.length > 1 ? chain[chain.length - 2] : undefined;
  const pool = reserve > 0 ? `${node.id}/reserve` : undefined;
  const self: LedgerNode = { id: node.id, limit: node.limit + reserve, own: node.limit, chain, larry, pool, lastResort: node.lastResort };
  const poolNode: LedgerNode[] = pool ? [{ id: pool, limit: reserve, own: reserve, chain: [pool, ...chain], larry }] : [];
  return [self, ...(node.children ?? []).flatMap((child) => visit(child, chain)), ...poolNode];
}

function check(node: BudgetNode, depth: number): void {
  const at = `budget node "${node.id}"`;
  if (!/^[A-Za-z0-9._:/-]{1,200}$/.test(node.id)) throw new BudgetError(`${at}: an id holds letters, digits and . _ - / : only`);
  for (const [field, value] of [['limit', node.limit], ['reserve', node.reserve ?? 0]] as const) {
    if (!Number.isInteger(value) || value < 0 || value > maxTokens) throw new BudgetError(`${at}: ${field} must be a whole number of tokens from 0 to ${maxTokens}, not ${value}`);
  }
  if (node.reserve && depth !== 1) throw new BudgetError(`${at}: only a child of the root has a reserve`);
  if (node.lastResort && !node.reserve) throw new BudgetError(`${at}: the last resort needs a reserve`);
  const promised = (node.children ?? []).reduce((sum, child) => sum + child.limit + (child.reserve ?? 0), 0);
  if (promised > node.limit) throw new BudgetError(`${at}: its children may use ${promised} tokens in all, and it has ${node.limit}`);
}

/** The root's id in the tree of a plan. */
export const runNode = 'run';
/** The meta-coordinator's id in the tree of a plan. */
export const metaNode = 'meta-coordinator';

/** The node of a worker's task. */
export function taskNode(larry: string, task: string): string {
  return `${larry}/${task}`;
}

/** The node of a master agent, or of all of a Larry's own tokens (`personal`) where its plan names no agents. */
export function agentNode(larry: string, agent = 'personal'): string {
  return `${larry}/agent:${agent}`;
}

/** The tree of a plan: the run, each Larry with its reserve, its agents and its tasks, and the meta-coordinator with the last resort. */
export function planBudget(plan: Plan): BudgetNode {
  const larrys = plan.larrys.map(({ id, budget, tasks }): BudgetNode => {
    const agents = Object.entries(budget.agents);
    const personal = agents.length > 0 ? agents.map(([name, limit]) => ({ id: agentNode(id, name), limit })) : [{ id: agentNode(id), limit: budget.personal }];
    return {
      id,
      limit: budget.personal + budget.workers,
      reserve: budget.reserve,
      children: [...personal, ...tasks.map((task) => ({ id: taskNode(id, task.id), limit: task.tokens }))],
    };
  });
  const { personal, reserve } = plan.metaCoordinator.budget;
  const meta: BudgetNode = { id: metaNode, limit: personal, reserve, lastResort: reserve > 0 };
  return { id: runNode, limit: plan.totalTokens, children: [...larrys, meta] };
}
