import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { repository, type Said } from './helm';

/** A line that a page prints, and what it answers. The fields are explained in `e2e/quick-start/lines.yaml`. */
export interface PrintedLine {
  line: string;
  section: string;
  when: string;
  follows?: boolean;
  answers: string[];
  with?: Record<string, string>;
  context?: string;
  skip?: string;
  cluster?: string;
}

/** The lines of a table. */
export function printedLines(file: string): PrintedLine[] {
  return parse(readFileSync(file, 'utf8')) as PrintedLine[];
}

/** The command lines of a page that begin with one of these programs: of its code blocks, and of code within its text. */
export function commandLines(markdown: string, programs: readonly string[]): string[] {
  const joined = markdown.replace(/\\\n\s*/g, '');
  const begins = new RegExp(`^(?:${programs.join('|')}) `);
  const inText = [...joined.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');
  return [...new Set([...joined.split('\n'), ...inText].map((line) => line.trim()).filter((line) => begins.test(line)))];
}

/** @throws Error with what was printed when it does not answer as the table says */
export function expectAnswer({ answers }: Pick<PrintedLine, 'answers'>, out: string): void {
  const missing = answers.filter((answer) => !new RegExp(answer, 'm').test(out));
  if (missing.length > 0) throw new Error(`no answer matches ${missing.map((answer) => `/${answer}/m`).join(', ')}; it printed (the last 3000 characters):\n${out.slice(-3000)}`);
}

/** A line with the address at hand for the pages' Redis. */
export function readersRedis(line: string, port: number): string {
  return line.replaceAll(/-h redis(?:-cluster)?\.redis-ha\.svc(?:\.cluster\.local)?(?: -p 6379)?(?= )/g, `-h 127.0.0.1 -p ${port}`).replaceAll('redis://redis.redis-ha.svc:6379', `redis://127.0.0.1:${port}`);
}

/** A program on PATH, or undefined. */
export function programOnPath(name: string): string | undefined {
  const files = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, name));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A shell in a folder of its own, whose PATH begins with these programs, under their names; `larry` is the built one. */
export class ReadersShell {
  private readonly running: Followed[] = [];
  private readonly env: NodeJS.ProcessEnv;

  constructor(
    private readonly folder: string,
    programs: Readonly<Record<string, string>>,
    env: NodeJS.ProcessEnv,
  ) {
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    for (const [name, file] of Object.entries(programs)) symlinkSync(file, path.join(bin, name));
    writeFileSync(path.join(bin, 'larry'), `#!/bin/sh\nexec '${process.execPath}' '${path.join(repository, 'apps/cli/dist/main.js')}' "$@"\n`, { mode: 0o755 });
    this.env = { ...env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` };
  }

  /** Types a line and waits for its end. */
  async type(line: string, env: NodeJS.ProcessEnv = {}): Promise<Said> {
    const followed = this.follow(line, env);
    const code = await followed.over;
    return { code, out: followed.out, err: followed.err };
  }

  /** Types a line that goes on. */
  follow(line: string, env: NodeJS.ProcessEnv = {}): Followed {
    const followed = new Followed(line, this.folder, { ...this.env, ...env });
    this.running.push(followed);
    return followed;
  }

  /** Ends what still follows. */
  async end(): Promise<void> {
    await Promise.all(this.running.map((followed) => followed.stop()));
  }
}

/** A line that has been typed. */
export class Followed {
  out = '';
  err = '';
  /** Its exit code. */
  readonly over: Promise<number>;
  private readonly child: ChildProcess;
  private ended = false;

  constructor(line: string, folder: string, env: NodeJS.ProcessEnv) {
    // A process group of its own: Ctrl-C reaches all of a pipe.
    this.child = spawn('/bin/sh', ['-c', line], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    this.over = new Promise((resolve) => {
      this.child.once('close', (code) => {
        this.ended = true;
        resolve(code ?? 130);
      });
    });
  }

  /** Ctrl-C. */
  async stop(): Promise<void> {
    if (!this.ended && this.child.pid) process.kill(-this.child.pid, 'SIGINT');
    await this.over;
  }
}
