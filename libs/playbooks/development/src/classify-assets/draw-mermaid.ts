import { capped, lineageKinds, type Lineage } from './lineage';

const perColumn = 60;

/** The lineage as a Mermaid flowchart. Every character that could mean something to Mermaid is written as its code. */
export function drawMermaid(lineage: Lineage): string {
  const { shown, more } = capped(lineage, perColumn);
  const ids = new Map(shown.nodes.map((node, index) => [node.id, `n${index}`]));
  const lines = ['flowchart LR'];
  for (const kind of lineageKinds) {
    const nodes = shown.nodes.filter((n) => n.kind === kind);
    if (nodes.length === 0) continue;
    lines.push(`  subgraph ${kind}s["${kind}s"]`);
    for (const node of nodes) lines.push(`    ${ids.get(node.id)}["${mermaidText(node.label)}"]`);
    if (more[kind] > 0) lines.push(`    more_${kind}["and ${more[kind]} more"]`);
    lines.push('  end');
  }
  for (const { from, to } of shown.edges) lines.push(`  ${ids.get(from)} --> ${ids.get(to)}`);
  return `${lines.join('\n')}\n`;
}

/** Text for a quoted Mermaid label: letters, digits and harmless marks as they are, everything else as `#code;`. */
export function mermaidText(text: string): string {
  const short = [...text].slice(0, 120);
  return short.map((c) => (/[A-Za-z0-9 ._:/@+=,-]/.test(c) ? c : `#${c.codePointAt(0)};`)).join('');
}
