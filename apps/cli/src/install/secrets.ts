import type { KubeObject } from '@larry/contracts';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { UserError } from '../user-error';
import { larrys, meta, ownRedisUrl, releases, type InstallChoices } from './releases';

/** The marks of what `larry install` makes, by which `larry uninstall` finds it. */
export const ourLabels = { 'app.kubernetes.io/part-of': 'larry', 'larry.dev/made-by': 'install' } as const;

/** Reads a Secret's values, or undefined where there is none. */
export type ReadSecret = (namespace: string, name: string) => Promise<Record<string, string> | undefined>;

/** What the installation needs, and what of it is not there yet. */
export interface NeededSecrets {
  make: KubeObject[];
  /** `namespace/name` of those that are there and stay as they are. */
  kept: string[];
  /** Shown once: the token of whoever installs, where a new one was made. */
  token?: string;
}

/**
 * The Secrets of the four namespaces. What is there is kept, and what must fit it is derived from it: an approval key that
 * exists gives its public half, and every Larry the journal key of the others.
 * @throws UserError where what is there contradicts what was asked for
 */
export async function neededSecrets(choices: InstallChoices, user: string, read: ReadSecret): Promise<NeededSecrets> {
  const needed: NeededSecrets = { make: [], kept: [] };
  const add = async (namespace: string, name: string, values: () => Record<string, string>): Promise<Record<string, string>> => {
    const there = await read(namespace, name);
    if (there) needed.kept.push(`${namespace}/${name}`);
    const result = there ?? values();
    if (!there) needed.make.push(secret(namespace, name, result));
    return result;
  };
  const approval = await add(meta, 'larry-approval-key', () => ({ 'approval.key': newApprovalKey() }));
  const token = randomBytes(24).toString('hex');
  await add(meta, 'larry-tokens', () => {
    needed.token = token;
    return { 'tokens.json': JSON.stringify({ [user]: createHash('sha256').update(token).digest('hex') }) };
  });
  const journal = (await firstJournalKey(read)) ?? randomBytes(32).toString('hex');
  await add(meta, 'larry-keys', () => ({ 'journal.key': journal }));
  const publicKey = publicHalf(approval['approval.key']);
  for (const larry of larrys) {
    const keys = await add(larry, 'larry-keys', () => ({ 'approval.pub': publicKey, 'journal.key': journal }));
    if (keys['approval.pub']?.trim() !== publicKey.trim()) {
      throw new UserError(`the Secret larry-keys in namespace ${larry} holds the public half of another approval key than larry-approval-key in ${meta}: delete it (kubectl delete secret larry-keys -n ${larry}) and run larry install again`);
    }
  }
  await redisSecrets(choices, read, add);
  return needed;
}

async function redisSecrets(choices: InstallChoices, read: ReadSecret, add: (namespace: string, name: string, values: () => Record<string, string>) => Promise<unknown>): Promise<void> {
  const there = await read(meta, 'larry-redis');
  const password = randomBytes(24).toString('hex');
  const url = choices.redisUrl ?? there?.['url'] ?? ownRedisUrl(password);
  const conf: Record<string, string> = choices.redisImage ? { 'redis.conf': `requirepass ${password}\n` } : {};
  for (const release of releases) {
    const existing = await read(release, 'larry-redis');
    if (existing && existing['url'] !== url) {
      throw new UserError(`the Secret larry-redis in namespace ${release} holds another address than was given: delete it (kubectl delete secret larry-redis -n ${release}) and run larry install again`);
    }
    await add(release, 'larry-redis', () => ({ url, ...(release === meta ? conf : {}) }));
  }
}

async function firstJournalKey(read: ReadSecret): Promise<string | undefined> {
  for (const namespace of releases) {
    const key = (await read(namespace, 'larry-keys'))?.['journal.key'];
    if (key) return key;
  }
  return undefined;
}

function newApprovalKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function publicHalf(privatePem = ''): string {
  try {
    return createPublicKey(createPrivateKey(privatePem)).export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    throw new UserError(`the Secret larry-approval-key in namespace ${meta} has no private key in PEM under approval.key: delete it and run larry install again`);
  }
}

function secret(namespace: string, name: string, values: Record<string, string>): KubeObject {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels: { ...ourLabels } }, type: 'Opaque', data };
}
