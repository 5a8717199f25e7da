import { createHash } from 'node:crypto';
import path from 'node:path';
import { canonicalJson, type BudgetUsage } from '@larry/contracts';
import type { RedisClient, ScriptRunner } from '@larry/redis';
import { BudgetError } from './errors';
import { budgetKeys, tokenViewKeys, type BudgetKeys } from './keys';
import { openOutcome, reserveOutcome, settleOutcome, type OpenOutcome, type ReserveOutcome, type SettleOutcome } from './outcomes';
import { flattenTree, type BudgetNode, type LedgerNode } from './tree';

/** The longest life of a reservation, in milliseconds: a provider request lasts minutes. */
export const maxReservationTtlMs = 60 * 60 * 1000;

/** One request to reserve. */
export interface Reservation {
  readonly node: string;
  /** The same in every repetition of this request, and never used for another. */
  readonly id: string;
  /** The most that the request can use: its prompt and its output limit. */
  readonly tokens: number;
  /** After this the tokens are free again; use that is settled later counts all the same. Milliseconds. */
  readonly ttlMs: number;
}

/**
 * The token budget of one run: a tree of nodes in Redis. One reservation per provider request, settled with the provider's
 * own usage. Every method may be repeated, also when its reply was lost. Grants never exceed a node's limit; use may, by
 * the overshoot of the requests in flight. Failures of Redis are the errors of `@larry/redis`; on `RedisUnavailableError`
 * repeat with the same id.
 */
export class TokenLedger {
  private readonly keys: BudgetKeys;
  private readonly scripts: ScriptRunner;
  private readonly run: string;

  constructor(
    private readonly redis: RedisClient,
    options: { readonly run: string },
  ) {
    this.run = options.run;
    this.keys = budgetKeys(redis);
    this.scripts = redis.scripts(path.join(__dirname, 'lua'));
  }

  /**
   * Writes the tree, unless it stands already. The ledger of an earlier run is replaced; a run that is not the current one
   * (`{larry}:run`) gets `wrong-run`.
   * @throws BudgetError where the tree does not add up, or this run has another one
   */
  async open(tree: BudgetNode): Promise<OpenOutcome> {
    const nodes = flattenTree(tree);
    const views = nodes.filter(isLarry).flatMap(({ id }) => Object.values(tokenViewKeys(this.redis, id)));
    const digest = createHash('sha256').update(canonicalJson(tree)).digest('hex');
    const { ledger, open, run, recorded } = this.keys;
    const fields = ledgerFields(nodes).flat().map(String);
    const reply = await this.scripts.run('open', [ledger, open, run, recorded], [this.run, digest, JSON.stringify(views), JSON.stringify(fields)]);
    return openOutcome(reply, this.run);
  }

  /** @throws BudgetError where there is no such node, or a figure is none */
  async reserve({ node, id, tokens, ttlMs }: Reservation): Promise<ReserveOutcome> {
    checkId(id);
    checkWhole('tokens', tokens, 1, 1e9);
    checkWhole('ttlMs', ttlMs, 1, maxReservationTtlMs);
    const { ledger, open, events } = this.keys;
    const reply = await this.scripts.run('reserve', [ledger, open, events], [this.run, id, node, tokens, ttlMs, this.redis.prefix]);
    return reserveOutcome(reply, node);
  }

  /** Counts what a request really used, by the provider's word. @throws BudgetError where a figure is none */
  async settle({ id, used }: { readonly id: string; readonly used: number }): Promise<SettleOutcome> {
    checkId(id);
    checkWhole('used', used, 0, 1e9);
    const { ledger, open, events } = this.keys;
    return settleOutcome(await this.scripts.run('settle', [ledger, open, events], [this.run, id, used, this.redis.prefix]));
  }

  /** Frees what every due reservation holds, ten a step. Returns how many expired. */
  async expire(): Promise<number> {
    let expired = 0;
    for (let step = 10; step === 10; expired += step) {
      step = Number(await this.scripts.run('expire', [this.keys.ledger, this.keys.open], []));
    }
    return expired;
  }

  /** The figures of every node as of one moment, in the order of the tree; empty where the ledger is of another run. */
  async usage(): Promise<BudgetUsage[]> {
    const [run, ...values] = (await this.scripts.run('view', [this.keys.ledger], [])) as string[];
    if (run !== this.run) return [];
    const nodes: BudgetUsage[] = [];
    for (let at = 0; at < values.length; at += 8) nodes.push(usageOf(values.slice(at, at + 8)));
    return nodes;
  }

  /** Writes `tokens:<larry>:used` and `:limit` for every child of the root, each alone. Returns the figures. */
  async writeViews(): Promise<BudgetUsage[]> {
    const nodes = await this.usage();
    const root = nodes.find((node) => node.parent === undefined)?.node;
    const larrys = nodes.filter((node) => node.parent !== undefined && node.parent === root);
    await Promise.all(
      larrys.flatMap(({ node, used, limit }) => {
        const keys = tokenViewKeys(this.redis, node);
        return [this.redis.commands.set(keys.used, used), this.redis.commands.set(keys.limit, limit)].map((reply) => this.redis.named(reply));
      }),
    );
    return nodes;
  }
}

/** A child of the root, whose tokens are shown as views. */
function isLarry({ chain }: LedgerNode): boolean {
  return chain.length === 2;
}

function ledgerFields(nodes: readonly LedgerNode[]): [string, string | number][] {
  const fields = nodes.flatMap((node): [string, string | number][] => [
    [`limit:${node.id}`, node.limit],
    [`own:${node.id}`, node.own],
    [`chain:${node.id}`, node.chain.join(' ')],
    ...(node.larry ? ([[`larry:${node.id}`, node.larry]] as [string, string][]) : []),
    ...(node.pool ? ([[`pool:${node.id}`, node.pool]] as [string, string][]) : []),
    ...(node.lastResort ? ([['lastresort', node.id]] as [string, string][]) : []),
  ]);
  return [['nodes', nodes.map(({ id }) => id).join(' ')], ...fields];
}

function usageOf(values: readonly string[]): BudgetUsage {
  const [node = '', limit, own, used, held, drawn, opened, chain = ''] = values;
  const reserve = Number(limit) - Number(own);
  const parent = chain.split(' ')[1];
  return {
    node,
    ...(parent === undefined ? {} : { parent }),
    limit: Number(own) + (opened ? reserve : 0),
    reserve,
    used: Number(used),
    held: Number(held),
    drawn: Number(drawn),
    ...(opened ? { deployedAt: Number(opened) } : {}),
  };
}

function checkId(id: string): void {
  if (!/^\S{1,300}$/.test(id)) throw new BudgetError(`the reservation id "${id.slice(0, 50)}" must be 1 to 300 characters without spaces`);
}

function checkWhole(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) throw new BudgetError(`${field} must be a whole number from ${least} to ${most}, not ${value}`);
}
