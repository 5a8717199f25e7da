import { printable, textOf } from '@larry/contracts';
import type { AssetReference } from '../inventory';

/** A variable whose value is an address by its name; only then a bare word is taken for a host. */
const addressName = /(?:^|_)(?:HOST|HOSTS|HOSTNAME|URL|URI|ADDR|ADDRESS|SERVER|SERVERS|ENDPOINT|ENDPOINTS|DSN|BROKERS?|SERVICE|UPSTREAM|PEERS?|NODES?)(?:$|_)/i;

const dnsName = /(?<![\w.-])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,6}\.?(?![\w-])/g;

/**
 * Services that a text may name: `db.data.svc.cluster.local`, `db.data`, `db`. Candidates only: those of which no Service
 * exists are dropped when all Services are known, so they are marked optional.
 */
export function hostReferences(place: unknown, value: unknown, namespace: string | undefined): AssetReference[] {
  const text = textOf(value)?.slice(0, 2000);
  if (text === undefined || namespace === undefined) return [];
  const where = printable(place ?? '', 80);
  const isAddress = addressName.test(where) || text.includes('://');
  const found: AssetReference[] = [];
  for (const host of hostsIn(text)) {
    const [service = '', inNamespace = namespace, kind] = host.replace(/\.$/, '').split('.');
    const isService = kind === 'svc';
    if (!isService && (!isAddress || kind !== undefined)) continue;
    found.push({ kind: 'Service', namespace: inNamespace, name: service, via: `host name in ${where}`, optional: true });
  }
  return found;
}

/** DNS names in a text; of a URL its hosts only, so that users, passwords and paths are none. */
function hostsIn(text: string): string[] {
  const urls = [...text.matchAll(/[a-z][a-z0-9+.-]{0,30}:\/\/([^\s/?#"']{1,500})/gi)];
  const authorities = urls.map((m) => (m[1] as string).slice((m[1] as string).lastIndexOf('@') + 1));
  const rest = urls.length === 0 ? [text] : [];
  return [...authorities, ...rest].flatMap((part) => [...part.toLowerCase().matchAll(dnsName)].map((m) => m[0]).filter((name) => !/^\d+(?:\.\d+)*$/.test(name)));
}
