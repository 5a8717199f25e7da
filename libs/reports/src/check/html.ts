import { describeRef, severities, type CheckReport } from '@larry/contracts';
import { html } from '../escape';
import { page } from '../page';
import { alsoIn, countBySeverity, groupFindings, isOutage, namesOf, type FindingGroup } from './finding-groups';
import { filesText, nothingRead } from './files-text';
import { ownerText, remedyText } from './remedy-text';

/** The whole check as one self-contained HTML page: no script, no request, prints well. Pictures are embedded as images, so that nothing in them can run. */
export function checkToHtml(report: CheckReport, pictures: { title: string; svg: string }[] = []): string {
  const counts = countBySeverity(report.findings);
  const body = `
<p class="lead">${html(report.source.type)} ${html(report.source.name)}${report.source.serverVersion ? ` · ${html(report.source.serverVersion)}` : ''} · ${html(report.startedAt)}</p>
<ul class="tiles">${severities.map((s) => `<li class="tile ${s}"><b>${counts[s]}</b><span>${s}</span></li>`).join('')}</ul>
<h2>Findings</h2>
${groupFindings(report.findings).map(groupCard).join('\n') || `<p>${nothingRead(report) ? 'None, since nothing was read.' : 'None in what could be read.'}</p>`}
<h2>Tasks</h2>
<table><thead><tr><th>Task</th><th>Outcome</th><th>Summary</th></tr></thead><tbody>${report.tasks
    .map((t) => `<tr><td>${html(t.title)}</td><td>${html(t.outcome)}${t.skipReason ? ` (${html(t.skipReason)})` : ''}</td><td>${html(t.summary)}</td></tr>`)
    .join('')}</tbody></table>
${pictures.map((p) => `<h2>${html(p.title)}</h2><figure><img alt="${html(p.title)}" src="data:image/svg+xml;base64,${Buffer.from(p.svg).toString('base64')}"></figure>`).join('\n')}
<h2>Unknown</h2>
${report.unknowns.length === 0 ? '<p>Nothing.</p>' : `<ul>${report.unknowns.map((u) => `<li>${html(u.subject)}: ${html(u.reason)}</li>`).join('')}</ul>`}
${filesPart(report)}`;
  return page({ title: 'Larry check', simulated: report.source.simulated, body });
}

function groupCard(group: FindingGroup): string {
  const { first, severity } = group;
  const remedy = remedyText(first);
  const { roots, pods, podCount } = alsoIn(group);
  const also = [...(roots.length > 0 ? [namesOf(group, roots, 200)] : []), ...(podCount > 0 ? [`${podCount} ${podCount === 1 ? 'pod' : 'pods'} (${pods.slice(0, 3).join(', ')}${podCount > 3 ? ', …' : ''})`] : [])];
  return `<details class="card ${severity}"${severity === 'critical' || severity === 'high' ? ' open' : ''}>
<summary><span class="badge">${isOutage(first) ? 'down now ' : ''}${severity}</span> ${html(first.title)}${roots.length > 0 ? ` <small>and ${roots.length} more</small>` : ''}</summary>
<dl><dt>Object</dt><dd>${html(describeRef(first.object))}</dd><dt>Owner</dt><dd>${html(ownerText(first.owner))}</dd>
${first.evidence.map((e) => `<dt>Seen</dt><dd><code>${html(e.at)}</code> ${html(e.value)}</dd>`).join('')}
<dt>Change</dt><dd>${html(remedy.where)}${remedy.note ? ` (${html(remedy.note)})` : ''}${remedy.body ? `<pre>${html(remedy.body)}</pre>` : ''}</dd>
<dt>Rule</dt><dd>${html(first.rule)}${first.references.map((r) => `<br><small>${html(r)}</small>`).join('')}</dd>
${also.length > 0 ? `<dt>Also</dt><dd>${html(also.join('; and '))}</dd>` : ''}</dl>
</details>`;
}

function filesPart(report: CheckReport): string {
  const { skipped } = report.files;
  const text = filesText(report);
  if (text === undefined) return '';
  return `<h2>Files</h2><p>${text}</p><ul>${skipped
    .map((s) => `<li>${html(s.file)}${s.line ? `:${s.line}` : ''}: ${html(s.reason)}</li>`)
    .join('')}</ul>`;
}
