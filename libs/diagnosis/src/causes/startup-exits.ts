import { listOf, printable, textOf, valueIn } from '@larry/contracts';
import { lastEnd, type ContainerFacts } from '../facts/pod-facts';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import { volumeOfClaim, withoutFsGroup } from '../graph/references';
import { casesOf, containerAt, eventsOfPod, lastHit, ofWorkload, type Case } from './cause';
import { dotted, seen, seenAt, seenContainer, seenEvent, seenLine } from './evidence';

/** runc's and containerd's words for a command that cannot be run (runc, `libcontainer/init_linux.go`); shells exit 127 and 126. */
const notRunnable = /exec(?: |: )"?(?<command>[^":]+)"?: (?:executable file not found in \$PATH|no such file or directory|permission denied|stat .*)|exec format error|unable to start container process: (?!error during container init: error mounting)(?<what>.*)|starting container process caused.*(?:not found|no such file)/i;
const shellNotFound = /(?:^|: )(?:line \d+: )?(?<command>\S+): (?:command )?not found\s*$|exec: (?<second>\S+): not found|can't open file '(?<file>[^']+)': \[Errno 2\]|Cannot find module '(?<module>[^']+)'|Error: Unable to access jarfile (?<jar>\S+)|Could not find or load main class (?<main>\S+)/i;
const badFlag = /(?:unknown|unrecognized|invalid|illegal|undefined) (?:command[- ]line )?(?:option|flag|argument|arguments|command|shorthand flag)s?\b|flag provided but not defined|unknown shorthand flag|unexpected argument '|error: (?:unrecognized arguments|argument [-\w]|the following arguments are required)|^(?:\/bin\/)?(?:ba|da|z)?sh: .*(?:syntax error|unterminated quoted string|unexpected (?:EOF|token|end of file))/i;

/** Applications' words for a variable that is missing or that they cannot read. */
const badEnvironment: readonly RegExp[] = [
  /(?:missing|required|undefined|unset|empty)\b.{0,40}\b(?:env(?:ironment)?(?: variable)?s?)\b/i,
  /\b(?:env(?:ironment)?(?: variable)?s?)\b.{0,80}\b(?:not set|is missing|are missing|is required|are required|must be set|is empty|not defined|undefined|invalid|not found|cannot be empty)/i,
  /\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b.{0,30}\b(?:is not set|not set|must be set|is required|is missing|was not provided|is undefined|is empty|cannot be empty|not specified|must be an? (?:integer|number|boolean))\b/,
  /\b(?:invalid|bad|unsupported|illegal|malformed|unparsable|cannot parse|failed to parse|could not parse)\b.{0,40}\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/,
  /\bKeyError: '[A-Z][A-Z0-9_]+'|key not found: "[A-Z][A-Z0-9_]+" \(KeyError\)/,
  /environment variable .* (?:not found|not present)|EnvironmentError|Could not resolve placeholder '[^']+'|VarError|NotPresent\b/,
  /strconv\.(?:Atoi|ParseInt|ParseBool|ParseFloat|ParseUint): parsing "[^"]*": invalid syntax/,
  /invalid literal for int\(\) with base 10|java\.lang\.NumberFormatException: For input string/,
  /(?:You need to specify one of the following|Database is uninitialized and (?:superuser )?password (?:option )?is not specified)/i,
  // envconfig, NestJS and Joi, pydantic, Spring Boot, Go's url and time.
  /required key [A-Z][A-Z0-9_]+ missing value/,
  /Config validation error|validation errors? for \w*(?:Settings|Config)\b|Failed to bind properties under|Invalid environment variables/i,
  /"?\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b"?:? (?:is required|is not allowed|must be|should be|expected|is invalid|has an invalid)/,
  /\b(?:time: invalid duration|missing protocol scheme|first path segment in URL cannot contain colon|invalid port number|invalid log ?level|unknown log ?level|Not a valid (?:port|number|boolean))\b/i,
];

const unreadable = /invalid literal for int|NumberFormatException|strconv\./;

/** `Permission denied` and `Read-only file system`, as libc (strerror) and the languages print them. */
const denied = /Permission denied|permission denied|EACCES|AccessDeniedException|Operation not permitted.*(?:chown|mkdir|open)|(?:chown|chmod|mkdir|open|permissions of directory).*Operation not permitted|is not writable|has wrong ownership|has invalid permissions/i;
const readOnly = /Read-only file system|read-only file system|EROFS/;
const somePath = /(?<![A-Za-z0-9.:/])(\/[A-Za-z0-9._@+-]+(?:\/[A-Za-z0-9._@+-]+)*)/g;

