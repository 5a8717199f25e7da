import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseImage } from '../../behaviours';
import type { Container, Pod } from '../../types';

/** The images of ours, by the last segment of their repository; registry and tag do not matter. */
export const programImages: readonly string[] = ['larry-01', 'larry-02', 'larry-03', 'meta-coordinator'];

/** The work folder of our images: the layout of the repository is there. */
export const imageRoot = '/opt/larry';

/** A container of ours that the simulation does not start; the sentence says why. */
export class ProgramRefused extends Error {
  override name = 'ProgramRefused';
}

/** Whether an image is one of ours. */
export function isProgramImage(image: string): boolean {
  return programImages.includes(parseImage(image)?.repository.split('/').at(-1) ?? '');
}

/** Whether any container of the pod is one of ours. */
export function hasPrograms(pod: Pod): boolean {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((container) => isProgramImage(container.image));
}

/**
 * The file that a container of ours starts: the first argument, which must be a built program of the repository. Nothing
 * else on the machine is started.
 * @throws ProgramRefused
 */
export function programFile(root: string, container: Container, args: readonly string[]): string {
  const command = container.command ?? [];
  if (command.length > 1 || (command.length === 1 && command[0] !== 'node')) {
    throw new ProgramRefused(`the simulation starts only our own programs by node, not ${command.join(' ')}: leave command out`);
  }
  const [program = ''] = args;
  const sentence = 'args[0] must name a built program as apps/larry-01/dist/main.js';
  const relative = program.startsWith(`${imageRoot}/`) ? program.slice(imageRoot.length + 1) : program;
  if (!/^apps\/[^/]+\/dist\/[^/].*\.js$/.test(relative) || path.posix.normalize(relative) !== relative) throw new ProgramRefused(`${sentence}, not ${JSON.stringify(program)}`);
  const dist = path.join(root, ...relative.split('/').slice(0, 3));
  const file = path.join(root, relative);
  try {
    const real = realpathSync(file);
    if (!real.startsWith(realpathSync(dist) + path.sep) || !statSync(real).isFile()) throw new ProgramRefused(`${program} leads out of ${relative.split('/').slice(0, 3).join('/')}: ${sentence}`);
    return real;
  } catch (error) {
    if (error instanceof ProgramRefused) throw error;
    throw new ProgramRefused(`${program} is not there: build it (npm run build), or name another program`);
  }
}

/** Node's own switches that a container may set: those that run no other code. */
const harmlessNodeOptions = /^(--max-old-space-size=\d+|--max-semi-space-size=\d+|--enable-source-maps|--no-warnings|--trace-warnings|--unhandled-rejections=\w+)$/;
const loaderVariable = /^(LD_|DYLD_|GCONV_PATH$|NODE_PATH$|NODE_REPL_)/;

/**
 * Refuses an environment by which node or the loader would run something else than the program.
 * @throws ProgramRefused
 */
export function checkEnvironment(env: Readonly<Record<string, string>>): void {
  const loader = Object.keys(env).find((name) => loaderVariable.test(name));
  if (loader) throw new ProgramRefused(`the simulation starts no program with ${loader} in its environment: leave it out`);
  const option = (env['NODE_OPTIONS'] ?? '').split(/\s+/).find((word) => word && !harmlessNodeOptions.test(word));
  if (option) throw new ProgramRefused(`the simulation starts no program with ${option} in NODE_OPTIONS: leave it out`);
}
