import { printable } from '@larry/contracts';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { UserError } from '../user-error';
import type { ClusterChoice } from './helm-tool';
import type { InstallChoices } from './releases';

/** The words of `larry install`. */
export interface InstallOptions extends ClusterChoice, Omit<InstallChoices, 'images'> {
  images?: string;
  /** A file with the address of a Redis; `-` is standard input. */
  redisUrlFile?: string;
  user?: string;
  dryRun?: boolean;
  yes?: boolean;
}

const modesThereAre = ['observe', 'ask', 'auto'];
/** A repository as container runtimes read it: a host with an optional port, and a path in small letters; no tag. */
const repository = /^[a-zA-Z0-9][a-zA-Z0-9.-]*(:\d+)?(\/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*\/?$/;

/** Refuses wrong words before anything is looked at or made. @throws UserError */
export function checkWords({ modes, images, tag, redisUrl, redisUrlFile }: InstallOptions): void {
  const quoted = (text: string): string => `"${printable(text, 100)}"`;
  const wrong = modes.find((mode) => !modesThereAre.includes(mode));
  if (wrong !== undefined) throw new UserError(`--modes: ${quoted(wrong)} is not one of ${modesThereAre.join(', ')}`);
  if (modes.length === 0) throw new UserError(`--modes names no mode: give some of ${modesThereAre.join(', ')}`);
  if (images !== undefined && !repository.test(images)) throw new UserError(`--images: ${quoted(images)} is not where images can be: give HOST/PATH without scheme, spaces and tag, as in registry.example/larry`);
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) throw new UserError(`--tag: ${quoted(tag)} is not a tag of an image: letters, digits, dots, dashes and underscores`);
  if (redisUrl !== undefined && redisUrlFile !== undefined) throw new UserError('--redis-url and --redis-url-file were both given: give one of them');
}

/** What is missing is asked in a terminal; where nobody can be asked, one sentence says which option. */
export async function askedChoices(options: InstallOptions, redisIsThere: boolean): Promise<InstallChoices> {
  const images = options.images ?? (await asked('Where are the images (scripts/images --repository)?', '--images PREFIX', 'build them with scripts/images first'));
  checkWords({ ...options, images });
  const given = options.redisUrlFile === undefined ? options.redisUrl : addressIn(options.redisUrlFile);
  const needsRedis = !given && !options.redisImage && !redisIsThere;
  const redisUrl = given ?? (needsRedis ? await asked('The address of your Redis (redis://HOST:6379)?', '--redis-url URL', 'or --redis-url-file FILE for one with a password, or --redis-image IMAGE for a small one of its own') : undefined);
  const keeps = options.writeNamespaces.length > 0 || options.repairHelm.length > 0 || options.modes.some((mode) => mode !== 'observe');
  const { tag, redisImage, storageClass, singleNode, writeNamespaces, repairHelm, modes, values } = options;
  const storageSize = options.storageSize ?? (keeps ? '1Gi' : undefined);
  return {
    images: images.replace(/\/$/, ''),
    writeNamespaces,
    repairHelm,
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

const redisAddress = /^rediss?(-sentinel|-cluster)?:\/\/\S+$/;

/** What is in the file is a secret: no message repeats it. */
function addressIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8').trim();
  } catch (error) {
    throw new UserError(`--redis-url-file: ${printable(file, 300)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  if (!redisAddress.test(text)) throw new UserError('--redis-url-file must hold an address that begins with redis://, rediss://, redis-sentinel:// or redis-cluster://, and nothing else');
  return text;
}

function checkedUrl(url: string): string {
  if (!redisAddress.test(url)) throw new UserError('--redis-url must begin with redis://, rediss://, redis-sentinel:// or redis-cluster://');
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
