import type { ObjectRef } from '@larry/contracts';

/** A word for a POSIX shell that means exactly this text. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** JSON without a character that a terminal would obey or hide. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The command that makes a JSON patch, ready to be typed. Names come from the cluster: each is quoted. */
export function kubectlPatch(ref: ObjectRef, patch: unknown): string {
  const group = ref.apiVersion.includes('/') ? `.${ref.apiVersion.split('/')[0]}` : '';
  const namespace = ref.namespace === undefined ? '' : ` --namespace=${shellQuote(ref.namespace)}`;
  const target = shellQuote(`${ref.kind.toLowerCase()}${group}/${ref.name}`);
  return `kubectl patch ${target}${namespace} --type=json --patch=${shellQuote(asciiJson(patch))}`;
}
