import { describeRef, printable, stripControl, type ObjectRef, type Owner, type Remedy } from '@larry/contracts';
import { stringify } from 'yaml';
import { patchCommand } from './command';
import { changesAsObject, pathText, removedPaths, type Fix } from './fix';
import { asChartValues, type ChartValues } from './helm-values';
import type { Subject } from './rules/family';

/** Kinds whose pod fields the API server refuses to change. */
const immutable = new Set(['Pod', 'Job']);

/** The change that mends a hit, at the layer that owns the object; `chart` is what the chart of its release is known to read. */
export function remedyFor(fix: Fix, subject: Subject, chart?: ChartValues): Remedy {
  const place = placeOf(subject, fix);
  const values = chart && fix.kind === 'fields' && !subject.origin ? asChartValues(fix.changes, chart) : undefined;
  if (values && subject.owner.kind === 'helm')
    return helmRemedy(values, subject.owner, fix.kind === 'fields' ? fix.note : undefined);
  if (fix.kind === 'decide') return none(join(fix.reason, place.where));
  if (fix.kind === 'create')
    return {
      layer: 'manifest',
      yaml: yamlOf(fix.object),
      ...note(join(fix.note, 'apply it with kubectl apply -f, or put it beside the manifests of the namespace')),
    };
  if (place.refuses) return none(join(place.where, summaryOf(fix, subject)));
  if (place.layer === 'manifest')
    return {
      layer: 'manifest',
      ...subject.origin,
      yaml: manifestYaml(fix, subject),
      ...note(join(place.where, fix.note)),
    };
  if (fix.kind === 'fields' && immutable.has(subject.ref.kind)) {
    const again = `the fields of a ${subject.ref.kind} cannot be changed while it exists: change its manifest, delete it and create it again`;
    return { layer: 'manifest', yaml: manifestYaml(fix, subject), ...note(join(again, fix.note)) };
  }
  return patchRemedy(fix, subject.ref, place.where);
}

function helmRemedy(
  values: Record<string, unknown>,
  { release, namespace }: Extract<Owner, { kind: 'helm' }>,
  more: string | undefined,
): Remedy {
  const how =
    'add this to the values of the release and run helm upgrade with its chart; the value was found by its usual name, so look at helm diff or --dry-run first';
  return { layer: 'helm-value', release, namespace, values: yamlOf(values), ...note(join(how, more)) };
}

function patchRemedy(fix: Extract<Fix, { kind: 'fields' | 'json' }>, target: ObjectRef, where?: string): Remedy {
  const patchType = fix.kind === 'json' ? 'json' : 'strategic';
  const patch = fix.kind === 'json' ? fix.patch : changesAsObject(fix.changes, null);
  const command = patchCommand(target, patchType, patch);
  if (command === undefined)
    return none('the name of the object holds characters that no command should carry: change it in its manifest');
  return { layer: 'patch', target, patchType, patch, command, ...note(join(where, fix.note)) };
}

interface Place {
  layer: 'manifest' | 'patch';
  /** Said with the remedy: who owns the object and so where the change goes. */
  where?: string;
  /** The owner undoes every change, and offers no place of its own for it. */
  refuses?: boolean;
}

function placeOf({ owner, ref, origin }: Subject, fix: Fix): Place {
  if (origin) return { layer: 'manifest' };
  switch (owner.kind) {
    case 'helm':
      return { layer: 'manifest', where: helmPlace(owner, ref, fix) };
    case 'flux':
      return {
        layer: 'manifest',
        where: `Flux applies it (${printable(owner.resource)}): change it in the Git repository that Flux follows`,
      };
    case 'argocd':
      return {
        layer: 'manifest',
        where: `the Argo CD application ${printable(owner.application)} applies it: change it in its Git repository`,
      };
    case 'k3s-addon':
      return {
        layer: 'patch',
        refuses: true,
        where: `the AddOn ${printable(owner.addon)} of k3s${owner.source ? ` (${printable(owner.source)})` : ''} writes it anew at each start of a server; to change it, disable that part (--disable) and apply a manifest of your own`,
      };
    case 'k3s-helmchart':
      return {
        layer: 'manifest',
        where: `the HelmChart ${printable(owner.namespace)}/${printable(owner.chart)} of k3s installs it: set it as a value of the chart in a HelmChartConfig of that name (spec.valuesContent)`,
      };
    case 'controller':
      return {
        layer: 'patch',
        refuses: true,
        where: `${printable(describeRef(owner.ref))} makes it and undoes changes to it: set it there`,
      };
    case 'manifest':
      return { layer: 'manifest' };
    case 'none':
      return { layer: 'patch' };
    case 'unknown':
      return { layer: 'patch', where: `who owns it is unknown (${printable(owner.reason)}): where Helm, Flux or another tool applies it, change it there instead` };
  }
}

