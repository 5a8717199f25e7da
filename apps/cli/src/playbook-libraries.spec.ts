import type { Plan } from '@larry/contracts';
import { readPlan } from './plan-file';
import { requireCategories, requirePlaybooks } from './playbook-libraries';
import { UserError } from './user-error';

/** The default plan with one task of larry-01 renamed. */
function planWith(id: string): Plan {
  const plan = structuredClone(readPlan());
  const task = plan.larrys[0]?.tasks[0];
  if (task) task.id = id;
  return plan;
}

describe('requirePlaybooks', () => {
  it('knows every task of the default plan, also those that are not built yet', () => {
    expect(() => requirePlaybooks(readPlan(), true)).not.toThrow();
  });

  it('names the task that nobody knows, and its Larry', () => {
    for (const byLarry of [true, false]) {
      expect(() => requirePlaybooks(planWith('make-coffee'), byLarry)).toThrow(UserError);
      expect(() => requirePlaybooks(planWith('make-coffee'), byLarry)).toThrow('larry-01 has no playbook "make-coffee"');
    }
  });

  it('names whose playbook it is when another Larry has it; in one process that is no matter', () => {
    expect(() => requirePlaybooks(planWith('review-prs'), true)).toThrow(`larry-01 has no playbook "review-prs": it is one of larry-03's`);
    expect(() => requirePlaybooks(planWith('review-prs'), false)).not.toThrow();
  });
});

describe('requireCategories', () => {
  it('knows those that playbooks make, and lists them for one that none makes', () => {
    expect(() => requireCategories(['workload-env', 'workload-security-context'])).not.toThrow();
    expect(() => requireCategories([])).not.toThrow();
    expect(() => requireCategories(['workload-env', 'foo'])).toThrow(/--allow names "foo", which no playbook makes; the categories of change are .*workload-env, .*workload-security-context/);
  });
});
