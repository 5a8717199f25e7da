import type { Finding, Owner } from '@larry/contracts';

/** Who owns an object, in one phrase. */
export function ownerText(owner: Owner): string {
  switch (owner.kind) {
    case 'helm':
      return `Helm release ${owner.namespace}/${owner.release}${owner.chart ? ` (chart ${owner.chart})` : ''}`;
    case 'flux':
      return `Flux ${owner.resource}`;
    case 'argocd':
      return `Argo CD application ${owner.application}`;
    case 'k3s-addon':
      return `k3s add-on ${owner.addon}${owner.source ? ` (${owner.source})` : ''}`;
    case 'k3s-helmchart':
      return `k3s HelmChart ${owner.namespace}/${owner.chart}`;
    case 'controller':
      return `${owner.ref.kind} ${owner.ref.namespace ? `${owner.ref.namespace}/` : ''}${owner.ref.name}`;
    case 'manifest':
      return `file ${owner.file}${owner.line ? `:${owner.line}` : ''}`;
    case 'none':
      return owner.lastManager ? `nobody (last written by ${owner.lastManager})` : 'nobody';
    case 'unknown':
      return `unknown (${owner.reason})`;
  }
}

/** The change to make: a heading that says where, the text to use, and a note. */
export interface RemedyText {
  where: string;
  body?: string;
  language?: 'yaml' | 'sh' | 'json' | 'diff';
  note?: string;
}

/** The exact change of a finding as text, for every kind of output. */
export function remedyText({ remedy }: Finding): RemedyText {
  const note = 'note' in remedy && remedy.note ? { note: remedy.note } : {};
  switch (remedy.layer) {
    case 'helm-value':
      return {
        where: `values of Helm release ${remedy.namespace}/${remedy.release}`,
        body: remedy.command ? `${remedy.values.trimEnd()}\n# ${remedy.command}` : remedy.values.trimEnd(),
        language: 'yaml',
        ...note,
      };
    case 'manifest':
      return {
        where: remedy.file ? `${remedy.file}${remedy.line ? `:${remedy.line}` : ''}` : 'the manifest that it is applied from',
        ...(remedy.diff ? { body: remedy.diff.trimEnd(), language: 'diff' as const } : { body: remedy.yaml.trimEnd(), language: 'yaml' as const }),
        ...note,
      };
    case 'patch':
      return { where: 'the object itself', body: remedy.command, language: 'sh', ...note };
    case 'none':
      return { where: `no change of Larry's: ${remedy.reason}` };
  }
}
