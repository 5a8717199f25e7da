import { describeRef, listOf, printable, recordOf, textOf, valueIn } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import { variablesOf } from '../facts/addresses';
import type { Workload } from '../facts/model';
import type { ContainerFacts } from '../facts/pod-facts';
import { longestValue } from '../facts/slim';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import { allowedSpecialDomains, emailProblem, repairedEmail } from '../pgadmin/email';
import { configDatabaseOf } from '../pgadmin/config-database';
import { lackOf } from '../pgadmin/credentials';
import { dataMountOf, envOf, mountsOf, pgadminIndex, variableOf, type Mounted, type Pgadmin } from '../pgadmin/find';
import { pgadminSays } from '../pgadmin/says';
import { volumeOfClaim, withoutFsGroup } from '../graph/references';
import { serversProblem, type ServersProblem } from '../pgadmin/servers-json';
import { ownerIn } from '../remedy/remedy';
import { lastHit, type Hit } from './cause';
import { dotted, escapePart, seen, seenContainer, seenLine } from './evidence';

type PgadminCode = keyof typeof pgadminSays;

const order: PgadminCode[] = ['pgadmin_invalid_email', 'pgadmin_missing_credentials', 'pgadmin_data_not_writable', 'pgadmin_config_database_unreachable', 'pgadmin_servers_json_invalid', 'pgadmin_privileged_port'];

/** Why PgAdmin does not run: what it says itself, else what the kubelet says, else what its entrypoint would refuse. */
export function pgadminCauses(scene: Scene): Candidate[] {
  return scene.facts.workloads.flatMap((workload) => {
    const pgadmin = pgadminOf(scene, workload);
    if (!pgadmin) return [];
    const servers = invalidServers(pgadmin);
    if (scene.facts.runtime && workload.state !== 'not-running') return [servers ?? saysOn(pgadmin)].flatMap((c) => c ?? []);
    return [said(pgadmin) ?? refused(pgadmin) ?? servers ?? configured(pgadmin)].flatMap((c) => c ?? []);
  });
}

function pgadminOf(scene: Scene, workload: Workload): Pgadmin | undefined {
  const containers = listOf(workload.podSpec['containers']);
  const index = pgadminIndex(workload.podSpec);
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

/** A PgAdmin whose workers cannot write goes on saying so, and is ready all the same where nobody asks it: no readiness probe. */
function saysOn(pgadmin: Pgadmin): Candidate | undefined {
  const { scene, workload } = pgadmin;
  for (const pod of workload.pods.filter((p) => p.phase === 'Running' && p.deletedMs === undefined).slice(0, 1)) {
    const container = containerOf(pgadmin, pod);
    const log = container && scene.facts.logs.get(pod.namespace, pod.name, container.name, 'current');
    const last = log?.lines.filter((line) => line.trim() !== '').slice(-lastLines).filter((line) => pgadminSays.pgadmin_data_not_writable.some((pattern) => pattern.test(line))) ?? [];
    const line = last.at(-1);
    if (container && log && line !== undefined && last.length > 1) return made(pgadmin, 'pgadmin_data_not_writable', 0.93, [seenLine(pod, log, line), seenContainer(pod, container)]);
  }
  return undefined;
}

/** What stands more than once among so many lines at the end goes on. */
const lastLines = 12;

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

/** A servers.json that its import refuses, in the ConfigMap that it is mounted from. */
interface ServersFile extends ServersProblem {
  ref: Candidate['object'];
  key: string;
  text: string;
}

function invalidServers(pgadmin: Pgadmin): Candidate | undefined {
  const found = invalidServersOf(pgadmin);
  return found && made(pgadmin, 'pgadmin_servers_json_invalid', 0.93, [seen(found.ref, `.data[${found.key}]`, `${found.problem}: ${found.text.slice(0, 200)}`)]);
}

function invalidServersOf({ workload, scene, ...pgadmin }: Pgadmin): ServersFile | undefined {
  for (const { path, subPath, volume } of mountsOf({ workload, ...pgadmin })) {
    const name = textOf(valueIn(volume, 'configMap', 'name'));
    const data = name === undefined ? {} : recordOf(scene.facts.objects.get('ConfigMap', workload.namespace, name)?.['data']);
    const key = subPath ?? Object.keys(data).find((k) => k.endsWith('servers.json') || (path.endsWith('servers.json') && Object.keys(data).length === 1));
    const text = key === undefined ? undefined : data[key];
    // What was cut off because of its length says nothing.
    if (key === undefined || typeof text !== 'string' || text.length >= longestValue || !`${path}/${key}`.includes('servers.json')) continue;
    const problem = serversProblem(text);
    if (problem) return { ...problem, ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: workload.namespace, name: name ?? '' }, key, text };
  }
  return undefined;
}

