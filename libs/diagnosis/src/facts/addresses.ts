import { listOf, recordOf, textOf, valueIn } from '@larry/contracts';
import type { Facts, Workload } from './model';

/** A host, and perhaps a port, that a workload's configuration names. */
export interface Address {
  host: string;
  port?: number;
  scheme?: string;
  container: string;
  /** The variable, argument or key: for people. */
  from: string;
  /** JSON pointer into the workload, where the text stands in it. */
  at?: string;
  /** Where the port stands when that is somewhere else. */
  portAt?: string;
  /** The whole text. */
  text: string;
  /** The ConfigMap that the text stands in. */
  configMap?: { name: string; key: string };
}

/** A variable of a container whose value can be seen. */
export interface Variable {
  name: string;
  value: string;
  at?: string;
  configMap?: { name: string; key: string };
}

const host = String.raw`[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\.?`;
const urlForm = new RegExp(String.raw`^(?:jdbc:)?([a-z][a-z0-9+.-]*):(?:\/\/)(?:[^/@\s]*@)?(${host})(?::(\d{1,5}))?(?=[/?,;\s]|$)`, 'i');
const goDsnForm = new RegExp(String.raw`@(?:tcp|udp)\((${host})(?::(\d{1,5}))?\)`, 'i');
const hostPortForm = new RegExp(String.raw`^(${host}):(\d{1,5})(?:\/[^\s]*)?$`);
const hostForm = new RegExp(`^${host}$`);
const keywordForm = new RegExp(String.raw`(?:^|[\s;])(?:host|server|addr|address)=(${host})(?:[\s;]|$)`, 'i');
const namesHost = /(?:HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|ENDPOINT|SERVER|SERVICE|DSN|BROKERS?|UPSTREAM|TARGET|BACKEND|DATABASE)S?(?:_NAME)?$/i;
const namesPort = /(?:^|_|-|\.)PORT$/i;

/** The variables of a container: `envFrom` of ConfigMaps, then `env`, of which the last of a name wins; secret ones are left out. */
export function variablesOf(facts: Facts, workload: Workload, containerIndex: number): Variable[] {
  const container = listOf(workload.podSpec['containers'])[containerIndex];
  const found = new Map<string, Variable>();
  for (const from of listOf(valueIn(container, 'envFrom'))) {
    const name = textOf(valueIn(from, 'configMapRef', 'name'));
    const prefix = textOf(valueIn(from, 'prefix')) ?? '';
    const data = name === undefined ? {} : recordOf(facts.objects.get('ConfigMap', workload.namespace, name)?.['data']);
    for (const [key, value] of Object.entries(data)) if (typeof value === 'string') found.set(`${prefix}${key}`, { name: `${prefix}${key}`, value, configMap: { name: name ?? '', key } });
  }
  listOf(valueIn(container, 'env')).forEach((entry, index) => {
    const name = textOf(valueIn(entry, 'name'));
    if (name === undefined) return;
    const at = `${workload.podSpecAt}/containers/${containerIndex}/env/${index}/value`;
    const value = valueIn(entry, 'value');
    if (typeof value === 'string') found.set(name, { name, value, at });
    const map = textOf(valueIn(entry, 'valueFrom', 'configMapKeyRef', 'name'));
    const key = textOf(valueIn(entry, 'valueFrom', 'configMapKeyRef', 'key'));
    const held = map && key ? recordOf(facts.objects.get('ConfigMap', workload.namespace, map)?.['data'])[key] : undefined;
    if (map && key && typeof held === 'string') found.set(name, { name, value: held, configMap: { name: map, key } });
  });
  // $(NAME) stands for a variable defined before it (Kubernetes API, EnvVar.value).
  return [...found.values()].map((v) => ({ ...v, value: v.value.replace(/\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (all, name: string) => (found.get(name) === v ? all : (found.get(name)?.value ?? all))) }));
}

/** The hosts that a workload's variables and arguments name. Untrusted text: nothing is resolved here. */
export function addressesOf(facts: Facts, workload: Workload): Address[] {
  return listOf(workload.podSpec['containers']).flatMap((container, index) => {
    const name = textOf(valueIn(container, 'name')) ?? '';
    const variables = variablesOf(facts, workload, index);
    const found = variables.flatMap((v) => addressOfVariable(v, variables, name) ?? []);
    for (const field of ['command', 'args'] as const) {
      listOf(valueIn(container, field)).forEach((arg, at) => {
        const text = textOf(arg);
        const parsed = text === undefined ? undefined : parseAddress(text.replace(/^--?[A-Za-z0-9._-]+=/, ''), false);
        if (text && parsed) found.push({ ...parsed, container: name, from: `${field}[${at}]`, at: `${workload.podSpecAt}/containers/${index}/${field}/${at}`, text });
      });
    }
    return found;
  });
}

