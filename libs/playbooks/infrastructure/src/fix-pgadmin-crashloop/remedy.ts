import { describeRef, printable, type Owner, type PlannedChange, type Remedy } from '@larry/contracts';
import { kubectlPatch, repairedEmail } from '@larry/diagnosis';
import type { PgadminFacts, WorkloadFacts } from './facts';
import type { Options } from './options';
import { containerAt, type PgadminCause } from './pgadmin-cause';

/** The categories of the changes that this task makes. */
export const categories = ['workload-env', 'workload-security-context'] as const;

/** A change of the workload's own fields, before it is decided at which layer it belongs. */
export interface FieldChange {
  category: (typeof categories)[number];
  summary: string;
  /** JSON patch without the tests. */
  patch: Record<string, unknown>[];
  depends: string[];
  /** The fields as they should be, for a manifest. */
  yaml: string;
  /** The values for the chart `pgadmin4` of runix, whose values are known. */
  chartValues: string;
  note?: string;
}

/** The change that mends a cause in the workload itself, or why there is none. */
export function fieldChange(cause: PgadminCause, workload: WorkloadFacts, options: Options): FieldChange | { none: string } {
  const pgadmin = workload.pgadmin as PgadminFacts;
  if (cause.id === 'pgadmin_invalid_email') return emailChange(workload, pgadmin, options);
  if (cause.id === 'pgadmin_data_not_writable') return fsGroupChange(pgadmin);
  return {
    none: 'the missing value is a secret that only you can choose: put e-mail and password into a Secret and name its keys in env, or add the missing key',
  };
}

function emailChange(workload: WorkloadFacts, pgadmin: PgadminFacts, options: Options): FieldChange | { none: string } {
  const { email } = pgadmin;
  const wanted = wantedEmail(pgadmin, options);
  if (email.source !== 'literal' || email.at === undefined) {
    const where = email.from ? `${email.source === 'secret' ? 'Secret' : 'ConfigMap'} ${workload.ref.namespace}/${email.from.name}, key ${email.from.key}` : 'outside of the workload';
    return { none: `the address stands in ${where}: set it there to one that PgAdmin accepts, as ${wanted}` };
  }
  const at = containerAt(pgadmin);
  return {
    category: 'workload-env',
    summary: `Set PGADMIN_DEFAULT_EMAIL to ${wanted}`,
    patch: [{ op: 'replace', path: `${email.at}/value`, value: wanted }],
    depends: [`${at}/name`, `${at}/image`, `${email.at}/name`, `${email.at}/value`],
    yaml: nested([...pathParts(pgadmin.podSpecAt), 'containers'], [`- name: ${JSON.stringify(pgadmin.container)}`, '  env:', '    - name: PGADMIN_DEFAULT_EMAIL', `      value: ${JSON.stringify(wanted)}`]),
    chartValues: `env:\n  email: ${JSON.stringify(wanted)}\n`,
    note: options.pgadminEmail
      ? 'you log in with it'
      : `you log in with it, and PgAdmin sends password resets to it: set the option pgadminEmail to choose your own`,
  };
}

/** The address that PgAdmin is to have. */
export function wantedEmail(pgadmin: PgadminFacts, options: Options): string {
  return options.pgadminEmail ?? repairedEmail(pgadmin.email.value, options.pgadminEmailDomain);
}

function fsGroupChange(pgadmin: PgadminFacts): FieldChange | { none: string } {
  const { data, podSpecAt } = pgadmin;
  if (data.readOnly) return { none: 'the volume at /var/lib/pgadmin is mounted read-only: mount it writable' };
  if (data.volume === undefined) return { none: 'no volume is mounted at /var/lib/pgadmin: the image itself does not let user 5050 write there' };
  if (data.volume === 'hostPath') return { none: 'Kubernetes does not apply fsGroup to a hostPath: give the directory on the node to user 5050 (chown 5050:5050)' };
  if (data.fsGroup !== undefined) {
    return { none: `fsGroup is ${data.fsGroup} already, so the volume's driver does not apply it: give the volume's directory to user 5050 (chown 5050:5050)` };
  }
  const context = `${podSpecAt}/securityContext`;
  return {
    category: 'workload-security-context',
    summary: 'Set fsGroup 5050 so that PgAdmin may write its volume',
    patch: data.hasPodSecurityContext ? [{ op: 'add', path: `${context}/fsGroup`, value: 5050 }] : [{ op: 'add', path: context, value: { fsGroup: 5050 } }],
    depends: [`${containerAt(pgadmin)}/image`, `${containerAt(pgadmin)}/volumeMounts`, `${podSpecAt}/volumes`, context],
    yaml: nested([...pathParts(podSpecAt), 'securityContext'], ['fsGroup: 5050']),
    chartValues: 'securityContext:\n  runAsUser: 5050\n  runAsGroup: 5050\n  fsGroup: 5050\n',
  };
}

