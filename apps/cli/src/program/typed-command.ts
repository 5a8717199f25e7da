import { onPath } from '../local/on-path';

/** How a command found its run: what another command has to be told as well. */
export interface TypedAddress {
  api?: string;
  state?: string;
}

/** The folder of a run on this machine where none is named. */
export const defaultState = '.larry';

/** `npx larry approve 37e02466b644 --state /tmp/x`: a command that does what it says when it is typed as it stands. */
export function typedCommand(words: string, { api, state }: TypedAddress): string {
  const address = api ? ` --api ${shellWord(api)}` : state !== undefined && state !== defaultState ? ` --state ${shellWord(state)}` : '';
  return `${programName()} ${words}${address}`;
}

/** npm puts the clone's own programs on PATH, for as long as it runs; a person's shell has them not. */
function programName(): string {
  return process.env['npm_command'] === undefined && onPath('larry') ? 'larry' : 'npx larry';
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
