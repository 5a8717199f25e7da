import type { CauseCode } from '../cause-codes';
import type { LogFacts } from '../facts/log-index';
import type { Workload } from '../facts/model';
import { lastEnd, type ContainerFacts, type PodFacts } from '../facts/pod-facts';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import type { Ailment } from '../facts/ailment';
import { isCalm, lastErrorLine } from './log-level';

/** Looks at the whole scene for the causes of one kind. Pure. */
export type CauseFinder = (scene: Scene) => Candidate[];

/** A pod that is unwell, with what it belongs to. */
export interface Case {
  scene: Scene;
  workload: Workload;
  pod: PodFacts;
  ailment: Ailment;
}

/** The unwell pods of every workload that does not run: one case for each way of being unwell in a workload. */
export function casesOf(scene: Scene, ...kinds: Ailment['kind'][]): Case[] {
  return scene.facts.workloads.flatMap((workload) => {
    const first = new Map<string, Case>();
    for (const { pod, ailment } of workload.unwell) {
      const id = `${ailment.kind} ${ailment.container?.name ?? ''}`;
      if (kinds.includes(ailment.kind) && !first.has(id)) first.set(id, { scene, workload, pod, ailment });
    }
    return [...first.values()];
  });
}

/** Keys of the pods of a workload that are unwell in the same way as in a case. */
export function alikeIn({ workload, ailment }: Pick<Case, 'workload' | 'ailment'>): string[] {
  return workload.unwell.filter((one) => one.ailment.kind === ailment.kind && one.ailment.container?.name === ailment.container?.name).map((one) => one.pod.key);
}

/** A candidate about a workload's own fields that accounts for the pods of a case. */
export function ofWorkload(
  one: Pick<Case, 'workload' | 'ailment'>,
  cause: CauseCode,
  confidence: number,
  title: string,
  parts: Pick<Candidate, 'evidence'> & Partial<Pick<Candidate, 'alternatives' | 'blames' | 'secondary' | 'object'>> & { remedy: FieldChange | { none: string } },
): Candidate {
  return { cause, confidence, title, object: one.workload.ref, explains: alikeIn(one), ...parts };
}

/** A line of a log that says something. */
export interface Hit {
  log: LogFacts;
  line: string;
  match: RegExpExecArray;
}

/**
 * The last line of a container's runs, the newest first, that matches. A line below a warning may quote anybody: it counts only where the
 * container ended with an error and its log has no other word of why.
 */
export function lastHit(scene: Scene, pod: PodFacts, container: ContainerFacts | undefined, patterns: readonly RegExp[]): Hit | undefined {
  const logs = (container ? [container] : pod.containers).flatMap((one) => scene.facts.logs.of(pod.namespace, pod.name, one.name).map((log) => ({ log, ended: (lastEnd(one)?.exitCode ?? 0) !== 0 })));
  const loud = first(logs, ({ log }) => lastMatch(log, patterns, (line) => !isCalm(line)));
  return loud ?? first(logs, ({ log, ended }) => (ended && lastErrorLine(log) === undefined ? lastMatch(log, patterns, () => true) : undefined));
}

function first<T>(list: readonly T[], find: (one: T) => Hit | undefined): Hit | undefined {
  for (const one of list) {
    const found = find(one);
    if (found) return found;
  }
  return undefined;
}

function lastMatch(log: LogFacts, patterns: readonly RegExp[], usable: (line: string) => boolean): Hit | undefined {
  for (const line of [...log.lines].reverse()) {
    for (const pattern of patterns) {
      const match = pattern.exec(line);
      if (match && usable(line)) return { log, line, match };
    }
  }
  return undefined;
}

/** JSON pointer to a container's spec in the workload. */
export function containerAt(workload: Workload, container: ContainerFacts): string {
  return `${workload.podSpecAt}/${container.init ? 'initContainers' : 'containers'}/${container.index}`;
}

/** Events about a pod that say something now: of this pod, not an earlier one of its name, and not older than its readiness; between two crashes it is ready for a while. */
export function eventsOfPod(scene: Scene, pod: PodFacts, crashing = false) {
  const since = pod.ready && !crashing ? (pod.readySinceMs ?? 0) : 0;
  return scene.facts.events.of(pod.key, pod.uid).filter((event) => (event.lastMs ?? Infinity) >= since);
}
