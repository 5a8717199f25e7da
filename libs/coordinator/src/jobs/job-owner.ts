import type { OwnerReference } from '@larry/contracts';
import { readFileSync } from 'node:fs';

/**
 * The account that a service-account token was given to, as the owner of objects in its namespace: with the account goes the
 * release that it is part of, and what it owns is garbage to collect. Undefined for any other token (Kubernetes, *Managing
 * Service Accounts*, bound tokens). It is the controlling owner, so that an inventory takes a worker's Job for what it is: made
 * and taken away by the coordinator, no asset of its own. Blocks no deletion, so that no right over the account is needed.
 */
export function accountOwner(token: string, namespace: string): OwnerReference | undefined {
  const account = claimsOf(token)?.['kubernetes.io'];
  if (account?.namespace !== namespace) return undefined;
  const { name, uid } = account.serviceaccount ?? {};
  return typeof name === 'string' && typeof uid === 'string' && name !== '' && uid !== '' ? { apiVersion: 'v1', kind: 'ServiceAccount', name, uid, controller: true } : undefined;
}

/**
 * Reads the owner anew each time it is asked for: an account that was deleted and made again has another uid, and what names
 * the old one would be collected at once. The API server takes no token of an account that is gone, so this one's is there.
 */
export function ownerFromTokenFile(file: string, namespace: string): () => OwnerReference | undefined {
  return () => {
    try {
      return accountOwner(readFileSync(file, 'utf8').trim(), namespace);
    } catch {
      return undefined;
    }
  };
}

interface AccountClaims {
  'kubernetes.io'?: { namespace?: unknown; serviceaccount?: { name?: unknown; uid?: unknown } };
}

/** What a JSON Web Token claims (RFC 7519). Its signature is the API server's to check. */
function claimsOf(token: string): AccountClaims | undefined {
  const [, payload] = token.split('.');
  if (!payload) return undefined;
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as AccountClaims;
  } catch {
    return undefined;
  }
}
