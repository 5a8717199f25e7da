import type { Command } from 'commander';

/** The words by which a command finds the run it speaks with. */
export function runAddress(command: Command): Command {
  return stateFolder(command.option('--api <url>', 'a meta-coordinator, for example http://127.0.0.1:8080; LARRY_TOKEN names who asks (default: the run under --state)'));
}

/** `--state`, the folder of a run on this machine. */
export function stateFolder(command: Command): Command {
  return command.option('--state <dir>', 'the folder of a run on this machine', '.larry');
}

/** The end of a command's help. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((l) => `  ${l}`).join('\n')}`;
}
