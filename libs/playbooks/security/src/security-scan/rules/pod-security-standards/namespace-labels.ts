import { decideAt } from '../../fix';
import type { Hit, Subject } from '../family';

const prefix = 'pod-security.kubernetes.io/';
const levels = ['privileged', 'baseline', 'restricted'];
const versionForm = /^(latest|v1\.\d{1,3})$/;

/** A namespace with what its Pod Security labels say. */
export interface LabelledNamespace {
  name: string;
  labels: Record<string, string>;
  subject: Subject;
}

/**
 * What is wrong with a namespace's Pod Security labels. `failing` is the lowest standard that something in it breaks:
 * the remedy never asks for one that would keep today's pods from starting.
 */
export function namespaceHits(
  { labels, subject }: LabelledNamespace,
  failing: 'baseline' | 'restricted' | undefined,
): Hit[] {
  const bad = ['enforce', 'warn', 'audit'].flatMap((mode) => [
    ...(labels[prefix + mode] !== undefined && !levels.includes(labels[prefix + mode] ?? '') ? [prefix + mode] : []),
    ...(labels[`${prefix}${mode}-version`] !== undefined && !versionForm.test(labels[`${prefix}${mode}-version`] ?? '')
      ? [`${prefix}${mode}-version`]
      : []),
  ]);
  const evidence = (key: string) => ({
    at: `.metadata.labels[${JSON.stringify(key)}]`,
    value: labels[key] ?? 'absent',
  });
  const badLabels: Hit[] = bad.length === 0 ? [] : [
    { rule: 'pss-admission/bad-label', subject, evidence: bad.map(evidence), fix: decideAt(bad.map(evidence), `set one of ${levels.join(', ')} (or latest, v1.N for a version); which was meant is for its author to say`) },
  ]; // prettier-ignore
  const enforced = labels[`${prefix}enforce`];
  if (enforced !== undefined && enforced !== 'privileged') return badLabels;
  const [mode, level] =
    failing === 'baseline' ? ['warn', 'baseline'] : ['enforce', failing === 'restricted' ? 'baseline' : 'restricted'];
  const note = failing === 'baseline'
    ? 'pods in it break baseline: warn first, enforce when the findings about them are mended'
    : `everything in it meets ${level}, so nothing that runs today is refused`; // prettier-ignore
  return [
    ...badLabels,
    {
      rule: 'pss-admission/not-enforced',
      subject,
      evidence: [evidence(`${prefix}enforce`)],
      fix: { kind: 'fields', changes: [{ path: ['metadata', 'labels', `${prefix}${mode}`], value: level }], note },
    },
  ];
}
