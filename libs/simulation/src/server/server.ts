import type { IncomingMessage, ServerResponse } from 'node:http';
import { ResourceApi } from './api';
import { failure } from './api-error';
import type { Kind } from './kinds';
import { Tokens, impersonated, newToken } from './auth';
import type { User } from './auth';
import { bootstrapObjects } from './bootstrap';
import { Discovery } from './discovery';
import { Faults, answerFault } from './faults';
import type { Fault } from './faults';
import { Journal } from './journal';
import type { JournalEntry } from './journal';
import { kubeconfigText } from './kubeconfig';
import type { KubeObject } from './kube-object';
import { listenOn } from './listener';
import type { Listener } from './listener';
import { loadObjects } from './loading';
import type { LoadReport } from './loading';
import { ContainerLogs } from './logs';
import { OpenApi } from './openapi';
import { sendPlain } from './plain-routes';
import { Authorizer } from './rbac';
import type { Attributes } from './rbac';
import { KindRegistry } from './registry';
import { resourceRequest, sendError } from './request';
import type { ResourceRequest } from './request';
import { servedList } from './served';
import type { Served } from './served';
import type { PodPorts, ServerState } from './state';
import { Store } from './store';

/** How to start a simulated API server. */
export interface ServerOptions {
  /** 0, the default, takes a free port. */
  port?: number;
  /** Loopback (127.0.0.1) when absent. Anything else makes the server, whose tokens travel in the clear, reachable from outside. */
  host?: string;
  /** Read-only: every change is answered with 405. Nothing but `objects` is in the cluster then. */
  frozen?: boolean;
  /** What the cluster holds at the start, status included. */
  objects?: readonly unknown[];
  /** The token of a user who may do everything; made at random when absent. */
  adminToken?: string;
  /** The clock of every time that the server writes. */
  now?: () => Date;
  /** Who listens at pods' addresses: what `services/proxy` reaches. */
  network?: PodPorts;
}

/** Requests since the start, by verb (`get`, `list`, `watch`, `create`, …; `other` for what is no resource). */
export type RequestCounts = Readonly<Record<string, number>>;

/**
 * A simulated Kubernetes API server over plain HTTP on this machine: a store in memory and no controllers of its own
 * (those are its clients). `GET /simulation/served` lists what it serves; the rest it refuses with one sentence.
 */
export class SimulatedApiServer {
  readonly faults = new Faults();
  readonly logs = new ContainerLogs();
  private readonly counts: Record<string, number> = {};
  private readonly tokens = new Tokens();
  private readonly authorizer: Authorizer;
  private readonly discovery: Discovery;
  private readonly openApi: OpenApi;
  private readonly api: ResourceApi;
  private readonly hanging = new Set<ServerResponse>();
  private listener: Listener | undefined;
  /** `http://127.0.0.1:PORT`; the same port answers TLS, which is what `kubeconfig()` names because kubectl sends no token without it. */
  url = '';

  private constructor(private readonly state: ServerState, readonly adminToken: string) {
    this.authorizer = new Authorizer(state.store, state.kinds);
    this.discovery = new Discovery(state.kinds);
    this.openApi = new OpenApi(state.kinds);
    this.api = new ResourceApi(state, this.tokens, this.authorizer, this.logs);
    this.tokens.add(adminToken, { name: 'system:admin', groups: ['system:masters'] });
    this.forgetLogsOfDeletedPods();
  }

  /** Starts listening; resolves when requests are served. Throws where the port is taken. */
  static async start(options: ServerOptions = {}): Promise<SimulatedApiServer> {
    const state: ServerState = { store: new Store(), kinds: new KindRegistry(), now: options.now ?? (() => new Date()), journal: new Journal(), frozen: false, ...(options.network ? { network: options.network } : {}) };
    const server = new SimulatedApiServer(state, options.adminToken ?? newToken());
    if (!options.frozen) server.load(bootstrapObjects(), 'kube-apiserver');
    server.load(options.objects ?? []);
    state.frozen = options.frozen ?? false;
    await server.listen(options.host ?? '127.0.0.1', options.port ?? 0);
    return server;
  }

  /**
   * Stores objects as they are, status, uid and times included; objects that exist are replaced. Not in the journal.
   * What comes without a uid and managedFields is owned by `manager`, as if that had created it.
   */
  load(objects: readonly unknown[], manager = 'simulated-load'): LoadReport {
    return loadObjects(this.state, this.api.writes, objects, manager);
  }

  /** Every accepted write, oldest first; the latest 100,000 are kept. */
  journal(): readonly JournalEntry[] {
    return this.state.journal.entries();
  }

  requests(): RequestCounts {
    return { ...this.counts };
  }

