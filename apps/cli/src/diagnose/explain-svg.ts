import { printable } from '@larry/contracts';
import type { DiagnosisFinding } from '@larry/diagnosis';
import { cut, html } from '@larry/reports';
import { causalTree, type CausalNode } from './explain-text';

const [columnWidth, rowHeight, boxWidth, boxHeight] = [330, 46, 290, 32];

interface Placed {
  node: CausalNode;
  x: number;
  y: number;
  from?: Placed;
}

/** The causal graph as one SVG: roots on the left, what follows from each to the right of it. Every name in it is escaped. */
export function explainAsSvg(findings: readonly DiagnosisFinding[]): string {
  const placed: Placed[] = [];
  let row = 0;
  const place = (node: CausalNode, depth: number, from?: Placed): void => {
    const here: Placed = { node, x: 20 + depth * columnWidth, y: 20 + row * rowHeight, ...(from ? { from } : {}) };
    placed.push(here);
    if (node.follows.length === 0) row += 1;
    for (const child of node.follows) place(child, depth + 1, here);
  };
  for (const finding of findings) place(causalTree(finding), 0);
  const width = Math.max(400, ...placed.map((p) => p.x + boxWidth + 20));
  const causes = new Map(findings.map((f) => [causalTree(f).key, f.cause]));
  const parts = [...placed.flatMap((p) => (p.from ? [edge(p.from, p)] : [])), ...placed.map((p) => box(p, p.from ? undefined : causes.get(p.node.key)))];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${40 + row * rowHeight}" role="img" aria-label="causal graph" font-family="sans-serif" font-size="11">\n${parts.join('\n')}\n</svg>\n`;
}

function box({ node, x, y }: Placed, cause: string | undefined): string {
  const [fill, line] = cause ? ['#fde8e8', '#c0392b'] : ['#f4f6f8', '#7f8c8d'];
  const text = html(cut(printable(node.key, 200), 44));
  const name = `<text x="${x + 8}" y="${y + (cause ? 14 : 20)}"${cause ? ' font-weight="bold"' : ''}>${text}<title>${html(printable(node.key, 300))}</title></text>`;
  return `<rect x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="4" fill="${fill}" stroke="${line}"/>${name}${cause ? `<text x="${x + 8}" y="${y + 27}" fill="${line}">${html(cause)}</text>` : ''}`;
}

function edge(from: Placed, to: Placed): string {
  const [x1, y1, x2, y2] = [from.x + boxWidth, from.y + boxHeight / 2, to.x, to.y + boxHeight / 2];
  return `<path d="M${x1} ${y1} C${x1 + 20} ${y1} ${x2 - 20} ${y2} ${x2} ${y2}" fill="none" stroke="#95a5a6"><title>${html(printable(to.node.why, 80))}</title></path>`;
}
