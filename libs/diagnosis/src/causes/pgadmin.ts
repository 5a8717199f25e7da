import { listOf, printable, recordOf, textOf, valueIn } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import { variablesOf } from '../facts/addresses';
import type { Workload } from '../facts/model';
import { keyOf } from '../facts/object-index';
import type { ContainerFacts } from '../facts/pod-facts';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import { allowedSpecialDomains, emailProblem, repairedEmail } from '../pgadmin/email';
import { pgadminSays } from '../pgadmin/says';
import { lastHit, type Hit } from './cause';
import { dotted, seen, seenContainer, seenLine } from './evidence';

type PgadminCode = keyof typeof pgadminSays;

/** PgAdmin in a workload. */
interface Pgadmin {
  scene: Scene;
  workload: Workload;
  index: number;
  spec: Record<string, unknown>;
  at: string;
  email?: { value: string; at?: string; configMap?: { name: string; key: string } };
}

const order: PgadminCode[] = ['pgadmin_invalid_email', 'pgadmin_missing_credentials', 'pgadmin_data_not_writable', 'pgadmin_config_database_unreachable', 'pgadmin_servers_json_invalid', 'pgadmin_privileged_port'];

/** Why PgAdmin does not run: what it says itself, else what the kubelet says, else what its entrypoint would refuse. */
export function pgadminCauses(scene: Scene): Candidate[] {
  return scene.facts.workloads.flatMap((workload) => {
    const pgadmin = pgadminOf(scene, workload);
    if (!pgadmin) return [];
    const servers = invalidServers(pgadmin);
    if (scene.facts.runtime && workload.state !== 'not-running') return servers ? [servers] : [];
    return [said(pgadmin) ?? refused(pgadmin) ?? servers ?? configured(pgadmin)].flatMap((c) => c ?? []);
  });
}

function pgadminOf(scene: Scene, workload: Workload): Pgadmin | undefined {
  const containers = listOf(workload.podSpec['containers']);
  const index = containers.findIndex((c) => /(?:^|\/)pgadmin4(?:[:@]|$)/.test(textOf(valueIn(c, 'image')) ?? '') || listOf(valueIn(c, 'env')).some((e) => valueIn(e, 'name') === 'PGADMIN_DEFAULT_EMAIL'));
  if (index < 0) return undefined;
  const email = variablesOf(scene.facts, workload, index).find((v) => v.name === 'PGADMIN_DEFAULT_EMAIL');
  return { scene, workload, index, spec: recordOf(containers[index]), at: `${workload.podSpecAt}/containers/${index}`, ...(email ? { email } : {}) };
}

const containerOf = ({ spec, workload }: Pgadmin, pod = workload.unwell[0]?.pod): ContainerFacts | undefined => pod?.containers.find((c) => c.name === spec['name'] && !c.init);

function said(pgadmin: Pgadmin): Candidate | undefined {
  const { scene, workload } = pgadmin;
  for (const { pod } of workload.unwell.slice(0, 2)) {
    const container = containerOf(pgadmin, pod);
    if (!container) continue;
    // The newest run decides: one before it may have failed for what is mended by now.
    const hits = order.flatMap((code) => {
      const hit = lastHit(scene, pod, container, pgadminSays[code]);
      return hit ? [{ code, hit }] : [];
    });
    const now = hits.filter(({ hit }) => hit.log.run === 'current');
    const found = (now.length > 0 ? now : hits)[0];
    if (found) return made(pgadmin, found.code, 0.97, [seenLine(pod, found.hit.log, found.hit.line), seenContainer(pod, container)], found.hit);
  }
  return undefined;
}

/** The kubelet starts no container whose Secret or key is missing: there is no log then. */
function refused(pgadmin: Pgadmin): Candidate | undefined {
  const { workload, spec } = pgadmin;
  const container = containerOf(pgadmin);
  const pod = workload.unwell[0]?.pod;
  if (!pod || container?.state.reason !== 'CreateContainerConfigError') return undefined;
  const message = container.state.message ?? '';
  const credential = listOf(spec['env']).find((e) => /^PGADMIN_DEFAULT_(?:EMAIL|PASSWORD)$/.test(textOf(valueIn(e, 'name')) ?? '') && ['secretKeyRef', 'configMapKeyRef'].some((from) => message.includes(textOf(valueIn(e, 'valueFrom', from, 'name')) ?? '\0')));
  return credential === undefined ? undefined : made(pgadmin, 'pgadmin_missing_credentials', 0.98, [seenContainer(pod, container)]);
}

