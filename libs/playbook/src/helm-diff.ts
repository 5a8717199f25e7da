import { canonicalJson, printable, redact, stripControl, type HelmUpgrade } from '@larry/contracts';

/** @internal An upgrade as people read it: the values, then what the chart renders otherwise. Redacted and safe to print. */
export function helmLines(upgrade: HelmUpgrade): string[] {
  const { release, namespace, revision, set, rendered } = redact(upgrade);
  return [
    printable(`helm upgrade ${release} --namespace ${namespace}, at revision ${revision}, with its own chart and values, and`, 500),
    ...set.flatMap(({ path, value }) => [printable(`value ${valuePath(path)}`, 500), `+ ${line(value)}`]),
    'which renders otherwise',
    ...rendered.flatMap(({ object, path, before, after }) => [
      printable(`${object} ${path}`, 1500),
      ...(before === undefined ? [] : [`- ${line(before)}`]),
      ...(after === undefined ? [] : [`+ ${line(after)}`]),
    ]),
  ];
}

/** `env[0].value`, as `helm --set` writes it. */
function valuePath(path: HelmUpgrade['set'][number]['path']): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${part.replace(/[.,=[\]\\]/g, '\\$&')}`)).join('');
}

const line = (value: unknown): string => stripControl(canonicalJson(value ?? null)).replace(/\s+/g, ' ');
