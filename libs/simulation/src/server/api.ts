import type { IncomingMessage, ServerResponse } from 'node:http';
import { failure, methodNotAllowed, notServed } from './api-error';
import type { Tokens, User } from './auth';
import { timestamp } from './creation';
import { Deletion, deleteOptions } from './deletion';
import { isRefused } from './discovery';
import { duplicateFields } from './duplicates';
import type { Kind } from './kinds';
import type { KubeObject } from './kube-object';
import type { ContainerLogs } from './logs';
import { sendLog } from './logs';
import { managersAfter } from './ownership';
import { Patching, readPatch } from './patching';
import type { Authorizer } from './rbac';
import { sendProxied } from './proxy';
import { getObject, selectionOf, sendList, sendObject } from './reads';
import { decodeObject, mediaType, readBody, sendJson, sendText, warningHeaders } from './request';
import type { ResourceRequest } from './request';
import { review } from './reviews';
import type { Caller, ServerState } from './state';
import { bind, evict, requestToken, scaleOf, withReplicas } from './subresources';
import { storedFrom } from './views';
import { sendWatch } from './watch';
import { Writes } from './writes';
import type { UpdateKind } from './writes';

/** One request to a resource, on its way. */
interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  query: URLSearchParams;
  request: ResourceRequest;
  kind: Kind;
  user: User;
}

/** Keys sent twice, where the body is JSON. */
const duplicates = (req: IncomingMessage, bytes: Buffer) => (['application/json', ''].includes(mediaType(req)) ? duplicateFields(bytes.toString('utf8')) : []);

const MUTATING = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Answers requests to resources, whoever asks having been let in already. */
export class ResourceApi {
  readonly writes: Writes;
  readonly deletion: Deletion;
  private readonly patching: Patching;
  private readonly streams = new Set<() => void>();

  constructor(private readonly state: ServerState, private readonly tokens: Tokens, private readonly authorizer: Authorizer, private readonly logs: ContainerLogs) {
    this.writes = new Writes(state);
    this.deletion = new Deletion(state, this.writes);
    this.patching = new Patching(state, this.writes);
  }

  /** Ends every watch and followed log. */
  stop(): void {
    for (const end of this.streams) end();
  }

  async handle(req: IncomingMessage, res: ServerResponse, request: ResourceRequest, query: URLSearchParams, user: User): Promise<void> {
    const { kind } = request;
    if (!kind) return sendText(res, 404, '404 page not found\n');
    const x: Exchange = { req, res, query, request, kind, user };
    const isReview = kind.verbs.length === 1 && kind.group.startsWith('auth');
    if (this.state.frozen && MUTATING.has(request.verb) && !isReview) {
      throw failure(405, 'MethodNotAllowed', 'this simulated cluster is a frozen snapshot: it can be read, and no request changes it', {});
    }
    if (request.subresource !== undefined) return this.subresource(x, request.subresource);
    const lacksName = request.name === undefined && ['update', 'patch'].includes(request.verb);
    const allowed = kind.verbs.includes(request.verb) && !lacksName;
    if (!allowed || (kind.namespaced && request.namespace === undefined && request.verb === 'create')) throw methodNotAllowed();
    switch (request.verb) {
      case 'get': return this.get(x);
      case 'list': return sendList(this.state, req, res, selectionOf(request, kind, query), query);
      case 'watch': return this.stream(x, sendWatch(this.state, req, res, selectionOf(request, kind, query), query));
      case 'create': return this.create(x);
      case 'update': return this.update(x, 'main');
      case 'patch': return this.patch(x, 'main');
      case 'delete': return this.remove(x);
      case 'deletecollection': return this.removeAll(x);
      default: throw methodNotAllowed();
    }
  }

  private stream({ res }: Exchange, end: () => void): void {
    this.streams.add(end);
    res.on('close', () => this.streams.delete(end));
  }

  private caller({ req, query, user, request }: Exchange): Caller {
    const userAgent = req.headers['user-agent'] ?? '';
    const dryRun = query.getAll('dryRun');
    if (dryRun.some((value) => value !== 'All')) throw failure(400, 'BadRequest', `dryRun: Unsupported value: "${dryRun.find((v) => v !== 'All')}": supported values: "All"`);
    const validation = query.get('fieldValidation');
    return {
      user: user.name, groups: user.groups, userAgent,
      manager: query.get('fieldManager') || (userAgent.split('/')[0] ?? '') || 'unknown',
      dryRun: dryRun.length > 0,
      fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
      warnings: [],
      duplicates: [],
      verb: request.verb === 'deletecollection' ? 'delete' : (request.verb as Caller['verb']),
    };
  }

  private get(x: Exchange): void {
    sendObject(this.state, x.req, x.res, x.kind, getObject(this.state, x.kind, x.request.namespace, x.request.name ?? ''));
  }

  private async create(x: Exchange): Promise<void> {
    const bytes = await readBody(x.req);
    const body = decodeObject(x.req, bytes, x.kind.kind);
    const caller = this.caller(x);
    if (x.kind.verbs.length === 1) {
      const sent = this.writes.read(x.kind, body, caller);
      const now = timestamp(this.state.now());
      const managers = managersAfter({ before: undefined, after: sent, kind: x.kind, caller, now });
      const answer = review(x.kind.kind, sent, x.request.namespace, { user: x.user, authorizer: this.authorizer, tokens: this.tokens, now, managers });
      if (!answer) throw notServed(`${x.kind.plural} outside of their pod: post to pods/NAME/binding`);
      return sendJson(x.res, 201, answer);
    }
    caller.duplicates = duplicates(x.req, bytes);
    const object = this.writes.create(this.storageKind(x.kind), x.request.namespace, storedFrom(x.kind, body), caller);
    sendObject(this.state, x.req, x.res, x.kind, object, 201, warningHeaders(caller.warnings));
  }

