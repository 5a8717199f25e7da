import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { RedisSetupError } from './errors';
import type { RedisAddress } from './url';

/** The files that the URL names, read. @throws RedisSetupError naming the one that cannot be read */
export function tlsOptions({ tlsFiles = {} }: RedisAddress): ConnectionOptions {
  const { ca, cert, key, servername } = tlsFiles;
  return {
    ...(ca ? { ca: pem('ca', ca) } : {}),
    ...(cert ? { cert: pem('cert', cert) } : {}),
    ...(key ? { key: pem('key', key) } : {}),
    ...(servername ? { servername } : {}),
  };
}

function pem(part: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new RedisSetupError(`The Redis URL names ?${part}=${file}, which cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`);
  }
  if (!text.includes('-----BEGIN ')) throw new RedisSetupError(`The Redis URL names ?${part}=${file}, which is not a PEM file.`);
  return text;
}
