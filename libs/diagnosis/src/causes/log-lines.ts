import type { LogFacts } from '../facts/log-index';
import type { Workload } from '../facts/model';
import type { PodFacts } from '../facts/pod-facts';
import type { Scene } from '../graph/edges';

/** A log line of a workload with the pod it came from. */
export interface SaidLine {
  pod: PodFacts;
  log: LogFacts;
  line: string;
  match: RegExpExecArray;
}

const tail = 60;
const near = 25;
const recovered = /\b(?:reconnected|connected to|connection established|successfully connected|recovered|connection restored|now accepting|is healthy|became available)\b/i;

/**
 * The last line that matches in what a workload says now. Of a pod that is unwell every run counts; of one that runs well only what it
 * goes on saying: at least twice, at the end of its log, and not followed by word of a recovery. Every start has its errors.
 */
export function saidNow(scene: Scene, workload: Workload, patterns: readonly RegExp[], usable: (match: RegExpExecArray, line: string) => boolean = () => true): SaidLine | undefined {
  const unwell = new Set(workload.unwell.map(({ pod }) => pod.key));
  for (const pod of [...workload.unwell.map((u) => u.pod), ...workload.pods.filter((p) => !unwell.has(p.key)).slice(0, 3)]) {
    for (const container of pod.containers) {
      const ill = unwell.has(pod.key);
      const logs = scene.facts.logs.of(pod.namespace, pod.name, container.name).filter((log) => ill || log.run === 'current');
      for (const log of logs) {
        const found = ill ? lastMatch(log, patterns, usable) : goesOn(log, patterns, usable);
        if (found) return { pod, log, ...found };
      }
    }
  }
  return undefined;
}

function lastMatch(log: LogFacts, patterns: readonly RegExp[], usable: (match: RegExpExecArray, line: string) => boolean): { line: string; match: RegExpExecArray } | undefined {
  for (let i = log.lines.length - 1; i >= 0; i -= 1) {
    const line = log.lines[i] ?? '';
    const match = first(line, patterns, usable);
    if (match) return { line, match };
  }
  return undefined;
}

function goesOn(log: LogFacts, patterns: readonly RegExp[], usable: (match: RegExpExecArray, line: string) => boolean): { line: string; match: RegExpExecArray } | undefined {
  const lines = log.lines.slice(-tail);
  let count = 0;
  let last: { line: string; match: RegExpExecArray; index: number } | undefined;
  lines.forEach((line, index) => {
    const match = first(line, patterns, usable);
    if (!match) return;
    count += 1;
    last = { line, match, index };
  });
  const found = last as { line: string; match: RegExpExecArray; index: number } | undefined;
  if (!found || count < 2 || lines.length - found.index > near) return undefined;
  return lines.slice(found.index + 1).some((line) => recovered.test(line)) ? undefined : found;
}

/**
 * A line that its writer does not take for an error: requests, messages and quotations of others' errors stand in such. The level
 * comes early in a line, after a time or in brackets, or as a field.
 */
export function isCalm(line: string): boolean {
  return /^\W{0,3}(?:[\d:.,TZ+/-]+\W+){0,4}(?:INFO|DEBUG|TRACE|NOTICE)\b|^.{0,300}?["']?\blevel["']?\s?[=:]\s?["']?(?:info|debug|trace|notice)\b/i.test(line);
}

function first(line: string, patterns: readonly RegExp[], usable: (match: RegExpExecArray, line: string) => boolean): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    const match = pattern.exec(line);
    if (match && usable(match, line)) return match;
  }
  return undefined;
}
