import { createHash } from 'node:crypto';
import { describeRef, printable, type FileChange, type Finding, type HelmUpgrade, type PlannedChange } from '@larry/contracts';
import { causeCodes } from '@larry/diagnosis';
import { writableKinds } from './access';
import { branchOf } from './branch-change';
import { kindOfChange } from './change-kinds';

type Operation = { op: string; path: string; value?: unknown };

/** A change that is planned for a finding, or the reason why there is none. */
export type Planned = { change: PlannedChange } | { refused: string };

/** What rests on a message of the system itself is above this; what only the configuration suggests is below. */
const surely = 0.9;
/** Where a person sees the change before it is made, and where it only gives more time: the cause may be less sure. */
const likely = 0.8;

/** Decides what Larry himself does about a finding. Pure. */
export function plannedFor(finding: Finding): Planned {
  const { remedy } = finding;
  switch (remedy.layer) {
    case 'none':
      return { refused: remedy.reason };
    case 'manifest':
      return remedy.change && remedy.diff ? branchFor(finding, remedy.change, remedy.diff, (remedy.wanted ?? []) as Operation[]) : { refused: 'it is changed where it is applied from; a change in the cluster would be undone' };
    case 'helm-value':
      if (finding.owner.kind !== 'helm') return { refused: 'something else drives its Helm release, and would undo an upgrade' };
      return remedy.upgrade ? upgradeFor(finding, remedy.upgrade, (remedy.wanted ?? []) as Operation[]) : { refused: `its Helm release ${remedy.namespace}/${remedy.release} owns it, and its values were not tried` };
    case 'patch':
      return finding.owner.kind === 'none' ? patchFor(finding, remedy.patch as Operation[], remedy.note ?? finding.title) : { refused: 'something else owns it' };
  }
}

/** The same change, made by the values of the release that owns the object: what a patch needs is needed here too. */
function upgradeFor(finding: Finding, helm: HelmUpgrade, wanted: Operation[]): Planned {
  const planned = patchFor(finding, wanted, finding.title);
  if ('refused' in planned) return planned;
  const { patch: _, ...change } = planned.change;
  const summary = printable(`Set ${helm.set.map(({ path }) => path.join('.')).join(', ')} of the Helm release ${helm.namespace}/${helm.release} for ${describeRef(finding.object)}`, 500);
  return { change: { ...change, summary, verb: 'helm-upgrade', helm, category: 'helm-value' } };
}

/** The same change, made by a commit in the repository: what a patch needs is needed here too. */
function branchFor(finding: Finding, change: FileChange, diff: string, wanted: Operation[]): Planned {
  const planned = patchFor(finding, wanted, finding.title);
  return 'refused' in planned ? planned : { change: branchOf(finding, change, diff, planned.change) };
}

function patchFor(finding: Finding, patch: Operation[], note: string): Planned {
  const { object, rule, confidence } = finding;
  if (!Object.hasOwn(writableKinds, object.kind)) return { refused: `Larry changes no ${object.kind} by himself` };
  const kinds = patch.map(({ path }) => kindOfChange(object.kind, path));
  const kind = kinds[0];
  if (kind === undefined || kinds.some((k) => k?.category !== kind.category)) return { refused: 'it is no kind of change that Larry makes by himself' };
  const alwaysAsk = kinds.some((k) => k?.alwaysAsk === true) || finding.guess === true || guesses.has(rule);
  const enough = alwaysAsk || rule === 'liveness_probe_incorrect_timing' ? likely : surely;
  if (confidence < enough) return { refused: `Larry does not make it by himself: he is ${Math.round(confidence * 100)} % sure of the cause, and ${Math.round(enough * 100)} % are needed` };
  return {
    change: {
      step: stepOf(finding),
      summary: printable(`${note.split('; ')[0] ?? note}, in ${describeRef(object)}`, 500),
      verb: 'patch',
      target: object,
      patch: patch as Record<string, unknown>[],
      depends: [...new Set(kinds.flatMap((k) => k?.depends ?? []))],
      category: kind.category,
      alwaysAsk,
    },
  };
}

/** Causes whose remedy names the nearest thing that exists: a person says whether that is the one meant. */
const guesses: ReadonlySet<string> = new Set(['service_env_var_address_mismatch', 'gateway_misroute']);

const maxStep = 63;

/** The same in every attempt: what is mended, in what. */
export function stepOf({ rule, object }: Pick<Finding, 'rule' | 'object'>): string {
  const cause = rule.replaceAll('_', '-');
  const digest = createHash('sha256').update(describeRef(object)).digest('hex').slice(0, 8);
  const name = `${object.namespace ?? ''}-${object.name}`.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, maxStep - cause.length - digest.length - 2);
  return [cause, name.replace(/^-|-$/g, ''), digest].filter((part) => part !== '').join('-');
}

/** The cause that a step mends; undefined for a step of another version. */
export function causeOfStep(step: string): string | undefined {
  return [...causeCodes].sort((a, b) => b.length - a.length).find((code) => step.startsWith(`${code.replaceAll('_', '-')}-`));
}

/** The cause that is mended in a ConfigMap, and by pods that read it anew. */
export const serversCause = 'pgadmin_servers_json_invalid';

/** The category of a step that an earlier attempt made; it is not made again, so that nobody is asked for it. */
export function categoryOfStep(step: string): string {
  const cause = causeOfStep(step) ?? '';
  if (cause === serversCause) return 'config-data';
  return cause.startsWith('service_') ? 'service-ports' : 'workload-env';
}
