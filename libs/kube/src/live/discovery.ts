import { ClusterUnavailableError, UnknownKindError } from '../errors';
import { builtinKind, builtinKinds, kindKey } from '../builtin-kinds';
import type { KindRef } from '../reader';
import { isRecord } from '../untrusted-object';
import { statusMessage, type ApiAnswer, type ApiClient } from './api-request';

/** A kind as the API server serves it. */
export interface ServedKind extends KindRef {
  resource: string;
  namespaced: boolean;
}

/** All kinds that can be listed, one version each; every version of them; and groups whose server does not answer. */
export interface Discovery {
  kinds: ServedKind[];
  versions: Map<string, ServedKind>;
  silentGroups: { apiVersion: string; reason: string }[];
}

const aggregated = ['v2', 'v2beta1'].map((v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`).join(',');
const freshMs = 30_000;
/** Names become parts of paths: what is not a DNS name or an API version is left out. */
const groupVersionShape = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?v[a-z0-9]+$/;
const resourceShape = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** The kinds of a cluster, read again after 30 s, or when one is asked for that was not there. */
export class DiscoveryCache {
  private current: Promise<Discovery> | undefined;
  private readAt = 0;

  constructor(private readonly api: ApiClient) {}

  async all(signal?: AbortSignal): Promise<Discovery> {
    if (!this.current || Date.now() - this.readAt > freshMs) this.refresh(signal);
    return this.current as Promise<Discovery>;
  }

  /**
   * The kind as served, in the version asked for where the server has it.
   * @throws UnknownKindError when it is not served.
   */
  async find(kind: KindRef, signal?: AbortSignal): Promise<ServedKind> {
    let found = lookUp(await this.all(signal), kind);
    if (!found && Date.now() - this.readAt > 1_000) {
      this.refresh(signal);
      found = lookUp(await this.all(signal), kind);
    }
    if (found) return found;
    const silent = (await this.all(signal)).silentGroups.find(({ apiVersion }) => apiVersion === kind.apiVersion);
    throw new UnknownKindError(kind.kind, silent?.reason ?? 'not served');
  }

  private refresh(signal?: AbortSignal): void {
    this.readAt = Date.now();
    this.current = discover(this.api, signal);
    this.current.catch(() => (this.current = undefined));
  }
}

function lookUp(discovery: Discovery, kind: KindRef): ServedKind | undefined {
  return discovery.versions.get(`${kind.apiVersion} ${kind.kind}`) ?? discovery.kinds.find((served) => kindKey(served) === kindKey(kind));
}

async function discover(api: ApiClient, signal?: AbortSignal): Promise<Discovery> {
  const discovery: Discovery = { kinds: [], versions: new Map(), silentGroups: [] };
  for (const path of ['/api', '/apis']) {
    const answer = await api.read({ path, accept: `${aggregated},application/json`, signal });
    if (answer.status === 403) addBuiltins(discovery, path);
    else if (answer.status !== 200 || !isRecord(answer.json)) throw notKubernetes(api, path, answer);
    else if (answer.json['kind'] === 'APIGroupDiscoveryList') addAggregated(discovery, answer.json);
    else await addOneByOne(discovery, api, path, answer.json, signal);
  }
  return discovery;
}

function notKubernetes(api: ApiClient, path: string, answer: ApiAnswer): Error {
  const said = answer.json === undefined ? 'something that is not JSON' : statusMessage(answer);
  return new ClusterUnavailableError(`${api.server} answers ${path} with ${said}: is it a Kubernetes API server?`);
}

/** An account that may not even discover still may list: what Kubernetes itself serves is tried as such. */
function addBuiltins(discovery: Discovery, path: string): void {
  for (const { runtime: _, ...kind } of builtinKinds) if ((path === '/api') === !kind.apiVersion.includes('/')) add(discovery, kind);
}

function addAggregated(discovery: Discovery, list: Record<string, unknown>): void {
  for (const group of records(list['items'])) {
    const name = isRecord(group['metadata']) && typeof group['metadata']['name'] === 'string' ? group['metadata']['name'] : '';
    for (const version of records(group['versions'])) {
      const apiVersion = name === '' ? String(version['version']) : `${name}/${String(version['version'])}`;
      if (version['freshness'] === 'Stale') discovery.silentGroups.push({ apiVersion, reason: 'the API group does not answer' });
      for (const resource of records(version['resources'])) {
        const kind = isRecord(resource['responseKind']) ? resource['responseKind']['kind'] : undefined;
        addListable(discovery, apiVersion, { kind, name: resource['resource'], namespaced: resource['scope'] === 'Namespaced', verbs: resource['verbs'] });
      }
    }
  }
}

/** Discovery as servers before 1.26 have it: the versions, then one request each. */
async function addOneByOne(discovery: Discovery, api: ApiClient, path: string, list: Record<string, unknown>, signal?: AbortSignal): Promise<void> {
  for (const apiVersion of versionsOf(list)) {
    if (!groupVersionShape.test(apiVersion)) continue;
    const answer = await api.read({ path: apiVersion.includes('/') ? `/apis/${apiVersion}` : `${path}/${apiVersion}`, signal });
    if (answer.status !== 200 || !isRecord(answer.json)) {
      discovery.silentGroups.push({ apiVersion, reason: `the API group does not answer: ${statusMessage(answer)}` });
      continue;
    }
    for (const resource of records(answer.json['resources'])) {
      addListable(discovery, apiVersion, { kind: resource['kind'], name: resource['name'], namespaced: resource['namespaced'] === true, verbs: resource['verbs'] });
    }
  }
}

/** Preferred versions first within their group. */
function versionsOf(list: Record<string, unknown>): string[] {
  if (Array.isArray(list['versions'])) return list['versions'].map(String);
  return records(list['groups']).flatMap((group) => {
    const preferred = isRecord(group['preferredVersion']) ? String(group['preferredVersion']['groupVersion']) : '';
    const versions = records(group['versions']).map((version) => String(version['groupVersion']));
    return [preferred, ...versions.filter((version) => version !== preferred)].filter((version) => version !== '');
  });
}

function addListable(discovery: Discovery, apiVersion: string, found: { kind: unknown; name: unknown; namespaced: boolean; verbs: unknown }): void {
  const { kind, name, namespaced, verbs } = found;
  if (typeof kind !== 'string' || typeof name !== 'string' || !resourceShape.test(name) || !groupVersionShape.test(apiVersion)) return;
  if (Array.isArray(verbs) && verbs.includes('list')) add(discovery, { apiVersion, kind, resource: name, namespaced });
}

function add(discovery: Discovery, kind: ServedKind): void {
  // The same events are served a second time here.
  if (kind.apiVersion.startsWith('events.k8s.io/')) return;
  const key = `${kind.apiVersion} ${kind.kind}`;
  if (discovery.versions.has(key)) return;
  discovery.versions.set(key, kind);
  const first = discovery.kinds.findIndex((known) => kindKey(known) === kindKey(kind));
  if (first < 0) discovery.kinds.push(kind);
  // Playbooks ask for built-in kinds by the version in the table.
  else if (builtinKind(kind)?.apiVersion === kind.apiVersion) discovery.kinds[first] = kind;
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