/** Why a container that was made does not live: its command, its variables, its files. */
export function exitCauses(scene: Scene): Candidate[] {
  return casesOf(scene, 'crashing', 'waiting', 'failed').flatMap((one) => {
    const { container } = one.ailment;
    if (!container) return [];
    return [commandCause(one, container), readOnlyCause(one, container), deniedCause(one, container), environmentCause(one, container)].flatMap((found) => found ?? []);
  });
}

function commandCause(one: Case, container: ContainerFacts): Candidate | undefined {
  const { pod, workload, scene } = one;
  const end = lastEnd(container);
  const event = eventsOfPod(scene, pod).find((e) => (e.reason === 'Failed' || e.reason === 'BackOff') && notRunnable.test(e.message) && !/pull/i.test(e.message));
  const texts = [container.state.message, end?.message, event?.message].filter((t): t is string => t !== undefined);
  const at = containerAt(workload, container);
  const command = commandOf(container);
  const evidence = [seenContainer(pod, container), ...(event ? [seenEvent(event)] : []), seen(workload.ref, `${dotted(at)}.${container.spec['command'] === undefined && container.spec['args'] !== undefined ? 'args' : 'command'}`, command || 'the image\'s own')];
  const remedy = { none: `what shall be run is for you to say: correct ${dotted(at)}.command or .args` };
  const said = texts.find((text) => notRunnable.test(text) && !/error mounting|no such device|cgroup/i.test(text));
  if (said !== undefined) {
    return ofWorkload(one, 'invalid_command', 0.96, `container ${container.name} cannot be started: ${printable(notRunnable.exec(said)?.groups?.['command'] ?? command, 120)} cannot be run`, { evidence, remedy });
  }
  const code = end?.exitCode;
  if (code === undefined || code === 0 || code === 137) return undefined;
  const hit = lastHit(scene, pod, container, code === 127 || code === 126 ? [shellNotFound, /not found|Permission denied|cannot execute/] : [shellNotFound, badFlag]);
  if (hit) {
    const own = code === 127 || code === 126 || container.spec['command'] !== undefined || container.spec['args'] !== undefined;
    return ofWorkload(one, 'invalid_command', code === 127 || code === 126 ? 0.92 : own ? 0.85 : 0.6, `container ${container.name} is started with a command that it cannot run: ${printable(hit.line, 160)}`, { evidence: [seenLine(pod, hit.log, hit.line), ...evidence], remedy });
  }
  if (code === 127 || code === 126) return ofWorkload(one, 'invalid_command', 0.8, `container ${container.name} ends with exit code ${code}: ${code === 127 ? 'its command is not found' : 'its command cannot be executed'}`, { evidence, remedy });
  return undefined;
}

function commandOf(container: ContainerFacts): string {
  return [...listOf(container.spec['command']), ...listOf(container.spec['args'])].map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' ');
}

function environmentCause(one: Case, container: ContainerFacts): Candidate | undefined {
  const { pod, workload, scene } = one;
  const hit = lastHit(scene, pod, container, badEnvironment);
  if (!hit || (lastEnd(container)?.exitCode ?? 0) === 0) return undefined;
  const named = /\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/.exec(hit.line)?.[0];
  // A value that cannot be read may come from anywhere: a container without variables has none that is wrong.
  if (named === undefined && unreadable.test(hit.line) && listOf(container.spec['env']).length === 0 && listOf(container.spec['envFrom']).length === 0) return undefined;
  const index = listOf(container.spec['env']).findIndex((entry) => valueIn(entry, 'name') === named);
  const at = `${containerAt(workload, container)}/env`;
  return ofWorkload(one, 'invalid_environment', named === undefined ? 0.78 : 0.88, `container ${container.name} does not accept its environment: ${printable(hit.line, 160)}`, {
    evidence: [
      seenLine(pod, hit.log, hit.line),
      seenContainer(pod, container),
      index >= 0 ? seenAt(workload.object, workload.ref, `${at}/${index}`) : seen(workload.ref, dotted(at), named === undefined ? `${listOf(container.spec['env']).length} variables` : `${named} is not set here`),
    ],
    remedy: { none: `the right value is for you to say: set ${named ?? 'the variable'} in ${dotted(at)}` },
  });
}

interface Mount {
  name: string;
  path: string;
  readOnly: boolean;
  index: number;
  volume: unknown;
}

