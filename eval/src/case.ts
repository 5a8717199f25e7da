import { Cluster, type World } from './cluster/cluster';
import { hash } from './cluster/chance';
import { kubeadm, lab, quickStart, type Flavour } from './cluster/nodes';
import { settleIn } from './cluster/noise';
import { target, type Target } from './cluster/objects';

/** The classes of causes that the figures are told by. */
export const caseClasses = ['admission', 'scheduling', 'startup', 'running', 'routing', 'infrastructure', 'pgadmin'] as const;
export type CaseClass = (typeof caseClasses)[number];

/** A root cause that a case holds: its code and the object whose field is wrong. */
export interface Expected extends Target {
  cause: string;
}

export interface EvalCase {
  id: string;
  class: CaseClass | 'healthy' | 'two faults';
  expected: Expected[];
  /** What is special about this one. */
  variant: string;
  /** Where the real texts and behaviour in it come from. */
  sources: readonly string[];
  half: Half;
  build(): World;
}

/** Rules are written looking at `dev` alone; the quoted figure is that of `held-out`. */
export type Half = 'dev' | 'held-out';

/** Does one thing to a cluster; `at` is the object at fault. */
export type Recipe = (c: Cluster, at: Required<Target>) => void;

/** A row of a table of cases: object at fault, what is special, what is done. */
export type Variant = readonly [at: string, what: string, recipe: Recipe];

/** One cause's cases. */
export interface Fault {
  class: CaseClass;
  cause: string;
  sources: readonly string[];
  variants: readonly Variant[];
}

/** Chosen once, before there were rules, so that every cause has cases in both halves; never to be changed. */
const salt = 2016;

/** The half of a case: by hash of cause and object, so that nobody chooses. */
export function halfOf(cause: string, at: string): Half {
  return hash(`${salt} ${cause} ${at}`) % 2 === 0 ? 'dev' : 'held-out';
}

/** The cases of one cause, each in a cluster of its own with healthy neighbours and stale events. */
export function casesOf({ class: caseClass, cause, sources, variants }: Fault): EvalCase[] {
  return variants.map(([at, variant, recipe]) => {
    const id = `${cause}/${at.replace(/[ /]/g, '-').toLowerCase()}`;
    const expected = [{ cause, ...target(at) }];
    return { id, class: caseClass, expected, variant, sources, half: halfOf(cause, at), build: () => world(id, [[at, recipe]]) };
  });
}

/** A cluster in which some things have been done. */
export function world(seed: string, recipes: readonly (readonly [at: string, recipe: Recipe])[]): World {
  const flavour = flavourOf(recipes.map(([at]) => at));
  const c = new Cluster(seed, flavour);
  for (const [at, recipe] of recipes) recipe(c, { namespace: '', ...target(at) });
  settleIn(c);
  return c.build();
}

/** The object at fault tells which cluster it is: the lab's nodes, kubeadm's, or else the quick start's. */
function flavourOf(objects: readonly string[]): Flavour {
  if (objects.some((at) => at.startsWith('Node lab-'))) return lab;
  return objects.some((at) => / (market\/|node-|cp-)/.test(at)) ? kubeadm : quickStart;
}
