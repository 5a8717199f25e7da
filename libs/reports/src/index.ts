export { fenced, html, markdown } from './escape';
export { page } from './page';
export { wrapped } from './text-layout';
export { countBySeverity, groupFindings, worstFirst, type FindingGroup } from './check/finding-groups';
export { checkToHtml } from './check/html';
export { checkToMarkdown } from './check/markdown';
export { ownerText, remedyText, type RemedyText } from './check/remedy-text';
export { checkToSarif } from './check/sarif';
export { checkToTerminal, type TerminalStyle } from './check/terminal';
