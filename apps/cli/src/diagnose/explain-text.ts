import { printable } from '@larry/contracts';
import type { DiagnosisFinding } from '@larry/diagnosis';

/** An object of a causal tree, with what follows from it. */
export interface CausalNode {
  key: string;
  /** How it follows from the one above; empty for the root. */
  why: string;
  follows: CausalNode[];
}

const mostNodes = 200;

/** The causal tree of one finding: its object at the root. Edges that lead in a circle are left out. */
export function causalTree(finding: DiagnosisFinding): CausalNode {
  const root: CausalNode = { key: keyOf(finding), why: '', follows: [] };
  const byKey = new Map([[root.key, root]]);
  let waiting = finding.chain.slice(0, mostNodes);
  for (let before = -1; waiting.length > 0 && waiting.length !== before; ) {
    before = waiting.length;
    waiting = waiting.filter(({ from, to, why }) => {
      const above = byKey.get(to);
      if (!above || byKey.has(from)) return byKey.has(from) ? false : true;
      const node: CausalNode = { key: from, why, follows: [] };
      above.follows.push(node);
      byKey.set(from, node);
      return false;
    });
  }
  return root;
}

/** `Kind ns/name` of what a finding is about. */
export function keyOf(finding: Pick<DiagnosisFinding, 'kind' | 'namespace' | 'name'>): string {
  return `${finding.kind} ${finding.namespace ? `${finding.namespace}/` : ''}${finding.name}`;
}

/** The causal graph as text: each root, and below it what follows from it. */
export function explainAsText(findings: readonly DiagnosisFinding[]): string {
  const blocks = findings.map((finding) => {
    const tree = causalTree(finding);
    return [`${printable(tree.key, 200)}: ${finding.cause} (${finding.confidence})`, ...branches(tree, '')].join('\n');
  });
  return blocks.join('\n\n');
}

function branches(node: CausalNode, indent: string): string[] {
  return node.follows.flatMap((child, index) => {
    const last = index === node.follows.length - 1;
    return [`${indent}${last ? '└─ ' : '├─ '}${printable(child.key, 200)}  (${printable(child.why, 80)})`, ...branches(child, `${indent}${last ? '   ' : '│  '}`)];
  });
}
