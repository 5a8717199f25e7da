import type { Alternative, Candidate } from '../finding';
import { keyOf } from '../facts/object-index';
import type { Scene } from '../graph/edges';
import type { Edge } from '../graph/graph';
import { isUnwell } from './unwell';

/** A root cause with what follows from it. */
export interface Root {
  candidate: Candidate;
  alternatives: Alternative[];
  /** Graph keys, nearest first. */
  symptoms: string[];
  /** How each symptom follows: it needs `to`, which is broken. */
  chain: Edge[];
}

const mostSymptoms = 50;

/**
 * Decides which candidates are roots. For each thing that is unwell the best candidate wins, and what wins nothing is an alternative.
 * A winner that blames something with a cause of its own, or that may follow from anything it needs, is a symptom of that.
 */
export function rootsOf(scene: Scene, candidates: Candidate[]): Root[] {
  const merged = mergeSame(candidates);
  const { winners, beaten } = winnersOf(merged);
  const cause = new Map<Candidate, Candidate>();
  const byKey = new Map<string, Candidate[]>();
  for (const winner of winners) for (const key of keysOf(winner)) byKey.set(key, [...(byKey.get(key) ?? []), winner]);
  for (const winner of winners) {
    const root = blamed(scene, winner, byKey, cause);
    if (root) cause.set(winner, root);
  }
  return winners
    .filter((winner) => !cause.has(winner) && !isIdleTalk(scene, winner))
    .map((candidate): Root => {
      const followers = [...cause].filter(([, root]) => ultimate(root, cause) === candidate).map(([follower]) => follower);
      return { candidate, alternatives: [...(candidate.alternatives ?? []), ...(beaten.get(candidate) ?? [])], ...symptomsOf(scene, candidate, followers, byKey, cause) };
    })
    .sort((a, b) => b.candidate.confidence - a.candidate.confidence || b.symptoms.length - a.symptoms.length || keyOf(a.candidate.object).localeCompare(keyOf(b.candidate.object)));
}

const keysOf = (candidate: Candidate): string[] => [...new Set([keyOf(candidate.object), ...candidate.explains])];

/** A running workload's complaint about something that is well by all that can be seen is not an outage. */
function isIdleTalk({ facts }: Scene, candidate: Candidate): boolean {
  if (candidate.cause !== 'dependency_unavailable') return false;
  return facts.workloadAt.get(keyOf(candidate.object))?.state !== 'not-running' && candidate.confidence < 0.5;
}

/** The same cause of the same object, found in several ways or pods, is one. */
function mergeSame(candidates: Candidate[]): Candidate[] {
  const merged = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const id = `${candidate.cause} ${keyOf(candidate.object)}`;
    const known = merged.get(id);
    if (!known) {
      merged.set(id, candidate);
      continue;
    }
    const [better, other] = candidate.confidence > known.confidence ? [candidate, known] : [known, candidate];
    merged.set(id, { ...better, explains: [...new Set([...better.explains, ...other.explains])], blames: [...new Set([...(better.blames ?? []), ...(other.blames ?? [])])] });
  }
  return [...merged.values()];
}

function winnersOf(candidates: Candidate[]): { winners: Candidate[]; beaten: Map<Candidate, Alternative[]> } {
  const best = new Map<string, Candidate>();
  for (const candidate of candidates) {
    for (const key of candidate.explains) {
      const known = best.get(key);
      if (!known || strength(candidate) > strength(known)) best.set(key, candidate);
    }
  }
  const won = new Set(best.values());
  const beaten = new Map<Candidate, Alternative[]>();
  for (const loser of candidates.filter((c) => !won.has(c))) {
    const winner = best.get(loser.explains[0] ?? '');
    if (winner && loser.cause !== winner.cause && loser.cause !== 'unknown') beaten.set(winner, [...(beaten.get(winner) ?? []), { cause: loser.cause, why: `less is seen for it: ${loser.title}` }]);
  }
  return { winners: candidates.filter((c) => won.has(c)).sort((a, b) => strength(b) - strength(a)), beaten };
}

/** What may follow from something else gives way to what may not. */
const strength = (candidate: Candidate): number => candidate.confidence - (candidate.secondary ? 0.3 : 0);

function blamed(scene: Scene, candidate: Candidate, byKey: Map<string, Candidate[]>, cause: Map<Candidate, Candidate>): Candidate | undefined {
  const isOther = (other: Candidate): boolean => other !== candidate && ultimate(other, cause) !== candidate;
  const search = (start: string[], through: (key: string) => boolean, usable: (other: Candidate) => boolean): Candidate | undefined => {
    const own = new Set(keysOf(candidate));
    for (const key of scene.graph.below(start, through).keys()) {
      if (own.has(key) && !(candidate.blames ?? []).includes(key)) continue;
      const found = (byKey.get(key) ?? []).find((other) => usable(other) && (other.explains.includes(key) || !other.secondary));
      if (found) return found;
    }
    return undefined;
  };
  const direct = candidate.blames && candidate.blames.length > 0 ? search(candidate.blames, () => true, isOther) : undefined;
  if (direct) return direct;
  if (!candidate.secondary) return undefined;
  // Without a word of whom it waits for: anything unwell that it needs.
  return search(keysOf(candidate), (key) => isUnwell(scene, key) || byKey.has(key), (other) => isOther(other) && !(other.secondary && other.confidence < candidate.confidence));
}

function ultimate(candidate: Candidate, cause: Map<Candidate, Candidate>): Candidate {
  const seen = new Set<Candidate>();
  let at = candidate;
  for (let next = cause.get(at); next && !seen.has(at); next = cause.get(at)) {
    seen.add(at);
    at = next;
  }
  return at;
}

/** What is unwell and depends on what the cause explains, without what has a cause of its own; and how one follows from the other. */
function symptomsOf(scene: Scene, candidate: Candidate, followers: Candidate[], byKey: Map<string, Candidate[]>, cause: Map<Candidate, Candidate>): Pick<Root, 'symptoms' | 'chain'> {
  const own = keyOf(candidate.object);
  const others = (key: string): boolean => (byKey.get(key) ?? []).some((other) => other.explains.includes(key) && ultimate(other, cause) !== candidate);
  const edges = new Map<string, Edge>();
  const climb = (start: string[]): void => {
    for (const [key, edge] of scene.graph.above(start, (k) => isUnwell(scene, k) && !others(k))) if (edge && key !== own && !edges.has(key)) edges.set(key, edge);
  };
  const link = (from: string, to: string, why: string): void => {
    if (from !== to && from !== own && isObjectKey(from) && !edges.has(from)) edges.set(from, { from, to, why });
  };
  for (const key of candidate.explains) link(key, own, 'is broken by it');
  climb(keysOf(candidate));
  for (const follower of followers) {
    link(keyOf(follower.object), own, 'waits for it');
    for (const key of follower.explains) link(key, keyOf(follower.object), 'waits with it');
    climb(keysOf(follower));
  }
  const chain = firstOf([...edges.values()], scene.facts.namespace);
  return { symptoms: chain.map((edge) => edge.from), chain };
}

/** So many of them as are shown; when that is not all, those of the namespace asked about stay. */
function firstOf(edges: Edge[], namespace: string | undefined): Edge[] {
  if (edges.length <= mostSymptoms || namespace === undefined) return edges.slice(0, mostSymptoms);
  const asked = (edge: Edge): boolean => edge.from.includes(` ${namespace}/`);
  return [...edges.filter(asked), ...edges.filter((edge) => !asked(edge))].slice(0, mostSymptoms);
}

const isObjectKey = (key: string): boolean => /^[A-Z][A-Za-z]* /.test(key);
