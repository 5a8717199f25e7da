import { execFile } from 'node:child_process';

/** What a run of git ended with. `code` is null when it was ended from outside. */
export interface GitExit {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** What a run of git reads, and how it is ended. */
export interface GitRun {
  input?: string | Buffer;
  signal?: AbortSignal;
  /** More variables. */
  environment?: Record<string, string>;
}

/**
 * Whatever a repository's own configuration says: no hook, no file-system monitor, no program of its own for differences, no transport.
 */
const kept = [
  '-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.pager=cat', '-c', 'core.quotePath=false', '-c', 'diff.external=', '-c', 'protocol.allow=never',
  '-c', 'core.attributesFile=/dev/null', '-c', 'color.ui=false', '-c', 'gc.auto=0',
]; // prettier-ignore
const timeoutMs = 60_000;
const maxOutput = 256 * 1024 * 1024;

/**
 * Runs git without a shell. The machine's configuration and variables named `GIT_…` play no part; the user's own configuration does, as
 * it says which folders of others are trusted. Nothing is fetched, and nobody is asked. Throws when there is no git.
 */
export function runGit(folder: string, args: readonly string[], { input, signal, environment }: GitRun = {}): Promise<GitExit> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:GIT_|LARRY_|REDIS_|KAFKA_)/.test(name)));
  const env = { ...inherited, LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_ATTR_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1', GIT_NO_REPLACE_OBJECTS: '1', ...environment };
  return new Promise((resolve, reject) => {
    const child = execFile('git', ['-C', folder, '--no-pager', ...kept, ...args], { env, encoding: 'buffer', maxBuffer: maxOutput, timeout: timeoutMs, ...(signal ? { signal } : {}) }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (code === 'ENOENT') return reject(new Error('there is no git on PATH'));
      if (signal?.aborted) return reject(error as Error);
      resolve({ code: typeof code === 'number' ? code : null, stdout, stderr: stderr.toString('utf8') });
    });
    // Who ends before all is read has said why in its exit code.
    child.stdin?.on('error', () => undefined).end(input ?? '');
  });
}
