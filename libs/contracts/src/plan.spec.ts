import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { parsePlan, plannedNode, planTasks, type Plan } from './plan';
import { criticalPathMinutes } from './plan-time';

const text = readFileSync(path.join(__dirname, '../../../plans/3-larry.yaml'), 'utf8');
const document = (): Plan => parse(text) as Plan;

function problemsOf(change: (plan: Plan) => void): string[] {
  const plan = document();
  change(plan);
  const parsed = parsePlan(plan);
  return 'problems' in parsed ? parsed.problems.map((p) => `${p.path}: ${p.message}`) : [];
}

const larry = (plan: Plan, i: number) => plan.larrys[i] as Plan['larrys'][number];
const task = (plan: Plan, l: number, t: number) => larry(plan, l).tasks[t] as Plan['larrys'][number]['tasks'][number];

describe('the default plan', () => {
  it('is valid and has three Larrys and sixteen workers', () => {
    const parsed = parsePlan(document());
    if (!('plan' in parsed)) throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.plan.larrys).toHaveLength(3);
    expect(planTasks(parsed.plan)).toHaveLength(16);
  });

  it("has the quick start's totals", () => {
    const { larrys, totalTokens } = document();
    expect(totalTokens).toBe(478_000);
    expect(larrys.map((l) => l.budget.personal + l.budget.workers)).toEqual([86_000, 66_000, 166_000]);
  });

  it('plans inventory workers for k3s-worker03 and development workers for k3s-worker04', () => {
    const parsed = parsePlan(document());
    if (!('plan' in parsed)) throw new Error('not valid');
    const nodes = Object.fromEntries(planTasks(parsed.plan).map((t) => [t.id, plannedNode(parsed.plan, t)]));
    expect(nodes).toMatchObject({ 'catalog-deployments': 'k3s-worker03', 'review-prs': 'k3s-worker04', 'fix-pgadmin-crashloop': 'k3s-worker01' });
  });

  it('takes as long as its longest chain and the convergence', () => {
    const parsed = parsePlan(document());
    if (!('plan' in parsed)) throw new Error('not valid');
    // dependency-audit 20 → automated-remediation 25 → review-prs 15, then 10 for the convergence.
    expect(criticalPathMinutes(parsed.plan)).toBe(70);
  });
});

describe('a plan that cannot be used names the place and what to do', () => {
  it.each<[string, (plan: Plan) => void, RegExp]>([
    ['a circle', (p) => (task(p, 0, 1).needs = ['optimize-postgresql']), /in a circle: .*consolidate-postgresql.*optimize-postgresql/],
    ['an unknown task', (p) => (task(p, 0, 2).needs = ['nothing-of-the-kind']), /larrys\[0\]\.tasks\[2\]\.needs\[0\]: there is no task "nothing-of-the-kind"/],
    ['an unknown node', (p) => (larry(p, 1).node = 'k3s-master09'), /larrys\[1\]\.node: node "k3s-master09" is not among/],
    ["a task's node that is not its Larry's", (p) => (task(p, 2, 0).node = 'k3s-worker01'), /larrys\[2\]\.tasks\[0\]\.node: .*larry-03's workerNodes/],
    ['budgets that do not add up', (p) => (larry(p, 0).budget.workers = 1), /larrys\[0\]\.budget\.workers: says 1, but its tasks' tokens add up to 36000/],
    ['a total that does not add up', (p) => (p.totalTokens = 5), /totalTokens: says 5/],
    ['an id that is used twice', (p) => (task(p, 1, 0).id = 'review-prs'), /task id "review-prs" is used twice/],
    ['an id with a capital letter', (p) => (task(p, 0, 0).id = 'Fix'), /larrys\[0\]\.tasks\[0\]\.id: must be lower-case/],
    ['a field that is misspelt', (p) => Object.assign(task(p, 0, 0), { need: [] }), /larrys\[0\]\.tasks\[0\]/],
  ])('%s', (_what, change, expected) => {
    expect(problemsOf(change).join('\n')).toMatch(expected);
  });
});