/** Without a word of anybody's: what the entrypoint would refuse. */
function configured(pgadmin: Pgadmin): Candidate | undefined {
  const { scene, workload, spec, email } = pgadmin;
  const env = new Set(envOf(pgadmin).map((entry) => valueIn(entry, 'name')));
  const pod = workload.unwell[0]?.pod;
  const container = containerOf(pgadmin);
  const heard = pod && container && scene.facts.logs.of(pod.namespace, pod.name, container.name).length > 0;
  if (env.has('PGADMIN_CONFIG_CONFIG_DATABASE_URI') || heard) return undefined;
  if (scene.facts.runtime && (container?.last?.exitCode ?? container?.state.exitCode) !== 1) return undefined;
  const lacks = listOf(spec['envFrom']).length === 0 && (!env.has('PGADMIN_DEFAULT_EMAIL') || !(env.has('PGADMIN_DEFAULT_PASSWORD') || env.has('PGADMIN_DEFAULT_PASSWORD_FILE')));
  if (lacks || email?.value === '') return made(pgadmin, 'pgadmin_missing_credentials', 0.9, [seen(workload.ref, `${dotted(pgadmin.at)}.env`, [...env].join(', ') || 'not set')]);
  return email && emailProblem(email.value, allowed(pgadmin)) !== undefined ? made(pgadmin, 'pgadmin_invalid_email', 0.85, []) : undefined;
}

function allowed({ scene, workload, index }: Pgadmin): string[] {
  return allowedSpecialDomains(variablesOf(scene.facts, workload, index).find((v) => v.name === 'PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS')?.value);
}

function made(pgadmin: Pgadmin, cause: PgadminCode, confidence: number, evidence: Candidate['evidence'], hit?: Hit): Candidate {
  const { workload } = pgadmin;
  const { title, remedy, object = workload.ref, also = [], blames = [] } = told[cause](pgadmin, hit);
  return {
    cause: cause as CauseCode,
    object,
    confidence,
    title,
    evidence: [...evidence, ...also],
    explains: workload.unwell.length > 0 ? workload.unwell.map(({ pod }) => pod.key) : [workload.key],
    ...(blames.length > 0 ? { blames } : {}),
    remedy,
  };
}

/** The ConfigMap that holds servers.json, when one does. */
function serversConfigMap(pgadmin: Pgadmin): Candidate['object'] | undefined {
  const mount = mountsOf(pgadmin).find(({ path, subPath }) => path.includes('servers.json') || subPath === 'servers.json');
  const name = textOf(valueIn(mount?.volume, 'configMap', 'name'));
  return name === undefined ? undefined : { apiVersion: 'v1', kind: 'ConfigMap', namespace: pgadmin.workload.namespace, name };
}

interface Told {
  title: string;
  /** The workload, unless something else is at fault. */
  object?: Candidate['object'];
  remedy: FieldChange | { none: string };
  also?: Candidate['evidence'];
  blames?: string[];
}

