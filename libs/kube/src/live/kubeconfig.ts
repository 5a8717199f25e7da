import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Cluster, Context, User } from '@kubernetes/client-node/dist/config_types.js';
import { parse } from 'yaml';
import { ClusterUnavailableError } from '../errors';
import { isRecord } from '../untrusted-object';

/** Where to find the cluster; see {@link loadTarget}. */
export interface KubeconfigOptions {
  /** A kubeconfig file; `KUBECONFIG` (several files, the first wins), then `~/.kube/config`, then the pod's service account, then k3s' own file by default. */
  kubeconfig?: string;
  /** A context of it; its `current-context` by default. */
  context?: string;
  /** Only the service account of the pod that this runs in. */
  inCluster?: boolean;
}

/** The cluster and the user that a context names. */
export interface Target {
  cluster: Cluster;
  user: User | undefined;
  /** The context's name, or `in-cluster`. */
  context: string;
  /** A file with a bearer token that is read again as it changes. */
  tokenFile?: string;
}

/** Where the kubelet mounts a pod's account; `LARRY_SERVICE_ACCOUNT_DIR` names another place (a projected volume, the simulation). */
export const serviceAccountFolder = (): string => process.env['LARRY_SERVICE_ACCOUNT_DIR'] || '/var/run/secrets/kubernetes.io/serviceaccount';
const k3sKubeconfig = '/etc/rancher/k3s/k3s.yaml';

interface Config {
  clusters: Cluster[];
  users: (User & { tokenFile?: string })[];
  contexts: Context[];
  currentContext?: string;
}

/**
 * Reads the kubeconfig as kubectl does.
 * @throws ClusterUnavailableError in one sentence: no such file, not YAML, no such context.
 */
export async function loadTarget(options: KubeconfigOptions): Promise<Target> {
  if (options.inCluster) return inClusterTarget();
  const files = await kubeconfigFiles(options.kubeconfig);
  if (files.length === 0) {
    if (process.env['KUBERNETES_SERVICE_HOST']) return inClusterTarget();
    throw new ClusterUnavailableError('no kubeconfig found: give --kubeconfig FILE, set KUBECONFIG, or read --manifests, --dump or --snapshot instead');
  }
  const configs: Config[] = [];
  for (const file of files) configs.push(await readConfig(file));
  return pick(merge(configs), options.context, files.join(delimiter));
}

/** The kubeconfig files that are read, for programs that are to reach the same cluster; none in a pod. @throws ClusterUnavailableError */
export async function kubeconfigFiles(explicit: string | undefined): Promise<string[]> {
  if (explicit !== undefined) return [explicit];
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const candidates = listed.length > 0 ? listed : [join(process.env['HOME'] ?? homedir(), '.kube', 'config')];
  const present = await readable(candidates);
  if (present.length > 0) return present;
  if (listed.length > 0) throw new ClusterUnavailableError(`KUBECONFIG names ${listed.join(delimiter)}, and no such file can be read`);
  return process.env['KUBERNETES_SERVICE_HOST'] ? [] : readable([k3sKubeconfig]);
}

async function readable(files: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const ok = await access(file).then(
      () => true,
      () => false,
    );
    if (ok) found.push(file);
  }
  return found;
}

