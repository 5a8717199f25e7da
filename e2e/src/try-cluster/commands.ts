import { spawn } from 'node:child_process';
import path from 'node:path';
import { repository } from '../helm';

/** A command under way. */
export interface Started {
  /** What it has printed so far. */
  readonly out: string;
  readonly err: string;
  /** Its exit code. */
  readonly over: Promise<number>;
  stop(): void;
}

/** The real kubectl and helm, and `larry`, over one cluster. */
export class Commands {
  constructor(
    private readonly programs: { kubectl: string; helm: string },
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  kubectl(...args: string[]): Promise<string> {
    return this.output(this.start('kubectl', args), `kubectl ${args.join(' ')}`);
  }

  helm(...args: string[]): Promise<string> {
    return this.output(this.start('helm', args), `helm ${args.join(' ')}`);
  }

  larry(...args: string[]): Promise<string> {
    return this.output(this.start('larry', args), `larry ${args.join(' ')}`);
  }

  /** What kubectl reads, parsed. */
  async read<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', ...args, '-o', 'json')) as T;
  }

  /** Starts one and does not wait for its end. */
  start(name: 'kubectl' | 'helm' | 'larry', args: readonly string[]): Started {
    const [program, ...first] = name === 'larry' ? [process.execPath, path.join(repository, 'apps/cli/dist/main.js')] : [this.programs[name]];
    const child = spawn(program as string, [...first, ...args], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    const over = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 130));
    });
    return { over, stop: () => void child.kill('SIGTERM'), get out() { return said.out; }, get err() { return said.err; } };
  }

  /** A Larry command as whoever holds this token. */
  as(token: string): Commands {
    return new Commands(this.programs, { ...this.env, LARRY_TOKEN: token });
  }

  private async output(started: Started, words: string): Promise<string> {
    const code = await started.over;
    if (code !== 0) throw new Error(`${words.slice(0, 200)}: exit code ${code}: ${(started.err || started.out).trim().slice(-1500)}`);
    return started.out;
  }
}