  private async update(x: Exchange, part: UpdateKind): Promise<void> {
    const bytes = await readBody(x.req);
    const body = decodeObject(x.req, bytes, x.kind.kind);
    const caller = { ...this.caller(x), duplicates: duplicates(x.req, bytes) };
    const object = this.writes.update(this.storageKind(x.kind), x.request.namespace, x.request.name ?? '', part, caller, () => ({ object: storedFrom(x.kind, body) as KubeObject }));
    sendObject(this.state, x.req, x.res, x.kind, object, 200, warningHeaders(caller.warnings));
  }

  private async patch(x: Exchange, part: UpdateKind): Promise<void> {
    const patch = readPatch(x.req, await readBody(x.req), x.query, x.kind);
    const caller = this.caller(x);
    const { object, created } = this.patching.patch(this.storageKind(x.kind), x.request.namespace, x.request.name ?? '', patch, part, caller);
    sendObject(this.state, x.req, x.res, x.kind, object, created ? 201 : 200, warningHeaders(caller.warnings));
  }

  private async remove(x: Exchange): Promise<void> {
    const body = await readBody(x.req);
    const options = deleteOptions(body.length ? decodeObject(x.req, body, 'DeleteOptions') : undefined, x.query);
    const answer = this.deletion.delete(this.storageKind(x.kind), x.request.namespace, x.request.name ?? '', options, this.deleteCaller(x, body));
    sendObject(this.state, x.req, x.res, x.kind, answer);
  }

  /** A dry run may also be asked for in the body. */
  private deleteCaller(x: Exchange, body: Buffer): Caller {
    const caller = this.caller(x);
    const sent = body.length ? decodeObject(x.req, body, 'DeleteOptions')['dryRun'] : undefined;
    return { ...caller, dryRun: caller.dryRun || (Array.isArray(sent) && sent.includes('All')) };
  }

  private async removeAll(x: Exchange): Promise<void> {
    const body = await readBody(x.req);
    const options = deleteOptions(body.length ? decodeObject(x.req, body, 'DeleteOptions') : undefined, x.query);
    const caller = this.deleteCaller(x, body);
    const selection = selectionOf(x.request, x.kind, x.query);
    const kind = this.storageKind(x.kind);
    const chosen = this.state.store.list(kind, selection.namespace).filter(selection.matches);
    for (const object of chosen) this.deletion.delete(kind, object.metadata.namespace, object.metadata.name ?? '', options, caller);
    const items = chosen.map(({ kind: _k, apiVersion: _a, ...rest }) => rest);
    sendJson(x.res, 200, { kind: `${x.kind.kind}List`, apiVersion: x.kind.group ? `${x.kind.group}/${x.kind.version}` : x.kind.version, metadata: { resourceVersion: String(this.state.store.resourceVersion) }, items });
  }

  /** events.k8s.io events are written as the core events they are. */
  private storageKind(kind: Kind): Kind {
    return kind.storedAs ? (this.state.kinds.find('', 'v1', 'events') as Kind) : kind;
  }

  private async subresource(x: Exchange, sub: string): Promise<void> {
    const { kind, request } = x;
    if (isRefused(kind, sub)) throw notServed(`${kind.plural}/${sub}`);
    if (!kind.subresources.includes(sub)) return sendText(x.res, 404, '404 page not found\n');
    if (sub === 'status' || sub === 'finalize') {
      if (request.verb === 'get') return this.get(x);
      if (request.verb === 'update') return this.update(x, sub);
      if (request.verb === 'patch' && sub === 'status') return this.patch(x, sub);
      throw methodNotAllowed();
    }
    if (sub === 'scale') return this.scale(x);
    if (sub === 'log' && request.verb === 'get') {
      const pod = this.state.store.get(kind, request.namespace, request.name ?? '');
      return this.stream(x, sendLog(x.res, this.logs, kind, pod, request.name ?? '', x.query, this.state.now()));
    }
    if (sub === 'proxy' && request.verb === 'get') return this.stream(x, sendProxied(this.state, x.res, request, this.state.network));
    if (request.verb !== 'create' || sub === 'proxy') throw methodNotAllowed();
    return this.action(x, sub);
  }

  private async action(x: Exchange, sub: string): Promise<void> {
    const { kind, request } = x;
    const body = decodeObject(x.req, await readBody(x.req), sub);
    const caller = this.caller(x);
    const namespace = request.namespace ?? '';
    const name = request.name ?? '';
    if (sub === 'binding') return sendJson(x.res, 201, bind(this.state, this.writes, kind, namespace, name, body, caller));
    if (sub === 'eviction') return sendJson(x.res, 201, evict(this.state, this.deletion, kind, namespace, name, body, { ...caller, verb: 'delete' }));
    return sendJson(x.res, 201, requestToken(this.state, this.tokens, kind, namespace, name, body));
  }

  private async scale(x: Exchange): Promise<void> {
    const { kind, request } = x;
    const name = request.name ?? '';
    if (request.verb === 'get') return sendJson(x.res, 200, scaleOf(kind, getObject(this.state, kind, request.namespace, name)));
    const caller = this.caller(x);
    if (request.verb !== 'update' && request.verb !== 'patch') throw methodNotAllowed();
    const bytes = await readBody(x.req);
    const change = (live: KubeObject) => {
      const sent = request.verb === 'update' ? decodeObject(x.req, bytes, 'Scale') : this.patching.changed(kind, readPatch(x.req, bytes, x.query, kind), scaleOf(kind, live));
      return { object: withReplicas(kind, live, sent) };
    };
    const object = this.writes.update(kind, request.namespace, name, 'scale', caller, change);
    sendJson(x.res, 200, scaleOf(kind, object));
  }
}

