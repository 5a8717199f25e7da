import type { Column } from './columns-shared';
import { AGE, NAME, since } from './columns-shared';
import type { CustomKind } from './kinds';
import { isObject } from './kube-object';

/** The values at a path like `.spec.items[*].name` or `.status.conditions[?(@.type=="Ready")].status`. */
export function jsonPathValues(value: unknown, path: string): unknown[] {
  const steps = path.match(/\['[^']+'\]|\[\?\(@\.[^=]+==\s*["'][^"']*["']\s*\)\]|\[\*\]|\[\d+\]|\.(?:\\.|[^.[\]])+/g) ?? [];
  let here: unknown[] = [value];
  for (const step of steps) here = here.flatMap((v) => next(v, step));
  return here.filter((v) => v !== undefined);
}

function next(value: unknown, step: string): unknown[] {
  const filter = /^\[\?\(@\.([^=\s]+)\s*==\s*["']([^"']*)["']\s*\)\]$/.exec(step);
  if (filter) return Array.isArray(value) ? value.filter((v) => isObject(v) && String(v[filter[1] as string]) === filter[2]) : [];
  if (step === '[*]') return Array.isArray(value) ? value : [];
  const index = /^\[(\d+)\]$/.exec(step);
  if (index) return Array.isArray(value) ? [value[Number(index[1])]] : [];
  const key = step.startsWith("['") ? step.slice(2, -2) : step.slice(1).replace(/\\\./g, '.');
  return isObject(value) && Object.hasOwn(value, key) ? [value[key]] : [];
}

function cellOf(type: string, path: string, now: Date, object: unknown): unknown {
  const [value] = jsonPathValues(object, path);
  if (value === undefined || value === null) return null;
  if (type === 'date') return typeof value === 'string' ? since(value, now) : '<unknown>';
  if (type === 'integer' || type === 'number') return typeof value === 'number' ? value : null;
  if (type === 'boolean') return typeof value === 'boolean' ? value : null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A custom resource's own columns after its name; its age alone where it defines none. */
export function customColumns(custom: CustomKind): Column[] {
  if (custom.columns.length === 0) return [NAME, { ...AGE, type: 'date' }];
  const own = custom.columns.map((c): Column => ({
    name: c.name, type: c.type, format: c.format ?? '', priority: c.priority ?? 0,
    description: c.description ?? `Custom resource definition column (in JSONPath format): ${c.jsonPath}`,
    cell: (object, now) => cellOf(c.type, c.jsonPath, now, object),
  }));
  return [NAME, ...own];
}
