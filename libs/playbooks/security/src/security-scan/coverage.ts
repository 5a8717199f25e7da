import { printable, type Criterion } from '@larry/contracts';
import type { ScanFacts } from './facts';

/** `group-covered`: every namespace of the group was scanned and every object counted. Met only when nothing stayed unlisted. */
export function coverageCriterion(facts: ScanFacts): Criterion {
  const text = 'Every namespace of the group scanned, every object counted';
  const observation = { subject: 'the group', value: coverageText(facts), at: facts.at };
  const gaps = [
    ...(facts.scope.unknown === undefined ? [] : [`which namespaces exist (${facts.scope.unknown})`]),
    ...facts.unlisted.map((u) => `${u.kind}${u.namespace === undefined ? '' : ` in ${u.namespace}`} (${u.reason})`),
  ];
  if (gaps.length > 0) {
    return {
      id: 'group-covered',
      text,
      verdict: 'unknown',
      observation,
      reason: printable(`not listed: ${gaps.join('; ')}. ${advice(facts)}`, 500),
    };
  }
  return { id: 'group-covered', text, verdict: 'met', observation };
}

/** `image-cves`: stays unknown, since nothing here looks into images; never `clean`. */
export function imageCriterion(facts: ScanFacts): Criterion {
  return {
    id: 'image-cves',
    text: 'The images that run have no known vulnerability of CVSS 7.0 or more',
    verdict: 'unknown',
    reason: `no image scanner is built in yet: ${facts.images.length} distinct images were seen and not judged`,
  };
}

/** `312 objects of 14 kinds in 4 namespaces (a, b, c, d), listed at …; n8n does not exist`. */
export function coverageText({ counts, scope, at }: ScanFacts): string {
  const objects = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const kinds = Object.values(counts).filter((n) => n > 0).length;
  const names = scope.namespaces.join(', ');
  const missing =
    scope.missing.length === 0
      ? ''
      : `; ${scope.missing.join(', ')} ${scope.missing.length === 1 ? 'does' : 'do'} not exist`;
  return printable(
    `${counted(objects, 'object')} of ${counted(kinds, 'kind')} in ${counted(scope.namespaces.length, 'namespace')} (${names}), listed at ${at}${missing}`,
    2000,
  );
}

/** `1 namespace`, `2 namespaces`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function advice({ source }: ScanFacts): string {
  switch (source) {
    case 'live':
      return 'Give the account get and list on these';
    case 'manifests':
      return 'Files do not tell what runs: scan the cluster, or a snapshot of it';
    case 'snapshot':
    case 'dump':
      return 'Take a snapshot (larry snapshot) with an account that may list these';
  }
}
