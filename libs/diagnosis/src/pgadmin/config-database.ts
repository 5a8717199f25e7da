import { printable, textOf, valueIn } from '@larry/contracts';
import { seen, dotted } from '../causes/evidence';
import { serviceMeant } from '../causes/routing-names';
import { keyOf } from '../facts/object-index';
import type { Candidate, FieldChange } from '../finding';
import type { Call } from '../graph/edges';
import { variableOf, type Pgadmin } from './find';
import { sourceOf } from './credentials';

const variable = 'PGADMIN_CONFIG_CONFIG_DATABASE_URI';
const postgresPort = 5432;

/** The database that keeps PgAdmin's settings: where it is looked for, whether its own trouble may be the reason, and the change. */
export function configDatabaseOf(pgadmin: Pgadmin, line: string): { also: Candidate['evidence']; blames: string[]; remedy: FieldChange | { none: string } } {
  const { scene, workload } = pgadmin;
  const calls = (scene.callsOf.get(workload.key) ?? []).filter((c) => c.address.from === variable);
  const also = calls.flatMap(({ address, service, target }) => [
    seen(workload.ref, address.at ? dotted(address.at) : address.from, printable(`${address.host}:${address.port ?? postgresPort}`, 200)),
    ...(service ? [seen(service.ref, '.spec.ports', service.ports.map((p) => p.port).join(', '))] : scene.facts.objects.isMissing('Service', target.namespace, target.name) ? [seen({ apiVersion: 'v1', kind: 'Service', ...target }, '.', 'there is no such object')] : []),
  ]);
  const call = calls[0];
  const wrong = call && addressRemedy(pgadmin, call);
  // A wrong address is no fault of what has the right one.
  if (wrong) return { also, blames: [], remedy: wrong };
  return { also, blames: calls.map((c) => keyOf({ kind: 'Service', ...c.target })), remedy: { none: remedyOf(pgadmin, line) } };
}

/** What is wrong with the address itself; undefined where there is a Service with that port. */
function addressRemedy(pgadmin: Pgadmin, call: Call): FieldChange | { none: string } | undefined {
  const { address, service, target } = call;
  const { objects } = pgadmin.scene.facts;
  if (!service) {
    if (!objects.isMissing('Service', target.namespace, target.name)) return undefined;
    const near = serviceMeant(pgadmin.scene, call);
    if (near === undefined) return { none: `there is no Service ${target.namespace}/${target.name}, and which one is meant is for you to say: correct ${variable}` };
    const host = address.host.includes('.') && !near.includes('.') ? address.host.replace(/^[^.]+/, near) : near;
    return addressChange(pgadmin, call, { host }, `Look for the settings' database at ${host} instead of ${address.host}`);
  }
  const port = address.port ?? postgresPort;
  if (service.externalName || service.ports.length === 0 || service.ports.some((p) => p.port === port)) return undefined;
  const right = service.ports.length === 1 ? service.ports[0]?.port : service.ports.find((p) => p.port === postgresPort)?.port;
  if (right === undefined) return { none: `Service ${target.namespace}/${target.name} has no port ${port}, and which of its ports is meant is for you to say: correct ${variable}` };
  return addressChange(pgadmin, call, { port: right }, `Look for the settings' database at port ${right} instead of ${port}`);
}

/** The host or the port within the value; a name that is only near is for a person to confirm. */
function addressChange(pgadmin: Pgadmin, { address, workload }: Call, to: { host?: string; port?: number }, summary: string): FieldChange | { none: string } {
  if (address.configMap) return { none: `ConfigMap ${workload.namespace}/${address.configMap.name}, key ${address.configMap.key}: ${summary}` };
  const raw = textOf(valueIn(variableOf(pgadmin, variable)?.entry, 'value'));
  const value = raw === undefined ? undefined : withAddress(raw, address.host, to);
  if (address.at === undefined || value === undefined) return { none: `${summary}: correct ${variable}, or the variable that it is made of` };
  const note = 'the nearest name that exists: check that it is the one meant';
  return { summary, patch: [{ op: 'replace', path: address.at, value }], ...(to.host === undefined ? {} : { note, guess: true }) };
}

/** `'dialect+driver://user@host:port/database'` with another host or port; undefined where the host does not stand in it as it is. */
function withAddress(uri: string, was: string, { host, port }: { host?: string; port?: number }): string | undefined {
  const match = /^(\s*['"]?[a-z][a-z0-9+.-]*:\/\/(?:[^/@\s]*@)?)([^:/?\s'"]+)(:\d+)?(.*)$/is.exec(uri);
  if (!match || match[2] !== was) return undefined;
  return `${match[1] ?? ''}${host ?? was}${port === undefined ? (match[3] ?? '') : `:${port}`}${match[4] ?? ''}`;
}

function remedyOf(pgadmin: Pgadmin, line: string): string {
  if (/authentication failed|no password supplied|role ".*" does not exist|pg_hba\.conf/i.test(line)) return `the database answers and refuses the user: user and password are secrets that only you have; correct them in ${variable} or in the database`;
  const source = sourceOf(variableOf(pgadmin, variable)?.entry);
  return `correct ${variable}${source ? ` in ${source.kind} ${pgadmin.workload.namespace}/${source.name}, key ${source.key}` : ''}, or bring that database up`;
}