/** A servers.json that is not JSON, or has no servers in it; from the ConfigMap that it is mounted from. */
function invalidServers(pgadmin: Pgadmin): Candidate | undefined {
  const { workload, scene, spec } = pgadmin;
  for (const mount of listOf(spec['volumeMounts'])) {
    const path = textOf(valueIn(mount, 'mountPath')) ?? '';
    const volume = listOf(workload.podSpec['volumes']).find((v) => valueIn(v, 'name') === valueIn(mount, 'name'));
    const name = textOf(valueIn(volume, 'configMap', 'name'));
    const data = name === undefined ? {} : recordOf(scene.facts.objects.get('ConfigMap', workload.namespace, name)?.['data']);
    const key = textOf(valueIn(mount, 'subPath')) ?? Object.keys(data).find((k) => k.endsWith('servers.json') || (path.endsWith('servers.json') && Object.keys(data).length === 1));
    const text = key === undefined ? undefined : data[key];
    if (typeof text !== 'string' || !`${path}/${key ?? ''}`.includes('servers.json')) continue;
    const problem = serversProblem(text);
    if (problem === undefined) continue;
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: workload.namespace, name: name ?? '' };
    return { ...made(pgadmin, 'pgadmin_servers_json_invalid', 0.93, [seen(ref, `.data[${key ?? ''}]`, `${problem}: ${text.slice(0, 200)}`)]), object: ref };
  }
  return undefined;
}

/** What the import needs of each server (PgAdmin, *Import/Export Servers*, JSON format). */
function serversProblem(text: string): string | undefined {
  try {
    const servers = valueIn(JSON.parse(text), 'Servers');
    if (typeof servers !== 'object' || servers === null || Array.isArray(servers)) return 'it has no object "Servers"';
    for (const [number, server] of Object.entries(servers)) {
      const needs = ['Name', 'Group', ...(valueIn(server, 'Service') === undefined ? ['Port', 'Username', 'MaintenanceDB'] : [])];
      const lacks = needs.find((field) => valueIn(server, field) === undefined);
      if (lacks !== undefined) return `server ${printable(number, 40)} has no ${lacks}`;
    }
    return undefined;
  } catch (error) {
    return printable((error as Error).message, 150);
  }
}

/** Without a word of anybody's: what the entrypoint would refuse. */
function configured(pgadmin: Pgadmin): Candidate | undefined {
  const { scene, workload, spec, email } = pgadmin;
  const env = new Set(listOf(spec['env']).map((e) => valueIn(e, 'name')));
  const pod = workload.unwell[0]?.pod;
  const container = containerOf(pgadmin);
  const heard = pod && container && scene.facts.logs.of(pod.namespace, pod.name, container.name).length > 0;
  if (env.has('PGADMIN_CONFIG_CONFIG_DATABASE_URI') || heard) return undefined;
  if (scene.facts.runtime && (container?.last?.exitCode ?? container?.state.exitCode) !== 1) return undefined;
  const lacks = listOf(spec['envFrom']).length === 0 && (!env.has('PGADMIN_DEFAULT_EMAIL') || !(env.has('PGADMIN_DEFAULT_PASSWORD') || env.has('PGADMIN_DEFAULT_PASSWORD_FILE')));
  if (lacks) return made(pgadmin, 'pgadmin_missing_credentials', 0.9, [seen(workload.ref, `${dotted(pgadmin.at)}.env`, [...env].join(', ') || 'not set')]);
  return email && emailProblem(email.value, allowed(pgadmin)) !== undefined ? made(pgadmin, 'pgadmin_invalid_email', 0.85, []) : undefined;
}

function allowed({ scene, workload, index }: Pgadmin): string[] {
  return allowedSpecialDomains(variablesOf(scene.facts, workload, index).find((v) => v.name === 'PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS')?.value);
}

function made(pgadmin: Pgadmin, cause: PgadminCode, confidence: number, evidence: Candidate['evidence'], hit?: Hit): Candidate {
  const { workload } = pgadmin;
  const { title, remedy, also = [], blames = [] } = told[cause](pgadmin, hit);
  const owner = cause === 'pgadmin_servers_json_invalid' ? serversConfigMap(pgadmin) : undefined;
  return {
    cause: cause as CauseCode,
    object: owner ?? workload.ref,
    confidence,
    title,
    evidence: [...evidence, ...also],
    explains: workload.unwell.length > 0 ? workload.unwell.map(({ pod }) => pod.key) : [workload.key],
    ...(blames.length > 0 ? { blames } : {}),
    remedy,
  };
}

/** The ConfigMap that holds servers.json, when one does. */
function serversConfigMap({ workload, spec }: Pgadmin): Candidate['object'] | undefined {
  const mount = listOf(spec['volumeMounts']).find((m) => (textOf(valueIn(m, 'mountPath')) ?? '').includes('servers.json') || textOf(valueIn(m, 'subPath')) === 'servers.json');
  const volume = listOf(workload.podSpec['volumes']).find((v) => mount !== undefined && valueIn(v, 'name') === valueIn(mount, 'name'));
  const name = textOf(valueIn(volume, 'configMap', 'name'));
  return name === undefined ? undefined : { apiVersion: 'v1', kind: 'ConfigMap', namespace: workload.namespace, name };
}

interface Told {
  title: string;
  remedy: FieldChange | { none: string };
  also?: Candidate['evidence'];
  blames?: string[];
}

