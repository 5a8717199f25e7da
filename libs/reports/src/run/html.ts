import type { LarryReport, RunSummary, TaskReport, Validation } from '@larry/contracts';
import { html } from '../escape';
import { page } from '../page';
import { ganttSvg } from './gantt';
import { counted, workWords } from './markdown';
import { claimedCriterion, criterionBasis, criterionMark, crossCheckMark, legend, taskMark, validationMark, validationOf } from './verdict-mark';

/** The summary as one self-contained page with the timeline and, where drawn, the lineage graph. */
export function summaryToHtml(summary: RunSummary): string {
  const { done, of } = summary.didWork;
  const turned = summary.validations.reduce((n, v) => n + v.turned.length, 0);
  const body = `
<p class="lead">Run ${html(summary.run)} · ${html(summary.plan.title)} · mode ${summary.mode} · ${html(summary.source.type)} ${html(summary.source.name)} · ${html(summary.startedAt)} to ${html(summary.endedAt)}</p>
<ul class="tiles"><li class="tile"><b>${html(summary.status)}</b><span>run</span></li><li class="tile"><b>${done} of ${of}</b><span>tasks did work</span></li>
<li class="tile"><b>${summary.validations.length === 0 ? '–' : turned}</b><span>${summary.validations.length === 0 ? 'nothing looked at again' : 'claims turned'}</span></li><li class="tile"><b>${summary.crossChecks.filter((c) => c.verdict === 'agrees').length} of ${summary.crossChecks.length}</b><span>cross-checks agree</span></li></ul>
<p><small>${html(legend)}</small></p>
<h2>Timeline</h2><figure class="timeline">${ganttSvg(summary)}</figure>
${summary.larrys.map((larry) => larryPart(larry, summary)).join('\n')}
<h2>Validation by new observation</h2>${summary.validations.map(validationPart).join('') || '<p>Nothing was validated.</p>'}
<h2>Cross-checks</h2><ul>${summary.crossChecks.map((c) => `<li>${badge(crossCheckMark(c))} ${html(c.title)}: ${html(c.observation)}</li>`).join('')}</ul>
${lineage(summary)}
<h2>Token use</h2><table><thead><tr><th>Who</th><th>Used</th><th>Limit</th><th>Overshoot</th></tr></thead><tbody>${summary.tokens
    .map((t) => `<tr><td>${html(t.node)}</td><td>${t.used}</td><td>${t.limit}</td><td>${t.overshoot}</td></tr>`)
    .join('')}</tbody></table>
<h2>New since the last run</h2>${sincePart(summary)}
<h2>Lessons</h2>${list(summary.lessons)}<h2>Next steps</h2>${list(summary.nextSteps)}`;
  return page({ title: '3-Larry execution summary', simulated: summary.source.simulated, body });
}

function larryPart(larry: LarryReport, summary: RunSummary): string {
  return `<h2>${html(larry.larry)}: ${html(larry.title)}</h2><p>Phase ${html(larry.status)}; ${workWords(larry)}; ${larry.tokens.used} of ${larry.tokens.limit} tokens.</p>${larry.tasks.map((task) => taskCard(task, validationOf(summary, task))).join('')}`;
}

function taskCard(task: TaskReport, validation: Validation | undefined): string {
  const { result } = task;
  const skipped = task.status === 'skipped' ? ` <small>skipped: ${html(task.skipReason ?? '')}</small>` : '';
  const criteria = (result?.criteria ?? []).map((c) => ({ text: c.text, ...claimedCriterion(c, validation) })).map(({ mark, text, basis }) => `<li>${badge(mark)} ${html(text)}<br><small>${html(basis)}</small></li>`);
  const changes = (result?.changes ?? []).map((c) => `<li>${html(c.summary)}: <b>${c.outcome}</b>${c.approvedBy === undefined ? '' : `, approved by ${html(c.approvedBy)}`}${c.reason ? ` (${html(c.reason)})` : ''}<pre>${html(c.diff)}</pre></li>`);
  const findings = (result?.findings ?? []).slice(0, 50).map((f) => `<li>${f.severity}: ${html(f.title)}</li>`);
  const total = result?.findings.length ?? 0;
  const figures = Object.entries(result?.figures ?? {}).map(([k, v]) => `${html(k)} ${html(String(v))}`);
  return `<details class="card"${task.status === 'skipped' ? '' : ' open'}><summary>${badge(taskMark(task, validation))} ${html(task.title)} <small>${html(task.task)} on ${html(task.node)}</small>${skipped}</summary>
<p>${html(result?.summary ?? task.reason ?? 'No result.')}</p>${figures.length > 0 ? `<p><small>${figures.join(' · ')}</small></p>` : ''}
<ul>${criteria.join('')}</ul>${changes.length > 0 ? `<h3>Changes: ${html(counted((result?.changes ?? []).map((c) => c.outcome)))}</h3><ul>${changes.join('')}</ul>` : ''}
${findings.length > 0 ? `<details><summary>${total} findings</summary><ul>${findings.join('')}</ul>${total > findings.length ? `<p>and ${total - findings.length} more in the JSON report</p>` : ''}</details>` : ''}
${(result?.unknowns ?? []).map((u) => `<p>${badge('❔')} ${html(u.subject)}: ${html(u.reason)}</p>`).join('')}</details>`;
}

function validationPart(v: RunSummary['validations'][number]): string {
  const { mark, text } = validationMark(v);
  return `<p><b>${html(v.task)}</b> ${badge(mark)} ${html(text)}</p><ul>${v.criteria.map((c) => `<li>${badge(criterionMark(c))} ${html(c.text)}<br><small>${html(criterionBasis(c))}</small></li>`).join('')}</ul>`;
}

/** Drawn by `classify-assets`, whose own test parses it and looks for names that break out. */
function lineage(summary: RunSummary): string {
  const result = summary.larrys.flatMap((l) => l.tasks).find((t) => t.task === 'classify-assets')?.result;
  const svg = result?.artifacts['lineageSvg'];
  if (typeof svg !== 'string') return '';
  const image = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  return `<h2>Lineage</h2><figure><img alt="app, release, chart, image, digest" src="${image}"></figure>`;
}

function sincePart({ sinceLast: since }: RunSummary): string {
  if (!since) return '<p>No run over this source before.</p>';
  return `<p>Compared with run ${html(since.previousRun)}: ${since.new.length} new, ${since.gone.length} gone.</p>${list([...since.new.slice(0, 50).map((t) => `new: ${t}`), ...since.gone.slice(0, 50).map((t) => `gone: ${t}`)])}`;
}

const list = (lines: string[]): string => (lines.length > 0 ? `<ul>${lines.map((l) => `<li>${html(l)}</li>`).join('')}</ul>` : '<p>None.</p>');

const words: Record<string, string> = { '✅': 'met', '❌': 'not met', '⏳': 'provisional', '❔': 'unknown', '⏭️': 'skipped' };

/** The mark with its word: not every system has a font for the mark. */
function badge(mark: string): string {
  const word = words[mark] ?? 'unknown';
  return `<span class="verdict ${word.replace(' ', '-')}">${mark} ${word}</span>`;
}
