import { html } from './escape';

/** A self-contained page: everything inline, and a policy that lets the browser fetch and run nothing. */
export function page(options: { title: string; simulated: boolean; body: string }): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${html(options.title)}</title><style>${style}</style></head><body>
${options.simulated ? '<p class="simulated">SIMULATED cluster: nothing here is real</p>' : ''}
<main><h1>${html(options.title)}</h1>${options.body}</main></body></html>
`;
}

const style = `
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1c1e21;--muted:#666d75;--line:#d9dcdf;--card:#fff;--critical:#b3123b;--high:#c2410c;--medium:#a16207;--low:#0e7490;--info:#64748b;--ok:#15803d}
@media (prefers-color-scheme:dark){:root{--bg:#14161a;--fg:#e7e9ec;--muted:#9aa3ad;--line:#333941;--card:#1c2026;--critical:#fb7185;--high:#fb923c;--medium:#facc15;--low:#22d3ee;--info:#94a3b8;--ok:#4ade80}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
main{max-width:70rem;margin:0 auto;padding:1.5rem}.simulated{margin:0;padding:.4rem 1.5rem;background:#6d28d9;color:#fff;font-weight:600;text-align:center}
h1{font-size:1.7rem;margin:.2rem 0}h2{margin-top:2.2rem;border-bottom:1px solid var(--line)}.lead{color:var(--muted)}
.tiles{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;padding:0}.tile{background:var(--card);border:1px solid var(--line);border-top:4px solid var(--info);border-radius:6px;padding:.6rem 1.1rem;min-width:7rem}.tile b{display:block;font-size:1.7rem}
.card{background:var(--card);border:1px solid var(--line);border-left:5px solid var(--info);border-radius:6px;margin:.6rem 0;padding:.5rem .9rem}.card summary{cursor:pointer;font-weight:600}
.critical{border-color:var(--critical)}.high{border-color:var(--high)}.medium{border-color:var(--medium)}.low{border-color:var(--low)}
.card.critical,.card.high,.card.medium,.card.low{border-color:var(--line)}.card.critical{border-left-color:var(--critical)}.card.high{border-left-color:var(--high)}.card.medium{border-left-color:var(--medium)}.card.low{border-left-color:var(--low)}
.card.critical .badge{color:var(--critical)}.card.high .badge{color:var(--high)}.card.medium .badge{color:var(--medium)}.card.low .badge{color:var(--low)}
.badge{font-size:.75rem;text-transform:uppercase;border:1px solid currentColor;border-radius:4px;padding:0 .4rem}
dl{display:grid;grid-template-columns:6rem 1fr;gap:.25rem .9rem}dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--bg);border:1px solid var(--line);border-radius:4px;padding:.6rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
figure{margin:0;overflow:auto;background:#fff;border:1px solid var(--line);border-radius:6px;padding:.5rem}figure.timeline{background:var(--card)}figure svg,figure img{max-width:100%;height:auto}small{color:var(--muted)}

.verdict{font-size:.8rem;font-weight:600;border:1px solid currentColor;border-radius:4px;padding:0 .35rem;white-space:nowrap;color:var(--info)}.verdict.met{color:var(--ok)}.verdict.not-met{color:var(--critical)}.verdict.provisional{color:var(--medium)}
@media print{.card{break-inside:avoid}body{background:#fff;color:#000}}
`;
