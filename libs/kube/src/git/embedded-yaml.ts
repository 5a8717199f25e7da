import { valueIn } from '@larry/contracts';
import { yamlParts } from '../manifest-documents';
import { isRecord } from '../untrusted-object';

/** The map of the YAML text that a field holds (`valuesContent` of a HelmChart); undefined where it holds another thing, or several documents. */
export function embeddedMap(text: string): Record<string, unknown> | undefined {
  const [part, ...others] = yamlParts('values.yaml', text);
  if (!part || !('document' in part) || others.length > 0) return undefined;
  try {
    const value: unknown = part.document.toJS({ maxAliasCount: 100 });
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Where a path goes on below a string: the path to the string, what it holds, and the rest of the path. */
export function belowString(value: unknown, path: readonly (string | number)[]): { outer: (string | number)[]; text: string; inner: (string | number)[] } | undefined {
  for (let depth = 1; depth < path.length; depth += 1) {
    const [outer, inner] = [path.slice(0, depth), path.slice(depth)];
    const text = valueIn(value, ...outer);
    if (typeof text === 'string') return { outer, text, inner };
  }
  return undefined;
}

/** The value at a path that may go on below strings. */
export function valueThrough(value: unknown, path: readonly (string | number)[]): unknown {
  const below = belowString(value, path);
  return below ? valueThrough(embeddedMap(below.text), below.inner) : valueIn(value, ...path);
}
