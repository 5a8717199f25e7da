import { printable } from '@larry/contracts';
import { candidatesOf } from './causes/finders';
import { classOfCause } from './cause-codes';
import type { Facts } from './facts/model';
import type { DiagnosisFinding, DiagnosisReport, Wishes } from './finding';
import { sceneOf, type Scene } from './graph/edges';
import { rootsOf, type Root } from './rank/rank';
import { ownerIn, remedyAt } from './remedy/remedy';

const mostEvidence = 12;

/** From facts to root causes: every finder proposes, the graph decides what follows from what. Pure; throws nothing for any facts. */
export function diagnose(facts: Facts, wishes: Wishes = {}): DiagnosisReport {
  return diagnoseScene(sceneOf(facts, wishes));
}

/** {@link diagnose} over a scene that is at hand. */
export function diagnoseScene(scene: Scene): DiagnosisReport {
  const { facts } = scene;
  const candidates = candidatesOf(scene);
  const findings = rootsOf(scene, candidates).map((root) => findingOf(facts, root)).filter((finding) => isAsked(facts, finding));
  return {
    at: new Date(facts.atMs).toISOString(),
    findings,
    unknowns: facts.unknowns,
    figures: figuresOf(scene),
  };
}

/** Asked about one namespace: how much there is of that one; nodes belong to none. */
function figuresOf({ facts, services }: Scene): DiagnosisReport['figures'] {
  const asked = <T extends { namespace: string }>(list: readonly T[]): T[] => list.filter(({ namespace }) => facts.namespace === undefined || namespace === facts.namespace);
  const workloads = asked(facts.workloads);
  return {
    workloads: workloads.length,
    pods: asked(facts.pods).length,
    services: asked(services).length,
    nodes: facts.objects.list('Node').length,
    events: facts.namespace === undefined ? facts.events.total : facts.events.countIn(facts.namespace),
    notRunning: workloads.filter((w) => w.state === 'not-running').length,
    starting: workloads.filter((w) => w.state === 'starting').length,
  };
}

/** Asked about one namespace: its own findings, and those of others that reach into it. */
function isAsked(facts: Facts, finding: DiagnosisFinding): boolean {
  if (facts.namespace === undefined || finding.namespace === '' || finding.namespace === facts.namespace) return true;
  return finding.symptoms.some((symptom) => symptom.includes(` ${facts.namespace ?? ''}/`));
}

function findingOf(facts: Facts, { candidate, alternatives, symptoms, chain }: Root): DiagnosisFinding {
  const { object } = candidate;
  const owner = ownerIn(facts, object);
  return {
    namespace: object.namespace ?? '',
    kind: object.kind,
    name: object.name,
    apiVersion: object.apiVersion,
    cause: candidate.cause,
    class: classOfCause(candidate.cause),
    title: printable(candidate.title, 500),
    confidence: Math.round(candidate.confidence * 100) / 100,
    evidence: candidate.evidence.slice(0, mostEvidence),
    alternatives: uniqueAlternatives(alternatives),
    symptoms: symptoms.map((key) => printable(key, 300)),
    chain: chain.map(({ from, to, why }) => ({ from: printable(from, 300), to: printable(to, 300), why: printable(why, 200) })),
    owner,
    remedy: remedyAt(facts, object, owner, candidate.remedy),
    ...('guess' in candidate.remedy && candidate.remedy.guess ? { guess: true as const } : {}),
  };
}

function uniqueAlternatives(alternatives: DiagnosisFinding['alternatives']): DiagnosisFinding['alternatives'] {
  return [...new Map(alternatives.map(({ cause, why }) => [cause, { cause, why: printable(why, 300) }])).values()].slice(0, 6);
}