function mountOf(one: Case, container: ContainerFacts, line: string): Mount | undefined {
  const paths = [...line.matchAll(somePath)].map((m) => m[1] ?? '');
  const mounts = listOf(container.spec['volumeMounts']).map((mount, index): Mount => {
    const name = textOf(valueIn(mount, 'name')) ?? '';
    return { name, index, path: (textOf(valueIn(mount, 'mountPath')) ?? '').replace(/\/+$/, ''), readOnly: valueIn(mount, 'readOnly') === true, volume: listOf(one.pod.spec['volumes']).find((v) => valueIn(v, 'name') === name) };
  });
  return mounts.filter((mount) => paths.some((path) => path === mount.path || path.startsWith(`${mount.path}/`))).sort((a, b) => b.path.length - a.path.length)[0];
}

function readOnlyCause(one: Case, container: ContainerFacts): Candidate | undefined {
  const { pod, workload, scene } = one;
  const hit = lastHit(scene, pod, container, [readOnly]);
  if (!hit) return undefined;
  const at = containerAt(workload, container);
  const mount = mountOf(one, container, hit.line);
  const rootIsReadOnly = valueIn(container.spec, 'securityContext', 'readOnlyRootFilesystem') === true;
  const pointer = mount?.readOnly ? `${at}/volumeMounts/${mount.index}/readOnly` : `${at}/securityContext/readOnlyRootFilesystem`;
  const fixedByMount = mount && !mount.readOnly && !isReadOnlyKind(mount.volume) ? undefined : mount;
  return ofWorkload(one, 'read_only_file_system', mount?.readOnly || rootIsReadOnly ? 0.95 : 0.8, `container ${container.name} writes where it may only read: ${printable(hit.line, 160)}`, {
    evidence: [seenLine(pod, hit.log, hit.line), seenContainer(pod, container), seenAt(workload.object, workload.ref, pointer)],
    alternatives: [{ cause: 'volume_mount_permission_denied', why: 'the system says that the file system is read-only, not that the user may not' }],
    remedy:
      fixedByMount && isReadOnlyKind(fixedByMount.volume)
        ? { none: `a volume of a ConfigMap or Secret is always read-only: give ${fixedByMount.path} another volume` }
        : mount?.readOnly
          ? { summary: `Mount ${mount.path} writable`, patch: [{ op: 'replace', path: pointer, value: false }] }
          : writableFolder(one, container, hit.line, at),
  });
}

const isReadOnlyKind = (volume: unknown): boolean => ['configMap', 'secret', 'projected', 'downwardAPI'].some((kind) => valueIn(volume, kind) !== undefined);

/** An empty folder where the application writes keeps the root file system read-only. */
function writableFolder({ workload }: Case, container: ContainerFacts, line: string, at: string): FieldChange | { none: string } {
  const path = [...line.matchAll(somePath)].map((m) => m[1] ?? '').find((p) => p.split('/').length >= 2);
  if (path === undefined || container.init) return { none: 'mount an emptyDir where it writes, or set readOnlyRootFilesystem to false' };
  const folder = /\.[A-Za-z0-9]+$|pid$/.test(path) ? path.split('/').slice(0, -1).join('/') || path : path;
  const name = `writable-${folder.replace(/[^a-z0-9]+/gi, '-').toLowerCase().replace(/^-|-$/g, '')}`.slice(0, 60);
  const volumes = listOf(workload.podSpec['volumes']).length > 0;
  // Of the template: the pod's own container has the mount of its token besides.
  const inTemplate = listOf(workload.podSpec['containers']).find((c) => valueIn(c, 'name') === container.name);
  const mounts = listOf(valueIn(inTemplate, 'volumeMounts')).length > 0;
  const volume = { name, emptyDir: {} };
  const mount = { name, mountPath: folder };
  return {
    summary: `Give ${container.name} an empty writable folder at ${folder}`,
    patch: [
      volumes ? { op: 'add', path: `${workload.podSpecAt}/volumes/-`, value: volume } : { op: 'add', path: `${workload.podSpecAt}/volumes`, value: [volume] },
      mounts ? { op: 'add', path: `${at}/volumeMounts/-`, value: mount } : { op: 'add', path: `${at}/volumeMounts`, value: [mount] },
    ],
    note: 'what stands in that folder of the image is hidden by it, and what is written there is lost with the pod',
  };
}

