import { createHash } from 'node:crypto';
import { canonicalJson, describeRef, printable, redactText, type FileChange, type Finding, type PlannedChange } from '@larry/contracts';

const mostPointers = 5;

/** The same change as a commit on a branch of the repository that declares the object. Pure. */
export function branchOf(finding: Finding, change: FileChange, diff: string, { patch = [], ...planned }: PlannedChange): PlannedChange {
  const { file, before, after, edits } = change;
  const digest = createHash('sha256').update(canonicalJson({ file, before, after, edits })).digest('hex').slice(0, 8);
  const branch = `larry/${planned.step}-${digest}`;
  const summary = printable(`Commit on branch ${branch} for ${describeRef(finding.object)}: ${redactText(file)}`, 500);
  return { ...planned, summary, verb: 'git-branch', category: 'git-branch', git: { ...change, branch, message: messageOf(finding), wanted: patch, diff } };
}

/** A conventional commit. Of what was seen only the object's own fields: logs and events come and go, and a commit is read by more people than a report. */
function messageOf({ rule, object, title, evidence }: Finding): string {
  const subject = `fix(${object.namespace ?? object.kind.toLowerCase()}): repair ${object.kind} ${object.name} (${rule})`;
  const own = evidence.filter((e) => describeRef(e.object) === describeRef(object) && e.at.startsWith('.spec'));
  const pointers = [...new Set(own.map(({ at }) => at))].sort().slice(0, mostPointers);
  return [
    printable(redactText(subject), 72),
    '',
    printable(redactText(title), 400),
    ...(pointers.length > 0 ? ['', `Seen at ${describeRef(object)}:`, ...pointers.map((at) => `- ${printable(redactText(at), 200)}`)] : []),
    '',
  ].join('\n').slice(0, 2000);
}