const told: Record<PgadminCode, (pgadmin: Pgadmin, hit?: Hit) => Told> = {
  pgadmin_invalid_email(pgadmin) {
    const { email, workload } = pgadmin;
    const { wishes } = pgadmin.scene;
    const problem = email && emailProblem(email.value, allowed(pgadmin));
    const wanted = wishes.pgadminEmail ?? repairedEmail(email?.value, wishes.pgadminEmailDomain ?? 'example.com');
    const where = email?.configMap ? `ConfigMap ${workload.namespace}/${email.configMap.name}, key ${email.configMap.key}` : 'where it stands';
    return {
      title: `PgAdmin refuses its e-mail address${email ? ` ${printable(email.value, 120)}` : ''}${problem ? `: ${problem}` : ''}`,
      also: email ? [seen(workload.ref, email.at ? dotted(email.at) : 'PGADMIN_DEFAULT_EMAIL', email.value)] : [],
      remedy: email?.at ? { summary: `Set PGADMIN_DEFAULT_EMAIL to ${wanted}`, patch: [{ op: 'replace', path: email.at, value: wanted }], chartValues: { pgadmin4: `env:\n  email: ${JSON.stringify(wanted)}\n` }, note: wishes.pgadminEmail ? 'you log in with it' : 'you log in with it, and PgAdmin sends password resets to it: set the option pgadminEmail to choose your own' } : { none: `set the address ${where} to one that PgAdmin accepts, as ${wanted}` },
    };
  },
  pgadmin_missing_credentials: lackOf,
  pgadmin_data_not_writable(pgadmin) {
    const { workload } = pgadmin;
    const context = `${workload.podSpecAt}/securityContext`;
    const security = workload.podSpec['securityContext'];
    const mount = dataMountOf(pgadmin);
    const hopeless = withoutEffect(mount, security, withoutFsGroup(volumeOfClaim(pgadmin.scene.facts.objects, workload.namespace, textOf(valueIn(mount?.volume, 'persistentVolumeClaim', 'claimName')))));
    return {
      title: 'PgAdmin cannot write its data directory /var/lib/pgadmin as user 5050',
      also: [seen(workload.ref, `${dotted(context)}.fsGroup`, valueIn(security, 'fsGroup') ?? 'not set'), seen(workload.ref, 'volumeMounts[/var/lib/pgadmin]', mount === undefined ? 'no volume is mounted there' : JSON.stringify(mount))],
      remedy: hopeless === undefined
        ? { summary: 'Set fsGroup 5050 so that PgAdmin may write its volume', patch: security ? [{ op: 'add', path: `${context}/fsGroup`, value: 5050 }] : [{ op: 'add', path: context, value: { fsGroup: 5050 } }], chartValues: { pgadmin4: 'securityContext:\n  runAsUser: 5050\n  runAsGroup: 5050\n  fsGroup: 5050\n' } }
        : { none: hopeless },
    };
  },
  pgadmin_servers_json_invalid(pgadmin) {
    const found = invalidServersOf(pgadmin);
    const object = found?.ref ?? serversConfigMap(pgadmin);
    return { title: 'PgAdmin cannot read the servers that it is told to import', ...(object ? { object } : {}), remedy: serversRemedy(pgadmin, found) };
  },
  pgadmin_config_database_unreachable: (pgadmin, hit) => ({ title: 'PgAdmin does not reach the database that keeps its settings', ...configDatabaseOf(pgadmin, hit?.line ?? '') }),
  pgadmin_privileged_port({ at, spec, workload }, hit) {
    const port = hit?.match.groups?.['port'] ?? '80';
    const capabilities = valueIn(spec, 'securityContext', 'capabilities');
    const added = listOf(valueIn(capabilities, 'add'));
    const held = valueIn(spec, 'securityContext', 'allowPrivilegeEscalation') === false;
    const path = `${at}/securityContext`;
    const patch: FieldChange['patch'] = capabilities === undefined ? (spec['securityContext'] ? [{ op: 'add', path: `${path}/capabilities`, value: { add: ['NET_BIND_SERVICE'] } }] : [{ op: 'add', path, value: { capabilities: { add: ['NET_BIND_SERVICE'] } } }]) : [{ op: 'add', path: `${path}/capabilities/add`, value: [...added, 'NET_BIND_SERVICE'] }];
    return {
      title: `PgAdmin may not listen on port ${port}: user 5050 lacks the right to ports below 1024`,
      also: [seen(workload.ref, dotted(path), JSON.stringify(spec['securityContext'] ?? 'not set'))],
      remedy: held
        ? { none: "set PGADMIN_LISTEN_PORT to a port above 1023, and the container's port with it: with allowPrivilegeEscalation false a capability does not count, as it comes with PgAdmin's program file" }
        : Number(port) < 1024 && !added.includes('NET_BIND_SERVICE') ? { summary: 'Give PgAdmin the capability NET_BIND_SERVICE', patch, note: 'or set PGADMIN_LISTEN_PORT to a port above 1023, and the container\'s port with it' } : { none: 'set PGADMIN_LISTEN_PORT to a port above 1023, and the container\'s port with it' },
    };
  },
};

