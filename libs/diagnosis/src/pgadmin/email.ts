/**
 * Domains that python-email-validator refuses, with everything below them. PgAdmin's entrypoint checks the address with
 * it and with the deliverability check off. `example.com` is on purpose not among them (RFC 6761, 6.5).
 */
const specialUseDomains = ['arpa', 'invalid', 'local', 'localhost', 'onion', 'test'];

const localPart = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]+)*$/;
const label = /^[a-z0-9\u0080-\uffff](?:[a-z0-9\u0080-\uffff-]{0,61}[a-z0-9\u0080-\uffff])?$/i;

/**
 * Why PgAdmin would refuse this e-mail address, or undefined when it would not. `allowed` are the special-use domains
 * that PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS lets through.
 */
export function emailProblem(address: string, allowed: readonly string[] = []): string | undefined {
  const at = address.lastIndexOf('@');
  if (at < 0) return 'it has no @';
  const [local, domain] = [address.slice(0, at), address.slice(at + 1).replace(/\.$/, '')];
  if (!localPart.test(local) || local.length > 64) return 'the part before the @ is not valid';
  const labels = domain.split('.');
  if (domain.length > 253 || !labels.every((l) => label.test(l))) return 'the part after the @ is not a domain name';
  const special = specialUseDomains.find((d) => !allowed.includes(d) && labels.at(-1)?.toLowerCase() === d);
  if (special) return `"${special}" is a special-use domain`;
  if (labels.length < 2) return 'the domain has no dot';
  if (!/[a-z\u0080-\uffff]$/i.test(domain)) return 'the domain does not end with a letter';
  return undefined;
}

/** The special-use domains that PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS names: a Python list or text with commas. */
export function allowedSpecialDomains(setting: string | undefined): string[] {
  return setting === undefined ? [] : [...setting.matchAll(/[a-z]+/gi)].map((m) => m[0].toLowerCase());
}

/** An address PgAdmin accepts: the same name at another domain; `pgadmin@…` where the name is not valid either. */
export function repairedEmail(address: string | undefined, domain: string): string {
  const name = address?.includes('@') ? address.slice(0, address.lastIndexOf('@')) : (address ?? '');
  const kept = `${name}@${domain}`;
  return /^[A-Za-z0-9._+-]+$/.test(name) && emailProblem(kept) === undefined ? kept : `pgadmin@${domain}`;
}
