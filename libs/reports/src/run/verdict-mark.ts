import type { Criterion, CrossCheck, RunSummary, TaskReport, TaskResult, Validation } from '@larry/contracts';

/** How a verdict is drawn. Only `met` with an observation is ✅; what is not known never looks fine. */
export function criterionMark(criterion: Criterion): string {
  switch (criterion.verdict) {
    case 'met':
      return criterion.observation ? '✅' : '❔';
    case 'not-met':
      return '❌';
    case 'provisional':
      return '⏳';
    case 'unknown':
      return '❔';
  }
}

/** The mark of a task: ✅ needs work done, every criterion met, and none of them turned when the run looked again. */
export function taskMark(task: TaskReport, validation?: Validation): string {
  if (task.status === 'skipped') return '⏭️';
  if (task.status === 'failed') return '❌';
  if (task.status !== 'completed' || !task.result) return '❔';
  if ((validation?.turned.length ?? 0) > 0) return '❌';
  return worstMark(task.result.criteria);
}

/** The mark of a cross-check; one that agrees without saying what was seen is not known to. */
export function crossCheckMark(check: CrossCheck): string {
  if (check.verdict === 'agrees' && !check.observation.trim()) return '❔';
  return { agrees: '✅', differs: '❌', unknown: '❔' }[check.verdict];
}

/** What looking again at a task came to: ✅ only where every criterion was seen to be met. */
export function validationMark(validation: Validation): { mark: string; text: string } {
  const { problem, turned, criteria } = validation;
  if (problem) return { mark: '❔', text: problem };
  if (turned.length > 0) return { mark: '❌', text: `turned: ${turned.join(', ')}` };
  if (criteria.length === 0) return { mark: '❔', text: 'there was nothing to look at' };
  const mark = worstMark(criteria);
  return { mark, text: mark === '✅' ? 'holds' : 'as it was claimed' };
}

function worstMark(criteria: TaskResult['criteria']): string {
  const marks = new Set(criteria.map(criterionMark));
  if (marks.size === 0) return '❔';
  return ['❌', '❔', '⏳'].find((m) => marks.has(m)) ?? '✅';
}

/** What was seen for a criterion, or why nothing was. */
export function criterionBasis(criterion: Criterion): string {
  const { observation, reason } = criterion;
  const seen = observation ? `${observation.subject} = ${observation.value}, seen ${observation.at}${observation.basis ? ` (${observation.basis})` : ''}` : '';
  return [seen, reason].filter(Boolean).join('; ');
}

/**
 * How a task's own criterion is drawn, with what stands behind it: as it was claimed, unless the run's validation turned it; then ❌ with
 * what was seen since, beside what was claimed.
 */
export function claimedCriterion(claimed: Criterion, validation?: Validation): { mark: string; basis: string } {
  if (!validation?.turned.includes(claimed.id)) return { mark: criterionMark(claimed), basis: criterionBasis(claimed) };
  const now = validation.criteria.find((c) => c.id === claimed.id);
  const basis = `turned when it was looked at again: ${now ? `${now.verdict}, ${criterionBasis(now)}` : 'not spoken of any more'} (claimed: ${claimed.verdict}, ${criterionBasis(claimed)})`;
  return { mark: '❌', basis };
}

/** What the run saw when it looked at a task again; undefined where it did not. */
export function validationOf({ validations }: RunSummary, { task }: TaskReport): Validation | undefined {
  return validations.find((v) => v.task === task);
}

/** The legend that goes with every report. */
export const legend = '✅ met, with its observation · ❌ not met · ⏳ provisional · ❔ unknown · ⏭️ skipped, no work done';
