import type { IncomingMessage, ServerResponse } from 'node:http';
import { apiVersionOf } from './kinds';
import type { KubeObject } from './kube-object';
import type { Selection } from './reads';
import { tooLarge, versionOf } from './reads';
import { badRequest, invalid } from './api-error';
import type { ServerState } from './state';
import type { StoreEvent } from './store';
import { acceptOf, columnDefinitions, partial, tableRow } from './table';
import { viewOf } from './views';

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
/** A watch that its client does not read is cut when this much waits for it. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
const BOOKMARK_EVERY_MS = 60_000;
/** Without `timeoutSeconds` a watch ends after this long, as the real server ends them after 30 to 60 minutes. */
const DEFAULT_TIMEOUT_S = 1_800;

/** Answers a watch until its time is over, the client goes, or `stop` is called (returned, also when the watch has ended). */
export function sendWatch(state: ServerState, req: IncomingMessage, res: ServerResponse, selection: Selection, query: URLSearchParams): () => void {
  const start = startOf(state, query);
  const watch = new Watch(state, req, res, selection, query);
  return watch.run(start);
}

interface Start {
  /** Send all present objects first. */
  initial: boolean;
  /** Then end them with a marked bookmark. */
  marked: boolean;
  version: number;
}

function startOf(state: ServerState, query: URLSearchParams): Start {
  const asked = versionOf(query.get('resourceVersion'));
  const current = state.store.resourceVersion;
  const sends = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch');
  const refuse = (field: string, message: string) => invalid('meta.k8s.io', 'ListOptions', '', [{ reason: 'FieldValueForbidden', message: `Forbidden: ${message}`, field }]);
  if (sends !== null && match !== 'NotOlderThan') throw refuse('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  if (sends === null && match !== null) throw refuse('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  if (sends === 'true' && query.get('allowWatchBookmarks') !== 'true') throw badRequest('sendInitialEvents needs allowWatchBookmarks=true');
  if (asked !== undefined && asked > current) throw tooLarge(asked, current);
  if (sends === 'true') return { initial: true, marked: true, version: current };
  if (sends === 'false') return { initial: false, marked: false, version: asked ? asked : current };
  return asked === undefined || asked === 0 ? { initial: true, marked: false, version: current } : { initial: false, marked: false, version: asked };
}

class Watch {
  private sentColumns = false;
  private readonly form;
  private readonly include;
  private readonly bookmarks;

  constructor(
    private readonly state: ServerState, req: IncomingMessage, private readonly res: ServerResponse,
    private readonly selection: Selection, private readonly query: URLSearchParams,
  ) {
    this.form = acceptOf(req);
    this.include = query.get('includeObject');
    this.bookmarks = query.get('allowWatchBookmarks') === 'true';
  }

  run(start: Start): () => void {
    const { store } = this.state;
    const { kind, namespace } = this.selection;
    this.res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    this.res.flushHeaders();
    const missed = store.since(kind, start.version);
    if (missed === undefined) {
      this.send('ERROR', { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: `too old resource version: ${start.version} (${store.resourceVersion})`, reason: 'Expired', code: 410 });
      this.res.end();
      return () => undefined;
    }
    if (start.initial) for (const object of store.list(kind, namespace)) if (this.selection.matches(object)) this.object('ADDED', object);
    if (start.marked) this.bookmark({ [INITIAL_EVENTS_END]: 'true' });
    for (const event of missed) this.event(event);
    return this.follow();
  }

  private follow(): () => void {
    const unlisten = this.state.store.listen(this.selection.kind, (event) => this.event(event));
    const seconds = Number(this.query.get('timeoutSeconds') ?? 0) || DEFAULT_TIMEOUT_S;
    const beat = setInterval(() => this.bookmarks && this.bookmark(), BOOKMARK_EVERY_MS);
    const stop = () => {
      unlisten();
      clearInterval(beat);
      clearTimeout(end);
      if (!this.res.writableEnded) this.res.end();
    };
    const end = setTimeout(stop, seconds * 1000);
    beat.unref();
    end.unref();
    this.res.on('close', stop);
    return stop;
  }

  /** An object that starts or stops to match the selector is added or deleted for this watch. */
  private event(event: StoreEvent): void {
    const { namespace, matches } = this.selection;
    if (namespace !== undefined && event.object.metadata.namespace !== namespace) return;
    const is = event.type !== 'DELETED' && matches(event.object);
    const was = event.before !== undefined && matches(event.before);
    if (is) this.object(was ? 'MODIFIED' : 'ADDED', event.object);
    else if (was) this.object('DELETED', event.type === 'DELETED' ? event.object : lastMatching(event));
  }

  private object(type: string, object: KubeObject): void {
    const { kind } = this.selection;
    const seen = viewOf(kind, object);
    if (this.form === 'object') return this.send(type, seen);
    if (this.form === 'partial') return this.send(type, partial(seen));
    const columns = this.sentColumns ? null : columnDefinitions(kind);
    this.sentColumns = true;
    this.send(type, {
      kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: object.metadata.resourceVersion }, columnDefinitions: columns,
      rows: [tableRow(kind, seen, this.include, this.state.now())],
    });
  }

  private bookmark(annotations?: Record<string, string>): void {
    const { kind } = this.selection;
    const metadata = { resourceVersion: String(this.state.store.resourceVersion), ...(annotations ? { annotations } : {}) };
    const bare = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
    if (this.form === 'object') return this.send('BOOKMARK', bare);
    if (this.form === 'partial') return this.send('BOOKMARK', { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata });
    const columns = this.sentColumns ? null : columnDefinitions(kind);
    this.sentColumns = true;
    this.send('BOOKMARK', { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: metadata.resourceVersion, ...(annotations ? { annotations } : {}) }, columnDefinitions: columns, rows: [{ cells: columnDefinitions(kind).map(() => ''), object: bare }] });
  }

  private send(type: string, object: unknown): void {
    if (this.res.writableEnded || this.res.destroyed) return;
    this.res.write(`${JSON.stringify({ type, object })}\n`);
    if (this.res.writableLength > MAX_BUFFERED_BYTES) this.res.destroy();
  }
}

/** The state that matched, under the version of the change that ended it. */
const lastMatching = (event: StoreEvent): KubeObject => {
  const before = event.before as KubeObject;
  return { ...before, metadata: { ...before.metadata, resourceVersion: String(event.version) } };
};
