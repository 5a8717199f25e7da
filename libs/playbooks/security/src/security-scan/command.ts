import { groupOf, printable, type ObjectRef } from '@larry/contracts';

/** A word for a POSIX shell, whatever is in it. */
export function shellWord(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}

/** JSON that holds nothing but printable ASCII, so that it can be shown and pasted. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The `kubectl patch` command, or undefined when a name holds what no terminal should be given. */
export function patchCommand(
  target: ObjectRef,
  type: 'json' | 'merge' | 'strategic',
  patch: unknown,
): string | undefined {
  const group = groupOf(target.apiVersion);
  const object = `${target.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${target.name}`;
  const names = [object, target.namespace ?? ''];
  // Names that the API would refuse come from files only; a command with them could not work and must not be shown.
  if (names.some((n) => printable(n, 1000) !== n || /[^ -~]/.test(n))) return undefined;
  const namespace = target.namespace === undefined ? [] : [`--namespace=${shellWord(target.namespace)}`];
  return [
    'kubectl',
    'patch',
    shellWord(object),
    ...namespace,
    `--type=${type}`,
    `--patch=${shellWord(asciiJson(patch))}`,
  ].join(' ');
}
