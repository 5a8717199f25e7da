import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '@larry/contracts';
import { ClusterUnavailableError, UnknownKindError } from '../errors';
import { LineSplitter } from '../records';
import { parseLabelSelector, selects } from '../selector';
import { asKubeObject, isRecord } from '../untrusted-object';
import { NoAnswerError, type ApiClient } from './api-request';
import type { ServedKind } from './discovery';
import { splitFields } from './list-pages';
import { apiPath, query } from './paths';

/** A change of an object that is watched. */
export interface ObjectChange {
  /** `present` for an object that was there when the watch began, or began again after it lost its place. */
  type: 'present' | 'added' | 'modified' | 'deleted';
  object: KubeObject;
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  /** As in `ListOptions`. */
  fieldSelector?: string;
  signal?: AbortSignal;
  /** Called when every object that is there has been given as `present`: what was known and not given is gone. */
  listed?(): void;
}

const serverTimeoutS = 240;
const mostFailures = 5;
/** A connection that lasted this long ended as the server ends every watch now and then. */
const steadyMs = 10_000;
const changeTypes: Record<string, ObjectChange['type']> = { ADDED: 'added', MODIFIED: 'modified', DELETED: 'deleted' };

/** Where a watch stands between two connections. */
interface Place {
  resourceVersion: string;
  failures: number;
}

/**
 * Changes of a kind for as long as the caller iterates: first what is there, then what changes. A cut connection is taken up where it
 * was; when the server has forgotten that place (410), everything is given once more as `present`.
 * @throws ClusterUnavailableError after five connections in a row that brought nothing; UnknownKindError when it is not permitted.
 */
export async function* watchKind(
  api: ApiClient,
  kind: ServedKind,
  options: WatchOptions,
  present: () => Promise<{ objects: KubeObject[]; resourceVersion: string }>,
): AsyncIterable<ObjectChange> {
  // What the server selects by it also reports as deleted once it no longer fits: only the rest is left to us.
  const wanted = selects({ namespace: options.namespace, fieldSelector: splitFields(kind, options.fieldSelector).rest });
  parseLabelSelector(options.labelSelector ?? '');
  const place: Place = { resourceVersion: '', failures: 0 };
  while (!options.signal?.aborted) {
    if (place.resourceVersion === '') {
      const list = await present();
      place.resourceVersion = list.resourceVersion;
      for (const object of list.objects) if (wanted(object)) yield { type: 'present', object };
      options.listed?.();
    }
    const began = Date.now();
    try {
      for await (const change of oneConnection(api, kind, options, place)) if (wanted(change.object)) yield change;
    } catch (error) {
      if (options.signal?.aborted) return;
      if (!(error instanceof NoAnswerError)) throw error;
    }
    place.failures = Date.now() - began > steadyMs ? 0 : place.failures + 1;
    if (place.failures > mostFailures) throw new ClusterUnavailableError(`${api.server} cut the watch of ${kind.resource} ${mostFailures} times in a row`);
    if (place.failures > 1) await delay(api.retryMs * 2 ** place.failures, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

async function* oneConnection(api: ApiClient, kind: ServedKind, options: WatchOptions, place: Place): AsyncIterable<ObjectChange> {
  const { namespace, labelSelector, signal } = options;
  const { resourceVersion } = place;
  const path = apiPath(kind, { namespace }) + query({ watch: true, allowWatchBookmarks: true, timeoutSeconds: serverTimeoutS, resourceVersion, labelSelector, fieldSelector: splitFields(kind, options.fieldSelector).served });
  const response = await api.stream({ path, signal }, (serverTimeoutS + 60) * 1000);
  const stop = () => response.destroy();
  try {
    const { statusCode = 0 } = response;
    if (statusCode === 410) {
      place.resourceVersion = '';
      return;
    }
    if (statusCode === 401) throw new ClusterUnavailableError(`${api.server} refuses the credentials of this context (401): log in again`);
    if (statusCode === 403 || statusCode === 404) throw new UnknownKindError(kind.kind, statusCode === 403 ? 'forbidden: watching is not permitted' : 'not served');
    if (statusCode !== 200) throw new NoAnswerError(`HTTP ${statusCode}`);
    const lines = new LineSplitter();
    for await (const chunk of response) {
      for (const { bytes } of lines.push(chunk as Buffer)) {
        const change = readEvent(bytes, kind, place);
        if (change) yield change;
        if (place.resourceVersion === '') return;
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') throw new NoAnswerError('cut', { cause: error });
    throw error;
  } finally {
    stop();
  }
}

/** Moves the place on; gives the change, if the event is one. */
function readEvent(line: Buffer, kind: ServedKind, place: Place): ObjectChange | undefined {
  let event: unknown;
  try {
    event = JSON.parse(line.toString());
  } catch {
    throw new NoAnswerError('an event of the watch is not JSON');
  }
  if (!isRecord(event)) return undefined;
  if (event['type'] === 'ERROR') {
    // 410: the place is too old. Anything else: begin again just so.
    place.resourceVersion = '';
    return undefined;
  }
  const metadata = isRecord(event['object']) ? event['object']['metadata'] : undefined;
  if (isRecord(metadata) && typeof metadata['resourceVersion'] === 'string') place.resourceVersion = metadata['resourceVersion'];
  place.failures = 0;
  const type = typeof event['type'] === 'string' ? changeTypes[event['type']] : undefined;
  const result = asKubeObject(event['object'], kind);
  return type && 'object' in result ? { type, object: result.object } : undefined;
}
