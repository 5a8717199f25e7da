import { compareSeverity, describeRef, type Criterion, type Finding, type LarryReport, type TaskReport, type Validation } from '@larry/contracts';
import { remedyText } from '../check/remedy-text';

/** What the next steps are drawn from. */
export interface NextStepFacts {
  larrys: readonly LarryReport[];
  validations: readonly Validation[];
}

const shownFindings = 5;

/** What a person can do next, most urgent first; each line follows from a fact of the run. Pure. */
export function nextSteps({ larrys, validations }: NextStepFacts): string[] {
  const tasks = larrys.flatMap((l) => l.tasks);
  return [...undecided(tasks), ...unclear(tasks), ...turned(validations), ...worstFindings(tasks), ...proposed(tasks), ...provisional(larrys, validations), ...rights(tasks)];
}

function undecided(tasks: readonly TaskReport[]): string[] {
  return changesOf(tasks, 'awaiting-approval').map((c) => `Decide on "${c.summary}": larry approve ${c.digest.slice(0, 12)} or larry deny ${c.digest.slice(0, 12)}`);
}

function unclear(tasks: readonly TaskReport[]): string[] {
  return changesOf(tasks, 'outcome-unknown').map((c) => `Look at ${describeRef(c.target)}: whether the change ${c.id} was made is not known${c.reason ? ` (${c.reason})` : ''}`);
}

function turned(validations: readonly Validation[]): string[] {
  return validations.flatMap((v) =>
    v.turned.map((id) => {
      const criterion = v.criteria.find((c) => c.id === id);
      return `${v.task} claimed "${criterion?.text ?? id}", which does not hold any more: ${seen(criterion)}`;
    }),
  );
}

function seen(criterion: Criterion | undefined): string {
  const { observation, reason } = criterion ?? {};
  if (observation) return `${observation.subject}: ${observation.value}`;
  return reason ?? 'it was not observed';
}

function worstFindings(tasks: readonly TaskReport[]): string[] {
  const open = tasks.flatMap((t) => t.result?.findings ?? []).filter((f) => !f.accepted);
  const grave = open.filter((f) => f.severity === 'critical' || f.severity === 'high').sort((a, b) => compareSeverity(a.severity, b.severity));
  const more = grave.length > shownFindings ? [`And ${grave.length - shownFindings} more findings of severity high or critical: larry report`] : [];
  return [...grave.slice(0, shownFindings).map(findingStep), ...more];
}

function findingStep(finding: Finding): string {
  const { where, body } = remedyText(finding);
  const first = (body ?? '').trim().split('\n');
  const change = first[0] ? `: ${first.slice(0, 3).join(' ⏎ ').slice(0, 300)}${first.length > 3 ? ' …' : ''}` : '';
  return `${finding.severity.toUpperCase()} ${finding.title} (${describeRef(finding.object)}): ${where}${change}`;
}

function proposed(tasks: readonly TaskReport[]): string[] {
  const changes = [...changesOf(tasks, 'proposed'), ...changesOf(tasks, 'dry-run-only')];
  if (changes.length === 0) return [];
  const some = changes.slice(0, 3).map((c) => c.summary).join('; ');
  return [`${changes.length} ${changes.length === 1 ? 'change is' : 'changes are'} proposed and not made: run again in mode ask to decide on each (${some}${changes.length > 3 ? '; …' : ''})`];
}

/** What is provisional now, or was at the end of its task where nobody looked again. A simulated cluster is gone by then. */
function provisional(larrys: readonly LarryReport[], validations: readonly Validation[]): string[] {
  return larrys.flatMap(({ source, tasks }) =>
    tasks.flatMap((t) => {
      const validation = validations.find((v) => v.task === t.task && !v.problem);
      const criteria = validation?.criteria ?? t.result?.criteria ?? [];
      const how = source.simulated
        ? 'Not closed by this run, and its simulated cluster goes with it (larry run --simulated --keep keeps it for larry verify; larry report and larry audit verify need no cluster):'
        : 'Later: larry verify, for';
      return criteria.filter((c) => c.verdict === 'provisional').map((c) => `${how} "${c.text}" of ${t.task}: ${c.reason ?? 'its time is not over'}`);
    }),
  );
}

function rights(tasks: readonly TaskReport[]): string[] {
  return tasks.filter((t) => t.skipReason === 'not-permitted').map((t) => `Give ${t.worker} the rights that ${t.task} needs, or leave it: ${t.reason ?? t.result?.summary ?? 'not permitted'}`);
}

function changesOf(tasks: readonly TaskReport[], outcome: 'awaiting-approval' | 'outcome-unknown' | 'proposed' | 'dry-run-only') {
  return tasks.flatMap((t) => t.result?.changes ?? []).filter((c) => c.outcome === outcome);
}