function addressOfVariable(variable: Variable, all: Variable[], container: string): Address | undefined {
  const parsed = parseAddress(variable.value, namesHost.test(variable.name));
  if (!parsed || (parsed.port === undefined && parsed.scheme === undefined && namesPort.test(variable.name))) return undefined;
  const base = { ...parsed, container, from: variable.name, text: variable.value, ...(variable.at ? { at: variable.at } : {}), ...(variable.configMap ? { configMap: variable.configMap } : {}) };
  if (parsed.port !== undefined) return base;
  const beside = portBeside(variable.name, all);
  return beside ? { ...base, port: Number(beside.value), ...(beside.at ? { portAt: beside.at } : {}) } : base;
}

/** `DB_HOST` and `DB_PORT` belong together. */
function portBeside(name: string, all: Variable[]): Variable | undefined {
  const stem = name.replace(/(?:HOSTNAME|HOST|ADDRESS|ADDR|SERVER|ENDPOINT|URL|URI)(?:_NAME)?$/i, '');
  if (stem === name) return undefined;
  return all.find((v) => v.name.toUpperCase() === `${stem}PORT`.toUpperCase() && /^\d{1,5}$/.test(v.value.trim()));
}

/** A host with or without port in a URL, a DSN or alone; a bare word only where the name says that it is a host. */
export function parseAddress(text: string, bareHost: boolean): { host: string; port?: number; scheme?: string } | undefined {
  // PgAdmin's settings are Python literals: their text stands in quotes.
  const value = text.trim().slice(0, 2_000).replace(/^(['"])(.*)\1$/s, '$2');
  const url = urlForm.exec(value);
  if (url) return withPort(url[2] ?? '', url[3], (url[1] ?? '').toLowerCase());
  const dsn = goDsnForm.exec(value);
  if (dsn) return withPort(dsn[1] ?? '', dsn[2], 'tcp');
  const pair = hostPortForm.exec(value);
  if (pair) return withPort(pair[1] ?? '', pair[2]);
  const keyword = keywordForm.exec(value);
  if (keyword) return withPort(keyword[1] ?? '', /(?:^|[\s;])port=(\d{1,5})/i.exec(value)?.[1]);
  return bareHost && hostForm.test(value) && !/^\d+$/.test(value) && !/^(true|false|yes|no|on|off|none|null)$/i.test(value) ? { host: value } : undefined;
}

function withPort(name: string, port: string | undefined, scheme?: string): { host: string; port?: number; scheme?: string } {
  const number = Number(port);
  return { host: name, ...(port !== undefined && number > 0 && number < 65_536 ? { port: number } : {}), ...(scheme ? { scheme } : {}) };
}

/** What a host name means inside a cluster: the Service's name and namespace; undefined for addresses and names of the world outside. */
export function serviceNameOf(name: string, namespace: string, facts: Facts): { name: string; namespace: string; sure: boolean } | undefined {
  const host = name.replace(/\.$/, '').toLowerCase();
  if (/^[\d.]+$/.test(host) || host === 'localhost' || host.startsWith('host.docker')) return undefined;
  const parts = host.split('.');
  const svc = parts.indexOf('svc');
  if (svc >= 2) return { name: parts[svc - 2] ?? '', namespace: parts[svc - 1] ?? '', sure: true };
  if (parts.length === 1) return { name: host, namespace, sure: false };
  const [first = '', second = ''] = parts;
  if (parts.length === 2) {
    if (facts.objects.get('Service', second, first) || isNamespace(facts, second) || serviceNames(facts).has(first)) return { name: first, namespace: second, sure: false };
    // `db-0.db` is a pod of a StatefulSet with a headless Service.
    if (facts.objects.get('Service', namespace, second)) return { name: second, namespace, sure: false };
  }
  if (parts.length === 3 && facts.objects.get('Service', parts[2], second)) return { name: second, namespace: parts[2] ?? '', sure: false };
  return undefined;
}

const namesOfFacts = new WeakMap<Facts, Set<string>>();

function serviceNames(facts: Facts): Set<string> {
  const known = namesOfFacts.get(facts) ?? new Set(facts.objects.list('Service').map((service) => service.metadata.name));
  namesOfFacts.set(facts, known);
  return known;
}

function isNamespace(facts: Facts, name: string): boolean {
  return facts.objects.get('Namespace', undefined, name) !== undefined || (facts.source.namespaces ?? []).includes(name);
}
