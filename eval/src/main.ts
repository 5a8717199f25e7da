import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openSnapshot, writeSnapshot, type ClusterReader } from '@larry/kube';
import type { Half } from './case';
import { cases } from './cases';
import type { World } from './cluster/cluster';
import { evaluate, type Outcome } from './evaluate';
import { givens, readerOf, type Given } from './given';
import { figuresOf, renderFigures, renderMiss } from './table';

const usage = `npm run eval -- [--half dev|held-out] [--only TEXT] [--show-held-out] [--given all|no-events|no-logs|dump] [--folders] [--json]

Diagnoses every case and compares with what it holds (docs/evaluation.md). Without --half both halves are run; the
figure that is quoted is the held-out half's, whose misses are shown by name alone.
  --only TEXT       only cases whose name contains it
  --show-held-out   what was found instead, for the held-out half too: not while writing rules
  --given           how much of each cluster is shown
  --folders         through snapshot folders on disk, as larry diagnose --snapshot reads them
  --json            figures and misses for programs`;

/** Runs the evaluation; returns the exit code: 0 when every case could be judged, 2 for bad arguments. */
export async function main(args: string[]): Promise<number> {
  const options = read(args);
  if (options === undefined) return 2;
  const chosen = cases.filter(({ half, id }) => (options.half === undefined || half === options.half) && id.includes(options.only ?? ''));
  if (chosen.length === 0) {
    console.error(`eval: no case has ${JSON.stringify(options.only)} in its name${options.half ? ` in the ${options.half} half` : ''}`);
    return 2;
  }
  const folders = options.folders ? new Folders() : undefined;
  const outcomes: Outcome[] = [];
  try {
    for (const one of chosen) outcomes.push(await evaluate(one, (name, world) => (folders ? folders.open(name, world) : readerOf(name, world, options.given))));
  } finally {
    folders?.remove();
  }
  const halves = (['dev', 'held-out'] as const).filter((half) => outcomes.some((one) => one.half === half));
  if (options.json) printJson(outcomes, halves, options.showHeldOut);
  else for (const half of halves) print(outcomes.filter((one) => one.half === half), half, half === 'dev' || options.showHeldOut);
  return 0;
}

interface Options {
  half?: Half;
  only?: string;
  showHeldOut: boolean;
  given: Given;
  folders: boolean;
  json: boolean;
}

function read(args: string[]): Options | undefined {
  try {
    const { values } = parseArgs({ args, options: { half: { type: 'string' }, only: { type: 'string' }, 'show-held-out': { type: 'boolean' }, given: { type: 'string' }, folders: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
    if (values.help) throw new Error(usage);
    const { half } = values;
    if (half !== undefined && half !== 'dev' && half !== 'held-out') throw new Error(`eval: --half ${half}: there are dev and held-out`);
    const given = givens.find((one) => one === (values.given ?? 'all'));
    if (given === undefined) throw new Error(`eval: --given ${values.given}: there are ${givens.join(', ')}`);
    return { half, given, only: values.only, showHeldOut: values['show-held-out'] === true, folders: values.folders === true, json: values.json === true };
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}

function print(outcomes: Outcome[], half: Half, detail: boolean): void {
  const figures = figuresOf(outcomes);
  console.log(`\n${renderFigures(half === 'dev' ? 'The dev half: rules may be written looking at it' : 'The held-out half: the figure that is quoted', figures)}`);
  if (figures.misses.length === 0) return;
  console.log(`Misses (${figures.misses.length}):`);
  for (const miss of figures.misses) console.log(renderMiss(miss, detail));
}

function printJson(outcomes: Outcome[], halves: readonly Half[], showHeldOut: boolean): void {
  const result = halves.map((half) => {
    const { misses, ...figures } = figuresOf(outcomes.filter((one) => one.half === half));
    const detail = half === 'dev' || showHeldOut;
    return { half, ...figures, misses: misses.map((one) => (detail ? { id: one.id, expected: one.expected, found: one.found.map(({ cause, kind, namespace, name, confidence }) => ({ cause, kind, namespace, name, confidence })) } : { id: one.id })) };
  });
  console.log(JSON.stringify(result, null, 2));
}

/** Cases as snapshot folders, which go when all is done. */
class Folders {
  private readonly root = mkdtempSync(path.join(os.tmpdir(), 'larry-eval-'));
  private count = 0;

  async open(name: string, world: World): Promise<ClusterReader> {
    const folder = path.join(this.root, String((this.count += 1)));
    await writeSnapshot(readerOf(name, world), folder);
    return openSnapshot(folder);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
