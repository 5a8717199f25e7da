import { printable } from '@larry/contracts';
import { execFile } from 'node:child_process';
import { onPath } from '../local/on-path';
import { exitCodes, UserError } from '../user-error';

/** Which cluster, in kubectl's words. */
export interface ClusterChoice {
  kubeconfig?: string;
  context?: string;
}

/** The helm on PATH, speaking to one cluster. */
export class HelmTool {
  private readonly program: string;

  /** @throws UserError where there is no helm */
  constructor(private readonly cluster: ClusterChoice) {
    const program = onPath('helm');
    if (!program) throw new UserError('there is no helm on PATH: install helm 4 (https://helm.sh/docs/intro/install), then run this again');
    this.program = program;
  }

  /** helm's output. @throws UserError with helm's own sentence */
  run(args: readonly string[]): Promise<string> {
    const { kubeconfig, context } = this.cluster;
    const all = [...args, ...(kubeconfig ? ['--kubeconfig', kubeconfig] : []), ...(context ? ['--kube-context', context] : [])];
    return new Promise((resolve, reject) => {
      execFile(this.program, all, { maxBuffer: 64 * 1024 * 1024, timeout: 600_000 }, (error, out, err) => {
        if (!error) return resolve(out);
        reject(new UserError(`helm ${args.slice(0, 3).join(' ')}: ${sentence(err) || error.message}`, exitCodes.incomplete));
      });
    });
  }
}

/** helm's last word, without its log lines. */
function sentence(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/^level=|^Use --debug/.test(line));
  return printable(lines.join(' ').replace(/^Error: /, ''), 1500);
}
