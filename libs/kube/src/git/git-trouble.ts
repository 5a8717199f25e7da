import { printable, redactText } from '@larry/contracts';

/** What git could not do, as one sentence that says what helps. Pure. */
export function gitTrouble(what: string, stderr: string, branch: string): string {
  const lock = /Unable to create '([^']+\.lock)': File exists/.exec(stderr)?.[1];
  if (lock !== undefined) return `${printable(redactText(lock), 300)} is there: another git works on the branch, or died while it did; once none runs, remove that file`;
  const inTheWay = /'refs\/heads\/([^']+)' exists; cannot create/.exec(stderr)?.[1];
  if (inTheWay !== undefined) return branchInTheWay(inTheWay, branch);
  if (/Read-only file system|Permission denied|insufficient permission|unable to (?:create|write)/i.test(stderr)) return `the repository cannot be written (${firstLine(stderr)}): Larry needs the rights of whoever commits there`;
  if (/No space left|Disk quota exceeded/i.test(stderr)) return `there is no room for it in the repository (${firstLine(stderr)})`;
  return `git ${what}: ${firstLine(stderr)}`;
}

/** Git keeps branches as files and folders: a name cannot be both. */
export function branchInTheWay(other: string, branch: string): string {
  return `there is a branch ${printable(other, 200)}, so that Git can make none named ${branch}: rename it (git branch -m ${printable(other, 200)} OTHER)`;
}

function firstLine(stderr: string): string {
  const line = stderr.split('\n').find((l) => l.trim() !== '') ?? 'it was ended, or did not say why';
  return printable(redactText(line.replace(/^(?:fatal|error): /, '')), 300);
}
