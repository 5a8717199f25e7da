import { createInterface } from 'node:readline/promises';
import { UserError } from '../user-error';
import type { ClusterChoice } from './helm-tool';
import type { InstallChoices } from './releases';

/** The words of `larry install`. */
export interface InstallOptions extends ClusterChoice, Omit<InstallChoices, 'images'> {
  images?: string;
  user?: string;
  dryRun?: boolean;
  yes?: boolean;
}

/** What is missing is asked in a terminal; where nobody can be asked, one sentence says which option. */
export async function askedChoices(options: InstallOptions, redisIsThere: boolean): Promise<InstallChoices> {
  const images = options.images ?? (await asked('Where are the images (scripts/images --repository)?', '--images PREFIX', 'build them with scripts/images first'));
  const needsRedis = !options.redisUrl && !options.redisImage && !redisIsThere;
  const redisUrl = options.redisUrl ?? (needsRedis ? await asked('The address of your Redis (redis://HOST:6379)?', '--redis-url URL', 'or --redis-image IMAGE for a small one of its own') : undefined);
  const keeps = options.writeNamespaces.length > 0 || options.modes.some((mode) => mode !== 'observe');
  const { tag, redisImage, storageClass, singleNode, writeNamespaces, modes, values } = options;
  const storageSize = options.storageSize ?? (keeps ? '1Gi' : undefined);
  return {
    images: images.replace(/\/$/, ''),
    writeNamespaces,
    modes,
    values,
    ...(tag ? { tag } : {}),
    ...(redisUrl ? { redisUrl: checkedUrl(redisUrl) } : {}),
    ...(redisImage ? { redisImage } : {}),
    ...(storageSize ? { storageSize } : {}),
    ...(storageClass ? { storageClass } : {}),
    ...(singleNode ? { singleNode } : {}),
  };
}

function checkedUrl(url: string): string {
  if (!/^rediss?(-sentinel|-cluster)?:\/\/\S+$/.test(url)) throw new UserError('--redis-url must begin with redis://, rediss://, redis-sentinel:// or redis-cluster://');
  return url;
}

async function asked(question: string, option: string, advice: string): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new UserError(`nobody can be asked here: give ${option} (${advice})`);
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => dialogue.once('close', () => resolve('')));
  try {
    const answer = (await Promise.race([dialogue.question(`${question} `), closed])).trim();
    if (answer === '') throw new UserError(`nothing was answered, and nothing was done: give ${option} (${advice})`);
    return answer;
  } finally {
    dialogue.close();
  }
}
