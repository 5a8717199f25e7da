import { listOf, looksLikeFlag, redacted, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { decideAt } from '../../fix';
import { stringsOf, type PodView } from '../../pod-view';
import { defineFamily, type Hit, type Sighting, type Subject } from '../family';
import { secretIn, secretInFile, type Finding } from './detect';
import { secretRules } from './rules';

interface Found extends Sighting {
  because: Finding;
}

/** Passwords, tokens and keys that stand readable in pod templates and ConfigMaps. Values never leave this folder. */
export const plainSecrets = defineFamily<Hit[]>({
  id: 'plain-secrets',
  title: 'Secrets in plain sight',
  rules: secretRules,
  reads: [{ apiVersion: 'v1', kind: 'ConfigMap' }],
  inspect(pod) {
    const found = inPod(pod);
    return found.length > 0 ? hitsOf(pod.subject(), found, pod.group) : undefined;
  },
  sift(object, seen) {
    if (object.kind !== 'ConfigMap') return undefined;
    const found = inConfigMap(object);
    return found.length > 0 ? hitsOf(seen.subject(), found) : undefined;
  },
  judge: (kept) => kept.flat(),
});

function inPod(pod: PodView): Found[] {
  const containers = pod.onlyEphemeral
    ? pod.containers.filter((c) => c.list === 'ephemeralContainers')
    : pod.containers;
  return containers.flatMap((container) => [
    ...listOf(container.body['env']).flatMap((entry, i) => {
      const name = textOf(valueIn(entry, 'name')) ?? '';
      const value = textOf(valueIn(entry, 'value'));
      return value === undefined ? [] : found(`${container.at}.env[${i}].value`, name, secretIn(name, value));
    }),
    ...['command', 'args'].flatMap((field) => inWords(listOf(container.body[field]), `${container.at}.${field}`)),
  ]);
}

/** `--password=x`, or `--password` and then `x`. */
function inWords(words: unknown[], at: string): Found[] {
  return words.flatMap((word, i) => {
    if (typeof word !== 'string') return [];
    const [, flag = '', value] = /^--?([\w.-]{1,80})(?:=(.*))?$/s.exec(word) ?? [];
    const next = words[i + 1];
    const given = value ?? (flag !== '' && typeof next === 'string' && !looksLikeFlag(next) ? next : undefined);
    if (flag !== '' && given !== undefined)
      return found(`${at}[${value === undefined ? i + 1 : i}]`, flag, secretIn(flag, given));
    return found(`${at}[${i}]`, 'a word', secretInFile(word));
  });
}

function inConfigMap(object: KubeObject): Found[] {
  return Object.entries(stringsOf(object['data'])).flatMap(([key, value]) =>
    found(
      `.data[${JSON.stringify(key)}]`,
      key,
      value.includes('\n') ? secretInFile(value) : (secretIn(key, value) ?? secretInFile(value)),
    ),
  );
}

function found(at: string, name: string, because: Finding | undefined): Found[] {
  return because === undefined ? [] : [{ at, value: `${name}: ${redacted}`, because }];
}

function hitsOf(subject: Subject, all: Found[], group?: string): Hit[] {
  return ([['plain-secrets/token', 'shape'], ['plain-secrets/by-name', 'name']] as const).flatMap(([rule, because]) => {
    const evidence = all.filter((f) => f.because === because).map(({ at, value }) => ({ at, value }));
    if (evidence.length === 0) return [];
    return [{ rule, subject, evidence, confidence: because === 'shape' ? 0.9 : 0.6, fix: decideAt(evidence, remedy(subject.ref.kind)), ...(group ? { group } : {}) }];
  }); // prettier-ignore
}

function remedy(kind: string): string {
  const move =
    kind === 'ConfigMap'
      ? 'move the value into a Secret and mount that'
      : 'put the value into a Secret and name it with env[].valueFrom.secretKeyRef';
  return `${move}; then change the value itself, since it has been readable`;
}
