import type { Criterion, CrossCheck, TaskReport, TaskResult } from '@larry/contracts';

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

/** The mark of a task: ✅ needs work done and every criterion met. */
export function taskMark(task: TaskReport): string {
  if (task.status === 'skipped') return '⏭️';
  if (task.status === 'failed') return '❌';
  if (task.status !== 'completed' || !task.result) return '❔';
  return worstMark(task.result.criteria);
}

/** The mark of a cross-check. */
export function crossCheckMark(check: CrossCheck): string {
  return { agrees: '✅', differs: '❌', unknown: '❔' }[check.verdict];
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

/** The legend that goes with every report. */
export const legend = '✅ met, with its observation · ❌ not met · ⏳ provisional · ❔ unknown · ⏭️ skipped, no work done';
