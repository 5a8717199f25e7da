import { childType, deduced, type FieldType, type ListType, type MapType } from './field-types';
import { isObject, own, setOwn } from './json-values';
import { elementPath, indexElements } from './list-elements';

/**
 * The live object with an applied configuration laid over it: maps by key, lists of kind map or set by
 * element, everything else replaced. Shares every part that the configuration does not mention.
 */
export function mergeTyped(live: unknown, applied: unknown, declared: FieldType): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  const type = deduced(declared, applied);
  if (type.kind === 'list' && type.relation !== 'atomic') return mergeList(live, applied, type);
  if (type.kind === 'map' && !type.atomic) return mergeMap(live, applied, type);
  return applied;
}

function mergeMap(live: unknown, applied: unknown, type: MapType): unknown {
  if (!isObject(live) || Object.keys(live).length === 0) return applied;
  if (applied === null) return live;
  if (!isObject(applied)) return applied;
  const merged: Record<string, unknown> = { ...live };
  for (const [key, value] of Object.entries(applied)) {
    setOwn(merged, key, mergeTyped(own(live, key), value, childType(type, key) ?? { kind: 'any' }));
  }
  return merged;
}

/**
 * Two orders become one: the applied elements keep theirs, and the live ones that are not applied stay
 * where they stood among the elements that both sides know.
 */
function mergeList(live: unknown, applied: unknown, type: ListType): unknown {
  if (!Array.isArray(live) || live.length === 0) return applied;
  if (applied === null) return live;
  if (!Array.isArray(applied)) return applied;
  const liveElements = live as readonly unknown[];
  const livePaths = liveElements.map((element, i) => elementPath(type, element, i));
  const liveByPath = indexElements(type, liveElements);
  const appliedPaths = (applied as readonly unknown[]).map((element, i) => elementPath(type, element, i));
  const isApplied = new Set(appliedPaths);
  const shared = appliedPaths.filter((path) => liveByPath.has(path));
  const merged: unknown[] = [];
  let at = 0;
  let nextShared = 0;
  const takeLive = (): void => {
    for (; at < livePaths.length; at++) {
      const path = livePaths[at] ?? '';
      // A shared element ends the run when its turn has come; one that is out of turn is passed over.
      if (path === shared[nextShared]) return;
      if (!isApplied.has(path)) merged.push(liveElements[at]);
    }
  };
  (applied as readonly unknown[]).forEach((element, i) => {
    const path = appliedPaths[i] ?? '';
    takeLive();
    merged.push(mergeTyped(liveByPath.get(path)?.[0], element, type.element));
    if (path === shared[nextShared]) {
      nextShared++;
      if (livePaths[at] === path) at++;
    }
  });
  takeLive();
  return merged;
}
