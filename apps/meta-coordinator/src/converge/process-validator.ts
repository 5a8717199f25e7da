import { printable, validationSchema, type Validation } from '@larry/contracts';
import { turnedCriteria } from '@larry/coordinator';
import { spawn } from 'node:child_process';
import { z } from 'zod';
import { unobserved, type ClaimToValidate, type Validator } from './validator';

/** How Larrys are asked on one machine. */
export interface ProcessValidatorOptions {
  /** The worker program by Larry. */
  programs: Readonly<Record<string, string>>;
  /** Milliseconds for one Larry's validation; then it is killed. */
  timeoutMs: number;
  /** Added to this process' environment. */
  env?: Record<string, string>;
}

const answerSchema = z.object({ validations: z.array(z.unknown()) });
const maxAnswerBytes = 32 * 1024 * 1024;

/** One process for each Larry: its worker program with `LARRY_VALIDATE=1`, claims on standard input, the answer on standard output. */
export class ProcessValidator implements Validator {
  constructor(private readonly options: ProcessValidatorOptions) {}

  async validate(larry: string, run: string, claims: readonly ClaimToValidate[], signal: AbortSignal): Promise<Validation[]> {
    if (claims.length === 0) return [];
    const program = this.options.programs[larry];
    if (program === undefined) return unobserved(larry, claims, `nobody can look anew for ${larry}: LARRY_WORKER_PROGRAMS does not name its worker program`, new Date());
    const env = { ...process.env, ...this.options.env, LARRY_VALIDATE: '1', LARRY_RUN: run, LARRY_ID: larry, PORT: '0', LARRY_READY_FILE: '' };
    const said = await runProgram(program, env, JSON.stringify({ run, tasks: claims }), AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMs)]));
    return readValidations(larry, claims, said, new Date());
  }
}

/** What a program came to: its output, or why there is none. */
export type ProgramAnswer = { output: string } | { problem: string };

/** Reads an answer; whatever is missing, wrong or about something else becomes a problem of the claim. Pure but for its input. */
export function readValidations(larry: string, claims: readonly ClaimToValidate[], said: ProgramAnswer, at: Date): Validation[] {
  if ('problem' in said) return unobserved(larry, claims, `the validation of ${larry} ${said.problem}`, at);
  const answer = answerSchema.safeParse(jsonOf(said.output));
  if (!answer.success) return unobserved(larry, claims, `the validation of ${larry} answered with something else than validations`, at);
  const known = answer.data.validations.flatMap((value) => {
    const parsed = validationSchema.safeParse(value);
    return parsed.success && parsed.data.larry === larry ? [parsed.data] : [];
  });
  return claims.flatMap((claim) => {
    const validation = known.find((v) => v.task === claim.task);
    if (!validation) return unobserved(larry, [claim], `the validation of ${larry} says nothing of it`, at);
    // What turned follows from the criteria; it is not taken from the answer.
    return [{ ...validation, turned: validation.problem ? [] : turnedCriteria(claim.result.criteria, validation.criteria) }];
  });
}

function runProgram(program: string, env: NodeJS.ProcessEnv, input: string, signal: AbortSignal): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--max-old-space-size=512', program], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    let bytes = 0;
    let errors = '';
    let stopped: string | undefined;
    const stop = (why: string): void => {
      stopped ??= why;
      child.kill('SIGKILL');
    };
    const onAbort = (): void => stop((signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError' ? 'did not answer in time' : 'was stopped');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxAnswerBytes) stop(`answered with more than ${maxAnswerBytes} bytes`);
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString('utf8')).slice(-2000)));
    child.once('error', (error) => (stopped ??= `could not be started: ${error.message}`));
    child.once('close', (code) => {
      signal.removeEventListener('abort', onAbort);
      if (stopped) return resolve({ problem: stopped });
      if (code !== 0) return resolve({ problem: `ended with ${code === null ? 'a signal' : `exit code ${code}`}: ${printable(errors.trim().split('\n').at(-1) ?? '', 300)}` });
      resolve({ output: Buffer.concat(output).toString('utf8') });
    });
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
