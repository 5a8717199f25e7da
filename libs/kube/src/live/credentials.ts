import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import type { User } from '@kubernetes/client-node/dist/config_types.js';
import { printable } from '@larry/contracts';
import { ClusterUnavailableError } from '../errors';
import type { Target } from './kubeconfig';

/** Tokens on disk are rotated and plugins may not say when theirs ends, so none is used for longer than this. */
const freshMs = 60_000;
const pluginTimeoutMs = 60_000;
const maxSockets = 64;

/** How to open connections to the API server as the user of the context. */
export interface Access {
  headers: Record<string, string>;
  /** Keeps connections for the next read. */
  agent: HttpAgent;
  /** A connection for each write: on a kept one that the server just closed, nobody knows what became of a write. */
  writeAgent: HttpAgent;
}

/** Connection options of a target, renewed as its credentials change. */
export class Credentials {
  private current: Promise<Access> | undefined;
  private takenAt = 0;
  private agents: { key: string; agent: HttpAgent; writeAgent: HttpAgent } | undefined;

  constructor(private readonly target: Target) {}

  /** `renew` after a 401: the credentials at hand were refused. */
  async access(renew = false): Promise<Access> {
    if (renew || !this.current || Date.now() - this.takenAt > freshMs) {
      this.takenAt = Date.now();
      this.current = this.load();
      this.current.catch(() => (this.current = undefined));
    }
    return this.current;
  }

  close(): void {
    this.agents?.agent.destroy();
    this.agents?.writeAgent.destroy();
    this.agents = undefined;
    this.current = undefined;
  }

  private async load(): Promise<Access> {
    const { cluster, user, tokenFile } = this.target;
    const options: AgentOptions & { headers: Record<string, string> } = { headers: {} };
    options.ca = await material(cluster.caFile, cluster.caData);
    options.cert = await material(user?.certFile, user?.certData);
    options.key = await material(user?.keyFile, user?.keyData);
    if (cluster.skipTLSVerify) options.rejectUnauthorized = false;
    if (cluster.tlsServerName) options.servername = cluster.tlsServerName;
    if (user) await authenticate(user, options);
    const token = tokenFile ? (await readFile(tokenFile, 'utf8').catch(unreadable(tokenFile))).trim() : user?.token?.trim();
    if (token) options.headers['Authorization'] = `Bearer ${token}`;
    else if (user?.username) options.headers['Authorization'] = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
    if (user?.impersonateUser) options.headers['Impersonate-User'] = user.impersonateUser;
    refuseInTheClear(this.target, options);
    const { headers, ...tls } = options;
    return { headers, ...(await this.agentsFor(tls)) };
  }

  /** The same agents for as long as the certificates stay the same; the old ones end with their last connection. */
  private async agentsFor(tls: AgentOptions): Promise<{ agent: HttpAgent; writeAgent: HttpAgent }> {
    const key = [tls.ca, tls.cert, tls.key].map(String).join('\n');
    if (this.agents?.key !== key) {
      const agent = await newAgent(this.target, { ...tls, keepAlive: true, maxSockets });
      const writeAgent = await newAgent(this.target, { ...tls, keepAlive: false });
      this.agents = { key, agent, writeAgent };
    }
    return this.agents;
  }
}

/** As kubectl, which sends no credentials without TLS: whoever is on the way would have them. On loopback nobody is. */
function refuseInTheClear({ cluster }: Target, { headers, cert, key }: AgentOptions & { headers: Record<string, string> }): void {
  const { protocol, hostname } = new URL(cluster.server);
  if (protocol !== 'http:' || (isLoopback(hostname) && !cluster.proxyUrl)) return;
  const sent = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization') ? 'a token or password' : cert || key ? 'a client certificate' : undefined;
  if (sent === undefined) return;
  throw new ClusterUnavailableError(`${cluster.server} is not encrypted, and this context has ${sent} that anybody on the way could read: write https:// as its server in the kubeconfig`);
}

/** A host name as URL gives it: 127.1 has become 127.0.0.1 there. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

async function newAgent(target: Target, options: AgentOptions): Promise<HttpAgent> {
  const { cluster } = target;
  if (cluster.proxyUrl) return proxyAgent(target);
  return cluster.server.startsWith('http:') ? new HttpAgent({ keepAlive: options.keepAlive, maxSockets: options.maxSockets }) : new HttpsAgent(options);
}

/** client-node's KubeConfig knows the proxies, and costs about 70 MB of memory: loaded for them alone. */
async function proxyAgent({ cluster, user, context }: Target): Promise<HttpAgent> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  const users = [{ ...user, name: 'user' }];
  config.loadFromOptions({ clusters: [cluster], users, contexts: [{ name: context, cluster: cluster.name, user: 'user' }], currentContext: context });
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return options.agent as HttpAgent;
}

/** Runs the plugin or provider that the user's entry names; client-node brings them. */
async function authenticate(user: User, options: AgentOptions & { headers: Record<string, string> }): Promise<void> {
  const provider = (user.authProvider as { name?: string } | null | undefined)?.name;
  if (user.exec || provider === 'exec') {
    const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js');
    const { command } = (user.exec ?? {}) as { command?: string };
    await within(new ExecAuth().applyAuthentication(user, options as RequestOptions), `the credential plugin ${command ?? ''}`);
  } else if (provider === 'oidc') {
    const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
    await within(new OpenIDConnectAuth().applyAuthentication(user, options as RequestOptions), 'the OpenID Connect provider');
  } else if (provider === 'gcp') {
    const { GoogleCloudPlatformAuth } = await import('@kubernetes/client-node/dist/gcp_auth.js');
    await within(new GoogleCloudPlatformAuth().applyAuthentication(user, options as RequestOptions), 'the gcp provider');
  } else if (provider === 'azure') {
    const { AzureAuth } = await import('@kubernetes/client-node/dist/azure_auth.js');
    await within(new AzureAuth().applyAuthentication(user, options as RequestOptions), 'the azure provider');
  }
}

async function within(work: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${pluginTimeoutMs / 1000} s`)), pluginTimeoutMs);
  });
  try {
    await Promise.race([work, late]);
  } catch (error) {
    const { message } = error as Error;
    throw new ClusterUnavailableError(`${what.trim()} of the kubeconfig failed: ${printable(message)}; log in again or run kubectl once to see why`);
  } finally {
    clearTimeout(timer);
  }
}

async function material(file: string | undefined, data: string | undefined): Promise<Buffer | undefined> {
  if (file) return readFile(file).catch(unreadable(file));
  return data ? Buffer.from(data, 'base64') : undefined;
}

function unreadable(file: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw new ClusterUnavailableError(`${file}, which the kubeconfig names, cannot be read (${error.code ?? error.message})`);
  };
}