function deniedCause(one: Case, container: ContainerFacts): Candidate | undefined {
  const { pod, workload, scene } = one;
  const event = eventsOfPod(scene, pod).find((e) => /^FailedMount$/.test(e.reason) && /permission denied|access denied|operation not permitted|applyFSGroup failed/i.test(e.message));
  const hit = event ? undefined : lastHit(scene, pod, container, [denied]);
  if (!event && (!hit || /connection|socket|bind|listen|setrlimit|sudo/i.test(hit.line))) return undefined;
  const mount = hit ? mountOf(one, container, hit.line) : undefined;
  const hasClaim = listOf(pod.spec['volumes']).some((v) => valueIn(v, 'persistentVolumeClaim') !== undefined || valueIn(v, 'hostPath') !== undefined);
  const fsGroupAt = `${workload.podSpecAt}/securityContext/fsGroup`;
  const user = valueIn(container.spec, 'securityContext', 'runAsUser') ?? valueIn(pod.spec, 'securityContext', 'runAsUser');
  return ofWorkload(one, 'volume_mount_permission_denied', event ? 0.93 : mount ? 0.92 : hasClaim ? 0.75 : 0.62, event ? `a volume of ${pod.name} refuses to be mounted` : `container ${container.name} may not write ${mount?.path ?? 'its files'}: ${printable(hit?.line ?? '', 160)}`, {
    evidence: [
      ...(event ? [seenEvent(event)] : []),
      ...(hit ? [seenLine(pod, hit.log, hit.line)] : []),
      seenContainer(pod, container),
      seenAt(workload.object, workload.ref, `${workload.podSpecAt}/securityContext`),
      ...(mount ? [seen(workload.ref, `${dotted(containerAt(workload, container))}.volumeMounts[${mount.name}]`, `${mount.path}: ${Object.keys((mount.volume as object | undefined) ?? {}).filter((k) => k !== 'name').join() || 'volume'}`)] : []),
    ],
    remedy:
      mount && typeof user === 'number' && valueIn(mount.volume, 'persistentVolumeClaim') !== undefined && valueIn(pod.spec, 'securityContext', 'fsGroup') === undefined && withoutFsGroup(volumeOfClaim(scene.facts.objects, pod.namespace, textOf(valueIn(mount.volume, 'persistentVolumeClaim', 'claimName')))) === undefined
        ? { summary: `Set fsGroup ${user} so that user ${user} may write the volume`, patch: valueIn(pod.spec, 'securityContext') ? [{ op: 'add', path: fsGroupAt, value: user }] : [{ op: 'add', path: `${workload.podSpecAt}/securityContext`, value: { fsGroup: user } }] }
        : event
          ? { none: 'who serves the volume refuses it: see which addresses and users its export lets in, or the credentials that the volume names; on the node, who owns the folder' }
          : { none: 'give the files to the user that the container runs as (fsGroup for a claim, chown for a hostPath or NFS), or run it as the user that owns them' },
  });
}

/** An init container that does not end well, where nothing says more precisely why. */
export function initCauses(scene: Scene): Candidate[] {
  return casesOf(scene, 'crashing', 'failed', 'waiting').flatMap((one) => {
    const { container } = one.ailment;
    if (!container?.init || container.sidecar) return [];
    const end = lastEnd(container);
    const stuck = one.ailment.kind === 'waiting' && container.state.kind === 'running';
    if (!stuck && (end?.exitCode ?? 0) === 0) return [];
    const log = one.scene.facts.logs.of(one.pod.namespace, one.pod.name, container.name)[0];
    const line = log?.lines.findLast((l) => l.trim() !== '');
    const blames = blamedBy(one, `${log?.lines.slice(-20).join('\n') ?? ''}\n${commandOf(container)}`);
    return [
      ofWorkload(one, 'init_container_failed', stuck ? 0.7 : 0.82, stuck ? `init container ${container.name} does not come to its end` : `init container ${container.name} fails with exit code ${end?.exitCode ?? 'unknown'}`, {
        evidence: [seenContainer(one.pod, container), ...(log && line ? [seenLine(one.pod, log, line)] : []), seen(one.workload.ref, `${dotted(containerAt(one.workload, container))}.command`, commandOf(container) || "the image's own")],
        blames,
        secondary: stuck,
        remedy: { none: `read the log of init container ${container.name}: it must end with 0 before the others are started` },
      }),
    ];
  });
}

/** Services that a text names: what an init container waits for. */
function blamedBy({ scene, workload }: Case, text: string): string[] {
  const words = new Set(text.toLowerCase().match(/[a-z0-9](?:[a-z0-9-]*[a-z0-9])?/g) ?? []);
  return scene.services.filter((s) => s.namespace === workload.namespace && words.has(s.name)).map((s) => s.key);
}
