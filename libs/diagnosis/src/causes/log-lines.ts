import type { LogFacts } from '../facts/log-index';
import type { Workload } from '../facts/model';
import { lastEnd, type PodFacts } from '../facts/pod-facts';
import type { Scene } from '../graph/edges';
import { isCalm, lastErrorLine } from './log-level';

/** A log line of a workload with the pod it came from. */
export interface SaidLine {
  pod: PodFacts;
  log: LogFacts;
  line: string;
  match: RegExpExecArray;
}

type Usable = (match: RegExpExecArray, line: string) => boolean;

const tail = 60;
const near = 25;
const recovered = /\b(?:reconnected|connected to|connection established|successfully connected|recovered|connection restored|now accepting|is healthy|became available)\b/i;

/**
 * The last line that matches in what a workload says now. Of a pod that is unwell every run counts; of one that runs well only what it
 * goes on saying: at least twice, at the end of its log, and not followed by word of a recovery. Every start has its errors. A line
 * below a warning tells of somebody else's trouble: of a pod that is unwell it counts where it goes on, or where the container
 * ended and its log has no other word of why.
 */
export function saidNow(scene: Scene, workload: Workload, patterns: readonly RegExp[], usable: Usable = () => true): SaidLine | undefined {
  const unwell = new Set(workload.unwell.map(({ pod }) => pod.key));
  for (const pod of [...workload.unwell.map((u) => u.pod), ...workload.pods.filter((p) => !unwell.has(p.key)).slice(0, 3)]) {
    for (const container of pod.containers) {
      const ill = unwell.has(pod.key);
      const logs = scene.facts.logs.of(pod.namespace, pod.name, container.name).filter((log) => ill || log.run === 'current');
      for (const log of logs) {
        const loud: Usable = (match, line) => !isCalm(line) && usable(match, line);
        const found = ill ? (lastMatch(log, patterns, loud) ?? quoted(log, patterns, usable, (lastEnd(container)?.exitCode ?? 0) !== 0)) : goesOn(log, patterns, loud);
        if (found) return { pod, log, ...found };
      }
    }
  }
  return undefined;
}

function lastMatch(log: LogFacts, patterns: readonly RegExp[], usable: Usable): { line: string; match: RegExpExecArray } | undefined {
  for (let i = log.lines.length - 1; i >= 0; i -= 1) {
    const line = log.lines[i] ?? '';
    const match = first(line, patterns, usable);
    if (match) return { line, match };
  }
  return undefined;
}

function quoted(log: LogFacts, patterns: readonly RegExp[], usable: Usable, ended: boolean): { line: string; match: RegExpExecArray } | undefined {
  if (!ended) return goesOn(log, patterns, usable);
  return lastErrorLine(log) === undefined ? lastMatch(log, patterns, usable) : undefined;
}

function goesOn(log: LogFacts, patterns: readonly RegExp[], usable: Usable): { line: string; match: RegExpExecArray } | undefined {
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

function first(line: string, patterns: readonly RegExp[], usable: Usable): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    const match = pattern.exec(line);
    if (match && usable(match, line)) return match;
  }
  return undefined;
}
