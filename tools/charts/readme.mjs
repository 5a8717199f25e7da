// A chart's README from its values.yaml: a table of every value, its default, and the comment above it.

/** Rows of a values.yaml: `path`, default, and the comment that stands above it (a comment of a block goes to its first line). */
export function valueRows(values) {
  const rows = [];
  const path = [];
  let comment = [];
  for (const line of values.split('\n')) {
    const [, said] = /^ *# ?(.*)$/.exec(line) ?? [];
    if (said !== undefined) comment.push(said);
    else if (line.trim() === '') comment = [];
    const [, spaces, key, rest = ''] = /^( *)([A-Za-z0-9-]+):(?: (.*))?$/.exec(line) ?? [];
    if (key === undefined) {
      if (line.trim().startsWith('- ') && rows.length > 0) rows[rows.length - 1].value = [rows[rows.length - 1].value, line.trim().slice(2)].filter(Boolean).join(', ');
      if (said === undefined) comment = [];
      continue;
    }
    path.splice(spaces.length / 2, path.length, key);
    rows.push({ path: path.join('.'), value: rest, comment: comment.join(' '), depth: spaces.length / 2 });
    comment = [];
  }
  // A block's own line has no value: its comment is said with the block's name.
  return rows.filter((row, i) => row.value !== '' || row.comment !== '' || !rows[i + 1] || rows[i + 1].depth <= row.depth);
}

const cell = (text) => text.replaceAll('|', '\\|');

/** The README. */
export function readmeOf({ name, about, values }) {
  const rows = valueRows(values).map(({ path, value, comment }) => `| \`${path}\` | ${value === '' ? '' : `\`${cell(value)}\``} | ${cell(comment)} |`);
  return `# ${name}

${about}

\`\`\`bash
scripts/images --help                        # builds the image: no registry serves it
helm upgrade --install ${name} helm/${name} -n ${name} --create-namespace --set image.repository=localhost/larry/${name}
\`\`\`

\`larry install\` does this for all four releases, and makes the Secrets that they need (\`docs/operations.md\`).
\`values-single-node.yaml\` is for a cluster of one node.

| value | default | what it is |
| --- | --- | --- |
${rows.join('\n')}

This file is generated from \`values.yaml\` by \`node tools/charts.mjs\`.
`;
}
