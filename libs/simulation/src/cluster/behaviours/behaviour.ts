/** A volume as one container sees it. */
export interface MountView {
  path: string;
  readOnly: boolean;
  /** Contents by absolute path, as far as the simulation knows them. */
  files: ReadonlyMap<string, string>;
  /** Whether this user, in any of these groups, may write into the directory. */
  writableBy(uid: number, gids: readonly number[]): boolean;
}

/** Everything that a container's behaviour may depend on. */
export interface ContainerFacts {
  image: string;
  repository: string;
  tag: string;
  command: readonly string[];
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  mounts: readonly MountView[];
  uid: number;
  gids: readonly number[];
  memoryLimitBytes: number | undefined;
  /** Nothing outside of volumes can be written. */
  readOnlyRoot: boolean;
  /** Whether it may listen on a port below 1024 although it is no root. */
  bindsPrivilegedPorts: boolean;
  /** Whether programs with the file capability NET_BIND_SERVICE can be executed: the kernel refuses them where it was dropped. */
  executesNetBind: boolean;
  /** What becomes of a connection to a host and port. */
  dial(host: string, port: number): Dialled;
  podName: string;
  startedAt: Date;
}

/** `unknown host`: DNS has no such name; `timed out`: the Service has no such port; `refused`: nobody listens behind it; `open` also for what is outside of the cluster or still on its way. */
export type Dialled = 'open' | 'unknown host' | 'refused' | 'timed out';

export interface ListeningPort {
  port: number;
  /** From when on, in milliseconds after the start. */
  afterMs: number;
  /** The HTTP status for a path; absent: no HTTP is spoken. */
  http?: (path: string) => number;
  /** HTTP is spoken under TLS only. */
  tls?: boolean;
  /** gRPC with a health service is spoken. */
  grpc?: boolean;
  /** What is answered to an HTTP request where none is spoken, '' for a closed connection; absent: connections are accepted and never answered. */
  says?: string;
}

/** What a container does from its start on. All times are milliseconds of the cluster's clock after the start. */
export interface Script {
  lines: readonly { afterMs: number; line: string }[];
  /** Lines that come again and again after the others. */
  loop?: { everyMs: number; lines: readonly string[] };
  /** When and how it ends by itself; absent: it runs on. */
  exit?: { afterMs: number; code: number; reason?: 'OOMKilled' };
  ports: readonly ListeningPort[];
  /** The exit code of a command run inside, for exec probes; absent: 0 once the last port listens. */
  exec?: (command: readonly string[]) => number;
  /** How it answers SIGTERM; `undefined`: it does not, and is killed after the grace period. */
  onTerm: { afterMs: number; code: number } | undefined;
  /** What it leaves in its volumes, at its start. */
  writes?: readonly { path: string; content: string }[];
  owns?: readonly { path: string; uid: number; gid: number }[];
}

/** Said by a behaviour that does not know what the container would do: it is then not run at all. */
export interface Unknown {
  unknown: string;
}

/** What is known of an image: which user it runs as, and what it does as a pure function of the facts. */
export interface ImageBehaviour {
  /** Repositories without registry and `library/`. */
  repositories: readonly string[];
  /** The user that the image itself names; 0 where it names none. */
  uid: number;
  run(facts: ContainerFacts): Script | Unknown;
}

export interface ImageName {
  registry: string;
  repository: string;
  tag: string;
  digest: string | undefined;
}

/** The parts of an image reference; undefined where it is not one. */
export function parseImage(image: string): ImageName | undefined {
  const [name = '', digest] = image.split('@');
  const match = /^((?:[a-z0-9.-]+(?::\d+)?\/)?)((?:[a-z0-9]+(?:[._-]+[a-z0-9]+)*\/)*[a-z0-9]+(?:[._-]+[a-z0-9]+)*)(?::([\w][\w.-]{0,127}))?$/i.exec(name);
  if (!match) return undefined;
  const first = (match[1] ?? '').replace(/\/$/, '');
  const isRegistry = first.includes('.') || first.includes(':') || first === 'localhost';
  const repository = (isRegistry || !first ? match[2] : `${first}/${match[2]}`) ?? '';
  return { registry: isRegistry ? first : 'docker.io', repository: repository.replace(/^(docker\/)?library\//, ''), tag: match[3] ?? (digest ? '' : 'latest'), digest };
}

/** A mount that holds a path, the innermost first. */
export function mountOf(facts: ContainerFacts, path: string): MountView | undefined {
  return facts.mounts
    .filter((mount) => path === mount.path || path.startsWith(mount.path.endsWith('/') ? mount.path : `${mount.path}/`))
    .sort((a, b) => b.path.length - a.path.length)[0];
}

/** A file in one of the container's volumes. */
export function fileIn(facts: ContainerFacts, path: string): string | undefined {
  return mountOf(facts, path)?.files.get(path);
}

export function ended(code: number, lines: readonly string[], afterMs = 200): Script {
  return { lines: lines.map((line) => ({ afterMs: Math.max(0, afterMs - 50), line })), exit: { afterMs, code }, ports: [], onTerm: { afterMs: 0, code: 143 } };
}

/** Whether the container can write below a path: into a volume, else into its own file system, which is root's or `owner`'s. */
export function writeProblem(facts: ContainerFacts, path: string, owner = 0): 'Read-only file system' | 'Permission denied' | undefined {
  const mount = mountOf(facts, path);
  if (mount ? mount.readOnly : facts.readOnlyRoot) return 'Read-only file system';
  const may = mount ? mount.writableBy(facts.uid, facts.gids) : facts.uid === 0 || facts.uid === owner;
  return may ? undefined : 'Permission denied';
}
