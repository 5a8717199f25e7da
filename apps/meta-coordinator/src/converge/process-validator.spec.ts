import type { Criterion } from '@larry/contracts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { aResult } from '../../test/builders';
import { ProcessValidator, readValidations } from './process-validator';
import type { ClaimToValidate } from './validator';

const at = '2026-01-01T00:00:00.000Z';
const observation = { subject: 'Deployment a', value: '1', at };
const criterion = (id: string, verdict: Criterion['verdict']): Criterion =>
  verdict === 'met' || verdict === 'not-met' ? { id, text: id, verdict, observation } : { id, text: id, verdict, reason: 'because' };
const claim = (task: string, ...criteria: Criterion[]): ClaimToValidate => ({ task, options: {}, result: aResult(task, { criteria }) });
const answer = (...validations: unknown[]) => ({ output: JSON.stringify({ validations }) });
const validation = (task: string, ...criteria: Criterion[]) => ({ task, larry: 'larry-01', at, criteria, turned: [] });

describe('the answer of a validation', () => {
  it.each<[Criterion['verdict'], Criterion['verdict'], boolean]>([
    ['met', 'met', false],
    ['met', 'provisional', true],
    ['met', 'unknown', true],
    ['met', 'not-met', true],
    ['provisional', 'met', false],
    ['provisional', 'provisional', false],
    ['provisional', 'not-met', true],
    ['unknown', 'met', false],
    ['unknown', 'not-met', true],
    ['not-met', 'met', false],
    ['not-met', 'not-met', false],
  ])('a claim of %s that is %s now turned: %s', (before, after, turned) => {
    const [read] = readValidations('larry-01', [claim('a', criterion('c', before))], answer(validation('a', criterion('c', after))), new Date(at));
    expect(read?.turned).toEqual(turned ? ['c'] : []);
  });

  it('is not asked what turned: that follows from the criteria', () => {
    const lie = { ...validation('a', criterion('c', 'not-met')), turned: [] };
    expect(readValidations('larry-01', [claim('a', criterion('c', 'met'))], answer(lie), new Date(at))[0]?.turned).toEqual(['c']);
  });

  it('turns a claim that it does not speak of', () => {
    expect(readValidations('larry-01', [claim('a', criterion('c', 'met'))], answer(validation('a')), new Date(at))[0]?.turned).toEqual(['c']);
  });

  it.each<[string, Parameters<typeof readValidations>[2], RegExp]>([
    ['no JSON', { output: 'Segmentation fault' }, /something else than validations/],
    ['another shape', { output: '[]' }, /something else than validations/],
    ['nothing of the task', answer(validation('b')), /says nothing of it/],
    ["another Larry's word", answer({ ...validation('a'), larry: 'larry-02' }), /says nothing of it/],
    ['a verdict without an observation', answer({ ...validation('a'), criteria: [{ id: 'c', text: 'c', verdict: 'met' }] }), /says nothing of it/],
    ['a failure', { problem: 'did not answer in time' }, /the validation of larry-01 did not answer in time/],
  ])('that is %s is a problem, never fine', (_, said, problem) => {
    const [read] = readValidations('larry-01', [claim('a', criterion('c', 'met'))], said, new Date(at));
    expect(read).toMatchObject({ task: 'a', larry: 'larry-01', criteria: [], turned: [], problem: expect.stringMatching(problem) as string });
  });
});

describe('a validation in a process of its own', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-validator-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const signal = new AbortController().signal;

  async function validated(program: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) {
    const file = path.join(folder, `${Math.random().toString(36).slice(2)}.js`);
    writeFileSync(file, program);
    const validator = new ProcessValidator({ programs: { 'larry-01': file }, timeoutMs: options.timeoutMs ?? 15_000 });
    const [first] = await validator.validate('larry-01', 'run-1', [claim('a', criterion('c', 'met'))], options.signal ?? signal);
    return first;
  }
  const reading = (then: string) => `let t = ''; process.stdin.on('data', (d) => (t += d)).on('end', () => { const request = JSON.parse(t); ${then} });`;

  it('gets the claims on standard input and its own name in the environment', async () => {
    const echo = reading(`
      const { LARRY_VALIDATE, LARRY_ID, LARRY_RUN } = process.env;
      const [{ task, options, result }] = request.tasks;
      const value = [LARRY_VALIDATE, LARRY_ID, LARRY_RUN, request.run, task, JSON.stringify(options), result.criteria.length].join(' ');
      const criteria = [{ id: 'c', text: 'c', verdict: 'not-met', observation: { subject: 's', value, at: '${at}' } }];
      console.log(JSON.stringify({ validations: [{ task, larry: LARRY_ID, at: '${at}', criteria, turned: [] }] }));`);
    const read = await validated(echo);
    expect(read?.problem).toBeUndefined();
    expect(read?.criteria[0]?.observation?.value).toBe('1 larry-01 run-1 run-1 a {} 1');
    expect(read?.turned).toEqual(['c']);
  });

  it.each([
    ['that hangs is killed in time', 'setInterval(() => undefined, 1000)', { timeoutMs: 300 }, /did not answer in time/],
    ['that fails is a problem with its last words', "console.error('no cluster at \\u001b[31mhost'); process.exit(1)", {}, /exit code 1: no cluster at/],
    ['that is killed is a problem', "process.kill(process.pid, 'SIGKILL')", {}, /ended with a signal/],
    ['that never reads its input is a problem like any other', 'process.exit(0)', {}, /something else than validations/],
    ['that prints without end is stopped', "const b = 'x'.repeat(1 << 20); (function w() { process.stdout.write(b, w); })();", {}, /more than \d+ bytes/],
  ])('%s', async (_, program, options, problem) => {
    expect((await validated(program, options))?.problem).toMatch(problem);
  });

  it('is stopped when the lease is lost', async () => {
    const read = await validated('setInterval(() => undefined, 1000)', { signal: AbortSignal.abort(new Error('lost')) });
    expect(read?.problem).toMatch(/was stopped/);
  });

  it('that cannot be started, or is not known, is a problem', async () => {
    const validator = new ProcessValidator({ programs: { 'larry-01': path.join(folder, 'absent.js') }, timeoutMs: 15_000 });
    expect((await validator.validate('larry-01', 'r', [claim('a')], signal))[0]?.problem).toMatch(/exit code 1/);
    expect((await validator.validate('larry-02', 'r', [claim('a')], signal))[0]?.problem).toMatch(/LARRY_WORKER_PROGRAMS/);
  });
});