async function readConfig(file: string): Promise<Config> {
  const { newClusters, newContexts, newUsers } = await import('@kubernetes/client-node/dist/config_types.js');
  let content: unknown;
  try {
    content = parse(await readFile(file, 'utf8'), { logLevel: 'error' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ClusterUnavailableError(`kubeconfig ${file}: ${code === 'ENOENT' ? 'no such file' : (message.split('\n')[0] ?? 'cannot be read')}`);
  }
  if (!isRecord(content)) throw new ClusterUnavailableError(`kubeconfig ${file}: holds no configuration`);
  const near = (path: string | undefined) => (path === undefined || isAbsolute(path) ? path : join(dirname(file), path));
  try {
    const tokenFiles = new Map<string, string>();
    const users = records(content['users']).map((entry) => withoutTokenFile(entry, tokenFiles));
    return {
      clusters: newClusters(content['clusters']).map((cluster) => ({ ...cluster, caFile: near(cluster.caFile) })),
      users: newUsers(users).map((user) => ({ ...user, certFile: near(user.certFile), keyFile: near(user.keyFile), exec: execOf(user.exec, near), tokenFile: near(tokenFiles.get(user.name)) })),
      contexts: newContexts(content['contexts']),
      ...(typeof content['current-context'] === 'string' && content['current-context'] !== '' ? { currentContext: content['current-context'] } : {}),
    };
  } catch (error) {
    throw new ClusterUnavailableError(`kubeconfig ${file}: ${(error as Error).message}`);
  }
}

/** client-node reads a token file once, relative to the working folder; we read it again and relative to the kubeconfig. */
function withoutTokenFile(entry: Record<string, unknown>, tokenFiles: Map<string, string>): Record<string, unknown> {
  const user = entry['user'];
  if (!isRecord(user) || typeof entry['name'] !== 'string') return entry;
  const config = isRecord(user['auth-provider']) && isRecord(user['auth-provider']['config']) ? user['auth-provider']['config'] : {};
  const file = user['token-file'] ?? user['tokenFile'] ?? config['tokenFile'];
  if (typeof file !== 'string') return entry;
  tokenFiles.set(entry['name'], file);
  const { 'token-file': _, tokenFile: __, 'auth-provider': ___, ...rest } = user;
  return { ...entry, user: rest };
}

/** Credential plugins learn their protocol version from the environment (client authentication, v1), which client-node leaves out. */
function execOf(exec: unknown, near: (path: string) => string | undefined): unknown {
  if (!isRecord(exec) || typeof exec['command'] !== 'string') return exec;
  const info = { apiVersion: exec['apiVersion'] ?? 'client.authentication.k8s.io/v1', kind: 'ExecCredential', spec: { interactive: false } };
  const env = [...records(exec['env']), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  return { ...exec, command: exec['command'].includes('/') ? near(exec['command']) : exec['command'], env };
}

/** Of two entries of one name the first file's wins. */
function merge(configs: Config[]): Config {
  const first = <T extends { name: string }>(entries: T[]): T[] => [...new Map([...entries].reverse().map((entry) => [entry.name, entry])).values()];
  const current = configs.find((config) => config.currentContext !== undefined)?.currentContext;
  return {
    clusters: first(configs.flatMap((config) => config.clusters)),
    users: first(configs.flatMap((config) => config.users)),
    contexts: first(configs.flatMap((config) => config.contexts)),
    ...(current === undefined ? {} : { currentContext: current }),
  };
}

function pick(config: Config, wanted: string | undefined, file: string): Target {
  const name = wanted ?? config.currentContext;
  const context = config.contexts.find((candidate) => candidate.name === name);
  if (!context) {
    const known = config.contexts.map((candidate) => candidate.name).sort().join(', ');
    const problem = name === undefined ? 'names no current context' : `has no context ${JSON.stringify(name)}`;
    throw new ClusterUnavailableError(`kubeconfig ${file} ${problem}; ${known === '' ? 'it has none' : `give one of --context ${known}`}`);
  }
  const cluster = config.clusters.find((candidate) => candidate.name === context.cluster);
  if (!cluster) throw new ClusterUnavailableError(`kubeconfig ${file}: context ${JSON.stringify(context.name)} names cluster ${JSON.stringify(context.cluster)}, which it does not hold`);
  const user = config.users.find((candidate) => candidate.name === context.user);
  return { cluster, user, context: context.name, ...(user?.tokenFile ? { tokenFile: user.tokenFile } : {}) };
}

function inClusterTarget(): Target {
  const host = process.env['KUBERNETES_SERVICE_HOST'];
  const port = process.env['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (!host) throw new ClusterUnavailableError('not in a cluster: KUBERNETES_SERVICE_HOST is not set; give --kubeconfig FILE');
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const serviceAccount = serviceAccountFolder();
  return {
    cluster: { name: 'in-cluster', server, skipTLSVerify: false, caFile: `${serviceAccount}/ca.crt` },
    user: undefined,
    context: 'in-cluster',
    tokenFile: `${serviceAccount}/token`,
  };
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