const told: Record<PgadminCode, (pgadmin: Pgadmin, hit?: Hit) => Told> = {
  pgadmin_invalid_email(pgadmin) {
    const { email, workload } = pgadmin;
    const problem = email && emailProblem(email.value, allowed(pgadmin));
    const wanted = repairedEmail(email?.value, 'example.com');
    const where = email?.configMap ? `ConfigMap ${workload.namespace}/${email.configMap.name}, key ${email.configMap.key}` : 'where it stands';
    return {
      title: `PgAdmin refuses its e-mail address${email ? ` ${printable(email.value, 120)}` : ''}${problem ? `: ${problem}` : ''}`,
      also: email ? [seen(workload.ref, email.at ? dotted(email.at) : 'PGADMIN_DEFAULT_EMAIL', email.value)] : [],
      remedy: email?.at ? { summary: `Set PGADMIN_DEFAULT_EMAIL to ${wanted}`, patch: [{ op: 'replace', path: email.at, value: wanted }], note: 'you log in with it, and PgAdmin sends password resets to it' } : { none: `set the address ${where} to one that PgAdmin accepts, as ${wanted}` },
    };
  },
  pgadmin_missing_credentials: () => ({
    title: 'PgAdmin starts without its e-mail address or its password',
    remedy: { none: 'the missing value is a secret that only you can choose: put e-mail and password into a Secret and name its keys in env, or add the missing key' },
  }),
  pgadmin_data_not_writable({ workload, spec }) {
    const context = `${workload.podSpecAt}/securityContext`;
    const security = workload.podSpec['securityContext'];
    const mount = listOf(spec['volumeMounts']).find((m) => /^\/var\/lib\/pgadmin\/?$/.test(textOf(valueIn(m, 'mountPath')) ?? ''));
    const volume = listOf(workload.podSpec['volumes']).find((v) => mount !== undefined && valueIn(v, 'name') === valueIn(mount, 'name'));
    const helps = valueIn(mount, 'readOnly') !== true && mount !== undefined && valueIn(volume, 'hostPath') === undefined && valueIn(security, 'fsGroup') === undefined;
    return {
      title: 'PgAdmin cannot write its data directory /var/lib/pgadmin as user 5050',
      also: [seen(workload.ref, `${dotted(context)}.fsGroup`, valueIn(security, 'fsGroup') ?? 'not set'), seen(workload.ref, 'volumeMounts[/var/lib/pgadmin]', mount === undefined ? 'no volume is mounted there' : JSON.stringify(mount))],
      remedy: helps
        ? { summary: 'Set fsGroup 5050 so that PgAdmin may write its volume', patch: security ? [{ op: 'add', path: `${context}/fsGroup`, value: 5050 }] : [{ op: 'add', path: context, value: { fsGroup: 5050 } }] }
        : { none: 'give the directory to user 5050 (chown 5050:5050), and mount it writable: fsGroup does not help here' },
    };
  },
  pgadmin_servers_json_invalid: () => ({ title: 'PgAdmin cannot read the servers that it is told to import', remedy: { none: 'correct servers.json: an object "Servers" with a numbered object for each server (PgAdmin, *Import/Export Servers*)' } }),
  pgadmin_config_database_unreachable({ scene, workload }) {
    const calls = (scene.callsOf.get(workload.key) ?? []).filter((c) => /CONFIG_DATABASE/.test(c.address.from));
    return {
      title: 'PgAdmin does not reach the database that keeps its settings',
      also: calls.map((c) => seen(workload.ref, c.address.from, printable(`${c.address.host}:${c.address.port ?? 5432}`, 200))),
      blames: calls.map((c) => keyOf({ kind: 'Service', ...c.target })),
      remedy: { none: 'correct PGADMIN_CONFIG_CONFIG_DATABASE_URI, or bring that database up' },
    };
  },
  pgadmin_privileged_port({ at, spec, workload }, hit) {
    const port = hit?.match.groups?.['port'] ?? '80';
    const capabilities = valueIn(spec, 'securityContext', 'capabilities');
    const added = listOf(valueIn(capabilities, 'add'));
    const path = `${at}/securityContext`;
    const patch: FieldChange['patch'] = capabilities === undefined ? (spec['securityContext'] ? [{ op: 'add', path: `${path}/capabilities`, value: { add: ['NET_BIND_SERVICE'] } }] : [{ op: 'add', path, value: { capabilities: { add: ['NET_BIND_SERVICE'] } } }]) : [{ op: 'add', path: `${path}/capabilities/add`, value: [...added, 'NET_BIND_SERVICE'] }];
    return {
      title: `PgAdmin may not listen on port ${port}: user 5050 lacks the right to ports below 1024`,
      also: [seen(workload.ref, dotted(path), JSON.stringify(spec['securityContext'] ?? 'not set'))],
      remedy: Number(port) < 1024 && !added.includes('NET_BIND_SERVICE') ? { summary: 'Give PgAdmin the capability NET_BIND_SERVICE', patch, note: 'or set PGADMIN_LISTEN_PORT to a port above 1023, and the container\'s port with it' } : { none: 'set PGADMIN_LISTEN_PORT to a port above 1023, and the container\'s port with it' },
    };
  },
};