/** The same servers as PgAdmin reads them, where only their writing is at fault and it will read them again. */
function serversRemedy(pgadmin: Pgadmin, found: ServersFile | undefined): FieldChange | { none: string } {
  if (!found?.corrected) return { none: `correct servers.json${found ? ` (${found.problem})` : ''}: an object "Servers" with a numbered object for each server (PgAdmin, *Import/Export Servers*)` };
  const { workload, scene } = pgadmin;
  const summary = `Write servers.json as JSON (${found.corrected.what})`;
  const where = `correct key ${found.key} of ${describeRef(found.ref)} (${found.corrected.what})`;
  if (!importsAgain(pgadmin)) return { none: `${where}; PgAdmin imports its servers at its first start alone, and keeps them at /var/lib/pgadmin since: then import them by hand with its setup.py load-servers` };
  const owner = ownerIn(scene.facts, workload.ref);
  if (scene.facts.runtime && owner.kind !== 'none') return { none: `${where}, then restart ${describeRef(workload.ref)}: PgAdmin reads it when it starts, and somebody else (${owner.kind}) owns that` };
  return { summary, patch: [{ op: 'replace', path: `/data/${escapePart(found.key)}`, value: found.corrected.text }], note: `PgAdmin reads it when it starts: ${describeRef(workload.ref)} is restarted for it` };
}

/** Whether the next pod imports: its data directory is a new one then, or it is told to (entrypoint.sh, PgAdmin 9.2 and newer). */
function importsAgain(pgadmin: Pgadmin): boolean {
  const mount = dataMountOf(pgadmin);
  return mount === undefined || valueIn(mount.volume, 'emptyDir') !== undefined || textOf(valueIn(variableOf(pgadmin, 'PGADMIN_REPLACE_SERVERS_ON_STARTUP')?.entry, 'value')) === 'True';
}

/** Why an fsGroup would not open the data directory; undefined where it would. */
function withoutEffect(mount: Mounted | undefined, security: unknown, claimed: ReturnType<typeof withoutFsGroup>): string | undefined {
  const fsGroup = valueIn(security, 'fsGroup');
  if (mount === undefined) return 'no volume is mounted at /var/lib/pgadmin: the image itself does not let this user write there';
  if (mount.readOnly || valueIn(mount.volume, 'persistentVolumeClaim', 'readOnly') === true) return 'the volume at /var/lib/pgadmin is mounted read-only: mount it writable';
  if (claimed === 'nfs' || valueIn(mount.volume, 'nfs') !== undefined) return 'Kubernetes does not apply fsGroup to NFS: give the directory on the server to user 5050 (chown 5050:5050)';
  if (valueIn(mount.volume, 'hostPath') !== undefined || claimed === 'hostPath') return 'Kubernetes does not apply fsGroup to a hostPath: give the directory on the node to user 5050 (chown 5050:5050)';
  if (fsGroup !== undefined) return `fsGroup is ${printable(String(fsGroup), 20)} already, so the volume's driver does not apply it: give the volume's directory to user 5050 (chown 5050:5050)`;
  return undefined;
}