  /** The objects of a kind (`pods`, `deployments.apps`), without HTTP: for assertions. */
  objects(resource: string, namespace?: string): readonly KubeObject[] {
    const [plural = '', ...group] = resource.split('.');
    const kind = this.state.kinds.byPlural(group.join('.'), plural);
    if (!kind) throw new Error(`the simulated server knows no resource "${resource}": name it like pods or deployments.apps`);
    return this.state.store.list(kind, namespace);
  }

  /** What this server serves and refuses: the same as `GET /simulation/served`. */
  served(): Served {
    return servedList(this.state.kinds);
  }

  /** Forgets event histories and continued lists, so that old resourceVersions and continue tokens get 410. */
  compact(): void {
    this.state.store.compact();
  }

  /** A token for a user of this name and these groups; what it may do, the roles in the cluster say. */
  addUser(name: string, groups: string[] = []): string {
    const token = newToken();
    this.tokens.add(token, { name, groups });
    return token;
  }

  /** A kubeconfig as YAML: for the administrator, or for a user who is added with no groups. */
  kubeconfig(user?: string): string {
    return kubeconfigText(this.listener?.address ?? '', this.ca, user ?? 'system:admin', user === undefined ? this.adminToken : this.addUser(user));
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    this.api.stop();
    for (const res of this.hanging) res.destroy();
    await this.listener?.close();
  }

  /** The certificate authority of the TLS side, PEM. */
  get ca(): string {
    return this.listener?.ca ?? '';
  }

  private async listen(host: string, port: number): Promise<void> {
    this.listener = await listenOn(host, port, (req, res) => void this.answer(req, res));
    this.url = `http://${this.listener.address}`;
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.setHeader('x-larry-simulated', 'true');
    try {
      const fault = this.faults.take(req.method ?? 'GET', req.url ?? '/');
      if (fault && (await this.fails(fault, res))) return;
      await this.route(req, res);
    } catch (error) {
      sendError(res, error);
    }
  }

  /** True where the fault is the whole answer. */
  private async fails(fault: Fault, res: ServerResponse): Promise<boolean> {
    switch (fault.kind) {
      case 'answer':
        answerFault(res, fault);
        return true;
      case 'hang':
        this.hanging.add(res);
        res.on('close', () => this.hanging.delete(res));
        return true;
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        return false;
      case 'cut-after': {
        // Whatever the request does is done; the answer never leaves.
        const cut = () => (res.destroy(), res);
        res.writeHead = cut as typeof res.writeHead;
        res.end = cut as typeof res.end;
        return false;
      }
    }
  }

  private async route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://local');
    const request = resourceRequest(req.method ?? 'GET', url, this.state.kinds);
    this.counts[request?.verb ?? 'other'] = (this.counts[request?.verb ?? 'other'] ?? 0) + 1;
    const user = this.userOf(req);
    this.authorize(user, request, req.method ?? 'GET', url.pathname);
    if (request) return this.api.handle(req, res, request, url.searchParams, user);
    await sendPlain(req, res, url, { state: this.state, discovery: this.discovery, openApi: this.openApi, logs: this.logs, counts: this.counts });
  }

  private userOf(req: IncomingMessage): User {
    const user = this.tokens.userOf(req);
    const other = impersonated(req);
    if (!other) return user;
    if (!this.authorizer.allows(user, { verb: 'impersonate', group: '', resource: 'users', name: other.name })) {
      throw failure(403, 'Forbidden', `users "${other.name}" is forbidden: User "${user.name}" cannot impersonate resource "users" in API group "" at the cluster scope`, { name: other.name, kind: 'users' });
    }
    return other;
  }

  private authorize(user: User, request: ResourceRequest | undefined, method: string, path: string): void {
    if (!request) return this.authorizePath(user, { verb: method.toLowerCase() === 'head' ? 'get' : method.toLowerCase(), path });
    const { group, plural, subresource, namespace, name, verb } = request;
    const attributes: Attributes = { verb, group, resource: plural, ...(subresource ? { subresource } : {}), ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) };
    if (this.authorizer.allows(user, attributes)) return;
    const resource = subresource ? `${plural}/${subresource}` : plural;
    const qualified = group ? `${plural}.${group}` : plural;
    const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
    const what = `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
    throw failure(403, 'Forbidden', `${qualified}${name ? ` "${name}"` : ''} is forbidden: ${what}`, { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: plural });
  }

  private authorizePath(user: User, attributes: { verb: string; path: string }): void {
    if (this.authorizer.allows(user, attributes)) return;
    throw failure(403, 'Forbidden', `forbidden: User "${user.name}" cannot ${attributes.verb} path "${attributes.path}"`, {});
  }

  private forgetLogsOfDeletedPods(): void {
    const pods = this.state.kinds.find('', 'v1', 'pods') as Kind;
    this.state.store.listen(pods, (event) => {
      if (event.type === 'DELETED') this.logs.forget(event.object.metadata.namespace ?? '', event.object.metadata.name ?? '');
    });
  }
}