/** The change at the layer that owns the workload. */
export function remedyFor(cause: PgadminCause, workload: WorkloadFacts, options: Options): Remedy {
  const change = fieldChange(cause, workload, options);
  if ('none' in change) return { layer: 'none', reason: printable(change.none, 500) };
  const note = change.note ? { note: change.note } : {};
  const { owner } = workload;
  switch (owner.kind) {
    case 'unknown':
      return { layer: 'manifest', yaml: change.yaml, note: `who owns it is unknown (${owner.reason}): change it where it is applied from` };
    case 'none':
      return { layer: 'patch', target: workload.ref, patchType: 'json', patch: change.patch, command: kubectlPatch(workload.ref, change.patch), ...note };
    case 'manifest':
      return { layer: 'manifest', file: owner.file, ...(owner.line ? { line: owner.line } : {}), yaml: change.yaml, ...note };
    case 'helm':
      return isKnownChart(owner.chart)
        ? { layer: 'helm-value', release: owner.release, namespace: owner.namespace, values: change.chartValues, ...note }
        : { layer: 'none', reason: printable(`${ownerText(owner)} owns it: ${change.summary} by the value that the chart has for it, which this version does not know`, 500) };
    case 'controller':
      return { layer: 'none', reason: printable(`${ownerText(owner)} owns it and would undo a change here. There: ${change.summary}`, 500) };
    case 'flux':
    case 'argocd':
    case 'k3s-addon':
    case 'k3s-helmchart':
      return { layer: 'manifest', ...(owner.kind === 'k3s-addon' && owner.source ? { file: owner.source } : {}), yaml: change.yaml, note: `in the source of ${ownerText(owner)}; a change in the cluster would be undone` };
  }
}

/** Who owns it, for people. */
export function ownerText(owner: Owner): string {
  switch (owner.kind) {
    case 'helm':
      return `the Helm release ${owner.namespace}/${owner.release}${owner.chart ? ` (chart ${owner.chart})` : ''}`;
    case 'flux':
      return `the Flux resource ${owner.resource}`;
    case 'argocd':
      return `the Argo CD application ${owner.application}`;
    case 'k3s-addon':
      return `the k3s AddOn ${owner.addon}`;
    case 'k3s-helmchart':
      return `the k3s HelmChart ${owner.namespace}/${owner.chart}`;
    case 'controller':
      return describeRef(owner.ref);
    case 'manifest':
      return owner.file;
    case 'none':
      return 'nothing';
    case 'unknown':
      return `an owner that is unknown (${owner.reason})`;
  }
}

/** Planned steps touch nothing that something else owns, and nothing that only the configuration suggests. */
export function plannedFor(cause: PgadminCause, workload: WorkloadFacts, options: Options, step: string): PlannedChange | undefined {
  const change = fieldChange(cause, workload, options);
  if ('none' in change || workload.owner.kind !== 'none' || workload.ref.kind === 'Pod' || cause.confidence < 0.9) return undefined;
  return {
    step,
    summary: printable(`${change.summary} of ${describeRef(workload.ref)}`, 500),
    verb: 'patch',
    target: workload.ref,
    patch: change.patch,
    depends: change.depends,
    category: change.category,
    alwaysAsk: false,
  };
}

function isKnownChart(chart: string | undefined): boolean {
  return /^pgadmin4(?:-v?\d.*)?$/.test(chart ?? '');
}

const pathParts = (pointer: string): string[] => pointer.split('/').slice(1);

/** YAML of lines below the keys that lead to them. */
function nested(keys: string[], lines: string[]): string {
  const all = [...keys.map((key, depth) => `${'  '.repeat(depth)}${key}:`), ...lines.map((line) => `${'  '.repeat(keys.length)}${line}`)];
  return `${all.join('\n')}\n`;
}
