import { printable, valueIn } from '@larry/contracts';
import { correctedJson } from './lax-json';

/** Why PgAdmin's import refuses a servers.json, and the same servers as it takes them where only their writing is at fault. */
export interface ServersProblem {
  problem: string;
  /** What was written wrongly, and the whole text with that alone put right. */
  corrected?: { text: string; what: string };
}

/** Looks at a servers.json as PgAdmin's import does (pgadmin4 `web/pgadmin/utils/__init__.py`, `validate_json_data`); undefined for one that it takes. */
export function serversProblem(text: string): ServersProblem | undefined {
  const servers = parsed(text);
  if (!('error' in servers)) {
    const lack = lackIn(servers.value);
    return lack === undefined ? undefined : { problem: lack };
  }
  const corrected = correctedJson(text);
  if (corrected === undefined) return { problem: servers.error };
  const lack = lackIn(JSON.parse(corrected.text));
  return lack === undefined ? { problem: servers.error, corrected: { text: corrected.text, what: corrected.what.join(', ') } } : { problem: `${servers.error}; and ${lack}` };
}

function parsed(text: string): { value: unknown } | { error: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { error: printable((error as Error).message, 150) };
  }
}

/** What each server must have; a service file may hold the rest. */
function lackIn(value: unknown): string | undefined {
  const servers = valueIn(value, 'Servers');
  if (typeof servers !== 'object' || servers === null || Array.isArray(servers)) return 'it has no object "Servers"';
  for (const [number, server] of Object.entries(servers)) {
    const has = (field: string): boolean => valueIn(server, field) !== undefined;
    const needs = ['Name', 'Group', ...(has('Service') ? [] : ['Port', 'Username', 'MaintenanceDB'])];
    const lacks = needs.find((field) => !has(field));
    if (lacks !== undefined) return `server ${printable(number, 40)} has no ${lacks}`;
    if (!['Host', 'HostAddr', 'Service'].some(has)) return `server ${printable(number, 40)} has no Host, HostAddr or Service`;
  }
  return undefined;
}
