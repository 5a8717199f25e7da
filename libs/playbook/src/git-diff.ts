import { printable, shownLine, type GitBranch } from '@larry/contracts';

/** @internal A branch as people read it: where, the commit's message, and the file's change with secrets struck out. */
export function gitLines({ branch, file, before, after, declares, message, diff }: GitBranch): string[] {
  const about = `${declares.kind} ${declares.namespace ? `${declares.namespace}/` : ''}${declares.name}`;
  return [
    printable(`a commit on the new branch ${branch}, which changes ${file} (${about}) from blob ${before.slice(0, 12)} to ${after.slice(0, 12)}; nothing is pushed`, 1500),
    ...message.trimEnd().split('\n').map((line) => `  ${printable(line, 300)}`),
    ...diff.trimEnd().split('\n').map((line) => shownLine(line)),
  ];
}
