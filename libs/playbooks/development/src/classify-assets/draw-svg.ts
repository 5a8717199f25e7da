import { capped, lineageKinds, type Lineage, type LineageNode } from './lineage';

const perColumn = 60;
const box = { width: 285, height: 24, gapX: 70, gapY: 10, top: 56, left: 20 };
const maxCharacters = 36;
const colours: Record<LineageNode['kind'], string> = { app: '#dbeafe', release: '#dcfce7', chart: '#fef9c3', image: '#fde2e2', digest: '#ede9fe' };

interface Placed {
  node: LineageNode;
  x: number;
  y: number;
}

/** The lineage as one self-contained SVG: a column for each step, no script, no reference to anything outside. */
export function drawSvg(lineage: Lineage): string {
  const { shown, more } = capped(lineage, perColumn);
  const placed = place(shown);
  const columns = lineageKinds.map((kind) => placed.filter((p) => p.node.kind === kind));
  const tallest = Math.max(1, ...columns.map((column, i) => column.length + (more[lineageKinds[i] as LineageNode['kind']] > 0 ? 1 : 0)));
  const width = box.left * 2 + lineageKinds.length * box.width + (lineageKinds.length - 1) * box.gapX;
  const height = box.top + tallest * (box.height + box.gapY) + 20;
  const at = new Map(placed.map((p) => [p.node.id, p]));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>Lineage: ${lineage.nodes.length} nodes, ${lineage.edges.length} edges</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...lineageKinds.map((kind, i) => `<text x="${columnX(i)}" y="36" font-size="15" font-weight="600" fill="#111827">${kind}s</text>`),
    ...shown.edges.map(({ from, to }) => drawEdge(at.get(from) as Placed, at.get(to) as Placed)),
    ...placed.map(drawNode),
    ...lineageKinds.flatMap((kind, i) => (more[kind] > 0 ? [`<text x="${columnX(i)}" y="${rowY(columns[i]?.length ?? 0) + 16}" fill="#4b5563">and ${more[kind]} more</text>`] : [])),
    ...lineageKinds.flatMap((_, i) => (columns[i]?.length === 0 ? [`<text x="${columnX(i)}" y="${rowY(0) + 16}" fill="#4b5563">none known</text>`] : [])),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

const columnX = (index: number): number => box.left + index * (box.width + box.gapX);
const rowY = (index: number): number => box.top + index * (box.height + box.gapY);

/** Column by column from the left, each node near the mean of those that lead to it, so that few edges cross. */
function place({ nodes, edges }: Lineage): Placed[] {
  const rowOf = new Map<string, number>();
  const before = new Map<string, string[]>();
  for (const { from, to } of edges) before.set(to, [...(before.get(to) ?? []), from]);
  return lineageKinds.flatMap((kind, column) => {
    const weighed = nodes.filter((n) => n.kind === kind).map((node, index) => {
      const rows = (before.get(node.id) ?? []).map((id) => rowOf.get(id)).filter((row): row is number => row !== undefined);
      return { node, weight: rows.length === 0 ? index : rows.reduce((sum, row) => sum + row, 0) / rows.length };
    });
    weighed.sort((a, b) => a.weight - b.weight);
    return weighed.map(({ node }, row) => {
      rowOf.set(node.id, row);
      return { node, x: columnX(column), y: rowY(row) };
    });
  });
}

function drawNode({ node, x, y }: Placed): string {
  const rect = `<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="4" fill="${colours[node.kind]}" stroke="#9ca3af"/>`;
  return `<g>${rect}<text x="${x + 8}" y="${y + 16}" fill="#111827">${xmlText(shortened(node))}</text><title>${xmlText(node.label)}</title></g>`;
}

function drawEdge(from: Placed, to: Placed): string {
  const [x1, y1, x2, y2] = [from.x + box.width, from.y + box.height / 2, to.x, to.y + box.height / 2];
  const bend = (x2 - x1) / 2;
  return `<path d="M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" fill="none" stroke="#9ca3af"/>`;
}

/** The end of a long name says more than its beginning; of a digest the beginning does. */
function shortened({ kind, label }: LineageNode): string {
  const characters = [...label];
  if (characters.length <= maxCharacters) return label;
  if (kind === 'digest') return `${characters.slice(0, maxCharacters - 1).join('')}…`;
  return `${characters.slice(0, 8).join('')}…${characters.slice(-(maxCharacters - 9)).join('')}`;
}

/** Text for XML: the five marks as entities, and nothing that XML 1.0 does not allow at all. */
export function xmlText(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
