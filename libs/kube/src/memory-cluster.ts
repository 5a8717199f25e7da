import type { KubeObject } from '@larry/contracts';
import { builtinKind, builtinKinds, guessPlural, kindKey } from './builtin-kinds';
import { LogUnavailableError, UnknownKindError } from './errors';
import { lastLines } from './log-lines';
import { ObjectSet } from './object-set';
import type { ClusterReader, KindInfo, KindRef, SourceInfo } from './reader';

/** What a {@link memoryCluster} knows beside its objects. */
export interface MemoryClusterOptions {
  /** Logs by `namespace/pod/container`, or `namespace/pod/container:previous`. */
  logs?: Record<string, string | string[]>;
  /** Kinds that the source cannot tell, by kind (`Secret`), each with the reason. */
  unknown?: Record<string, string>;
  /** What the source says it is; a live cluster, not simulated, by default. */
  source?: Partial<SourceInfo>;
  /** Where objects stand in files, by `Kind namespace/name` or `Kind name`. */
  origins?: Record<string, { file: string; line?: number }>;
}

/**
 * A {@link ClusterReader} over an array of objects, for tests. It serves Kubernetes' own kinds, empty where the array has
 * none, and the kinds in the array; any other kind is unknown (`not served`), as a live cluster says.
 */
export function memoryCluster(objects: KubeObject[], options: MemoryClusterOptions = {}): ClusterReader {
  const held = new ObjectSet();
  for (const object of objects) held.add(object);
  const source: SourceInfo = { type: 'live', name: 'memory', simulated: false, ...options.source };
  const unknown = new Map(Object.entries(options.unknown ?? {}));

  const requireKnown = (kind: KindRef): void => {
    const reason = unknown.get(kind.kind) ?? (builtinKind(kind) || held.has(kind) ? undefined : 'not served');
    if (reason !== undefined) throw new UnknownKindError(kind.kind, reason);
  };

  return {
    source,
    kinds: async () => kindsOf(held, unknown),
    async *list(kind, listOptions) {
      requireKnown(kind);
      yield* held.list(kind, listOptions);
    },
    async get(ref) {
      requireKnown(ref);
      return held.get(ref);
    },
    async logs(pod, container, logOptions) {
      const key = `${pod.namespace}/${pod.name}/${container}${logOptions?.previous ? ':previous' : ''}`;
      const log = options.logs?.[key];
      if (log === undefined) throw new LogUnavailableError(`no log of ${key}`);
      return lastLines(typeof log === 'string' ? log : log.join('\n'), logOptions);
    },
    originOf(object) {
      const { namespace, name } = object.metadata;
      return options.origins?.[`${object.kind} ${namespace ? `${namespace}/` : ''}${name}`];
    },
    files: () => ({ loaded: [], skipped: [] }),
    close: async () => undefined,
  };
}

function kindsOf(held: ObjectSet, unknown: Map<string, string>): KindInfo[] {
  const infos = new Map<string, Omit<KindInfo, 'availability'>>();
  for (const { runtime: _, ...kind } of builtinKinds) infos.set(kindKey(kind), kind);
  for (const objects of held.kinds()) {
    const [{ apiVersion, kind }] = objects as [KubeObject];
    const namespaced = objects.some(({ metadata }) => metadata.namespace !== undefined);
    const info = { apiVersion, kind, resource: guessPlural(kind), namespaced };
    if (!infos.has(kindKey(info))) infos.set(kindKey(info), info);
  }
  return [...infos.values()].map((info) => {
    const reason = unknown.get(info.kind);
    return { ...info, availability: reason === undefined ? { state: 'listed' } : { state: 'unknown', reason } };
  });
}
