import type { RunSummary } from '@larry/contracts';
import { summaryToHtml, summaryToMarkdown } from '@larry/reports';
import { UserError } from '../user-error';
import { writeFiles, type FileToWrite } from './write-files';

/** The quick start's name of the summary, without its ending. */
export const summaryName = '3-LARRY-EXECUTION-SUMMARY';

/** `larry-01-final.json`: the quick start's name of one Larry's report. */
export const larryReportName = (larry: string): string => `${larry}-final.json`;

/** Endings that a summary can be drawn for. */
export type SummaryFormat = 'json' | 'md' | 'html';

/** The summary as the text of a file. */
export function summaryText(summary: RunSummary, format: SummaryFormat): string {
  if (format === 'json') return `${JSON.stringify(summary, null, 2)}\n`;
  return format === 'md' ? summaryToMarkdown(summary) : summaryToHtml(summary);
}

/**
 * Writes `larry-01-final.json`, … and `3-LARRY-EXECUTION-SUMMARY.json`, `.md`, `.html` into a folder and returns their
 * paths. All or none of them is new when this throws its one sentence: folder not writable, disk full.
 */
export function writeReports(summary: RunSummary, folder: string): string[] {
  const formats: SummaryFormat[] = ['json', 'md', 'html'];
  const reports = summary.larrys.map((report): FileToWrite => ({ name: larryReportName(fileNamePart(report.larry)), text: `${JSON.stringify(report, null, 2)}\n` }));
  const summaries = formats.map((format): FileToWrite => ({ name: `${summaryName}.${format}`, text: summaryText(summary, format) }));
  return writeFiles(folder, [...reports, ...summaries]);
}

/** A Larry's id becomes a file's name: what a plan allows as an id, and nothing that leads elsewhere. */
function fileNamePart(larry: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(larry)) return larry;
  throw new UserError(`the report of "${larry}" cannot be written: the id of a Larry is lower-case letters, digits and dashes`);
}
