// The one table: what, measured, compared with, aim. Never wider than 100 columns.

const widths = [38, 21, 39];

/** `row`: { what, measured, note?, aim?, met? }. */
export function renderTable(groups, width = 100) {
  const lines = [];
  for (const { title, rows } of groups) {
    lines.push('', title.toUpperCase());
    for (const row of rows) lines.push(...renderRow(row));
  }
  return lines.map((line) => line.slice(0, width).trimEnd()).join('\n');
}

function renderRow({ what, measured, note = '', aim, met }) {
  const verdict = aim === undefined ? '' : ` ${met ? '[met]' : '[MISSED]'} aim ${aim}`;
  const columns = [wrap(what, widths[0]), wrap(measured, widths[1]), wrap(`${note}${verdict}`.trim(), widths[2])];
  const height = Math.max(...columns.map((c) => c.length));
  return Array.from({ length: height }, (_, i) => columns.map((c, n) => (c[i] ?? '').padEnd(widths[n])).join(' '));
}

function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

/** The same for Markdown. */
export function renderMarkdown(groups) {
  return groups
    .map(({ title, rows }) => {
      const cells = rows.map(({ what, measured, note = '', aim, met }) => `| ${what} | ${measured} | ${note} | ${aim ? `${aim}: ${met ? 'met' : '**missed**'}` : ''} |`);
      return [`### ${title}`, '', '| what | measured | compared with | aim |', '| --- | --- | --- | --- |', ...cells].join('\n');
    })
    .join('\n\n');
}