/** Which values a chart reads is known only from the chart, so the template's fields are shown, and where to look. */
function helmPlace(owner: Extract<Owner, { kind: 'helm' }>, ref: ObjectRef, fix: Fix): string {
  const release = printable(owner.release);
  const chart = owner.chart === undefined ? '' : ` (chart ${printable(owner.chart)})`;
  const paths = fix.kind === 'fields' ? fix.changes.map(({ path }) => printable(pathText(path))) : [];
  const what = paths.length === 0 ? 'this' : `${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''}`;
  const byConvention = paths.some((path) => path.includes('securityContext'))
    ? '; by convention securityContext, containerSecurityContext or podSecurityContext'
    : '';
  return `Helm release ${printable(owner.namespace)}/${release}${chart} owns it: set ${what} through the values that the chart's template of ${printable(describeRef(ref))} reads (helm show values${byConvention}), then helm upgrade; a live patch would stand in the way of the next upgrade`;
}

function manifestYaml(fix: Extract<Fix, { kind: 'fields' | 'json' }>, { ref }: Subject): string {
  if (fix.kind === 'json') return `# ${printable(describeRef(ref))}, as a JSON patch\n${yamlOf(fix.patch)}`;
  const fields = changesAsObject(fix.changes, undefined);
  const { metadata = {}, ...rest } = fields;
  const removed = removedPaths(fix.changes).map((path) => `# take away: ${printable(path)}\n`);
  return `${headYaml(ref, metadata as object)}${Object.keys(rest).length > 0 ? sameYaml(rest) : ''}${removed.join('')}`;
}

/** The plain case by hand, since it stands in every finding: names that the API allows need no quotes but where YAML reads another type. */
function headYaml({ apiVersion, kind, namespace, name }: ObjectRef, more: object): string {
  const metadata = { name, ...(namespace ? { namespace } : {}) };
  const plain = [apiVersion, kind, ...Object.values(metadata)].every(
    (word) => /^[a-z][\w./-]*$/i.test(word) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(word),
  );
  if (!plain || Object.keys(more).length > 0) return yamlOf({ apiVersion, kind, metadata: { ...metadata, ...more } });
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace ? `  namespace: ${namespace}\n` : ''}`;
}

const yamlByJson = new Map<string, string>();

/** Pods made alike miss the same fields: a scan of thousands would spend most of its time on the same text. */
function sameYaml(value: unknown): string {
  const key = JSON.stringify(value);
  const known = yamlByJson.get(key);
  if (known !== undefined) return known;
  if (yamlByJson.size >= 1000) yamlByJson.clear();
  const text = yamlOf(value);
  yamlByJson.set(key, text);
  return text;
}

function summaryOf(fix: Extract<Fix, { kind: 'fields' | 'json' }>, subject: Subject): string {
  if (fix.kind === 'json') return fix.note ?? '';
  return `what it should say: ${printable(yamlOf(changesAsObject(fix.changes, undefined)), 600)}${subject.ref.kind === 'Pod' ? ' (pod fields)' : ''}`;
}

function yamlOf(value: unknown): string {
  return stripControl(stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }));
}

function none(reason: string): Remedy {
  return { layer: 'none', reason };
}

function note(text: string): { note?: string } {
  return text === '' ? {} : { note: text };
}

function join(...parts: (string | undefined)[]): string {
  return parts.filter((p) => p !== undefined && p !== '').join('; ');
}
