import { ended, mountOf, writeProblem, type ContainerFacts, type ImageBehaviour, type ListeningPort, type Script } from './behaviour';

/*
 * nginx by its own configuration: nginx.org `ngx_http_core_module` (listen, location), `ngx_http_upstream.c` ("host not found in
 * upstream"), `ngx_file.c` (what it creates at its start), and the images' Dockerfiles (nginxinc/docker-nginx,
 * nginxinc/docker-nginx-unprivileged, bitnami/containers) for ports, users and folders.
 */

interface Flavour {
  port: number;
  /** Folders of configuration files. */
  configs: readonly string[];
  documents: string;
  /** What it writes at its start, and who owns that in the image. */
  writes: readonly { path: string; call: string }[];
  owner: number;
}

const official: Flavour = {
  port: 80, configs: ['/etc/nginx'], documents: '/usr/share/nginx/html', owner: 0,
  writes: [{ path: '/var/cache/nginx/client_temp', call: 'mkdir()' }, { path: '/run/nginx.pid', call: 'open()' }],
};
const unprivileged: Flavour = { ...official, port: 8080, owner: 101, writes: [{ path: '/tmp/client_temp', call: 'mkdir()' }] };
const bitnami: Flavour = { port: 8080, configs: ['/opt/bitnami/nginx/conf'], documents: '/app', owner: 1001, writes: [{ path: '/opt/bitnami/nginx/tmp/nginx.pid', call: 'open()' }] };

const imageOf = (repository: string, uid: number, flavour: Flavour): ImageBehaviour => ({ repositories: [repository], uid, run: (facts) => run(facts, flavour) });

export const nginxImages: ImageBehaviour[] = [imageOf('nginx', 0, official), imageOf('nginxinc/nginx-unprivileged', 101, unprivileged), imageOf('bitnami/nginx', 1001, bitnami)];

const readyMs = 400;
const baselineBytes = 6 * 2 ** 20;

function run(facts: ContainerFacts, flavour: Flavour): Script | { unknown: string } {
  const program = facts.command[0]?.replace(/^.*\//, '');
  if (program && program !== 'nginx' && !program.includes('entrypoint')) return { unknown: `what ${facts.command.join(' ')} does in ${facts.repository} is not known` };
  const config = configOf(facts, flavour);
  const refused = unresolved(facts, config) ?? unwritable(facts, flavour);
  if (refused) return refused;
  const serving: Script = {
    lines: ['/docker-entrypoint.sh: Configuration complete; ready for start up', `${stamp(facts)} [notice] 1#1: start worker processes`].map((line, i) => ({ afterMs: 100 + i * 50, line })),
    ports: portsOf(facts, flavour, config),
    onTerm: { afterMs: 100, code: 0 },
  };
  const tooSmall = facts.memoryLimitBytes !== undefined && facts.memoryLimitBytes < baselineBytes;
  return tooSmall ? { ...serving, ports: [], exit: { afterMs: readyMs, code: 137, reason: 'OOMKilled' } } : serving;
}

interface Line {
  file: string;
  number: number;
  text: string;
}

/** The lines of its configuration that come from volumes; none where it runs on what the image brings. */
function configOf(facts: ContainerFacts, { configs }: Flavour): Line[] {
  const files = new Map(facts.mounts.flatMap((mount) => [...mount.files]).filter(([path]) => path.endsWith('.conf') && configs.some((folder) => path.startsWith(`${folder}/`))));
  return [...files].flatMap(([file, content]) => content.split('\n').map((text, i) => ({ file, number: i + 1, text: text.replace(/#.*$/, '') })));
}

function unresolved(facts: ContainerFacts, config: readonly Line[]): Script | undefined {
  for (const { file, number, text } of config) {
    // A name with a variable in it is looked up when a request comes.
    const [, host, port] = /(?:proxy_pass\s+https?:\/\/|fastcgi_pass\s+|^\s*server\s+)([a-z][a-z0-9.-]*)(?::(\d+))?[^$;{]*;/i.exec(text) ?? [];
    if (host && !/^unix$/.test(host) && facts.dial(host, Number(port ?? 80)) === 'unknown host') return emerg(facts, `host not found in upstream "${host}${port && /server\s/.test(text) ? `:${port}` : ''}" in ${file}:${number}`);
  }
  return undefined;
}

const errno = { 'Read-only file system': 30, 'Permission denied': 13 } as const;

function unwritable(facts: ContainerFacts, { writes, owner }: Flavour): Script | undefined {
  for (const { path, call } of writes) {
    const problem = writeProblem(facts, path, owner);
    if (problem) return emerg(facts, `${call} "${path}" failed (${errno[problem]}: ${problem})`);
  }
  return undefined;
}

const stamp = (facts: ContainerFacts) => facts.startedAt.toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
const emerg = (facts: ContainerFacts, message: string) => ended(1, [`${stamp(facts)} [emerg] 1#1: ${message}`, `nginx: [emerg] ${message}`], 250);

function portsOf(facts: ContainerFacts, flavour: Flavour, config: readonly Line[]): ListeningPort[] {
  const listens = config.flatMap(({ text }) => [...text.matchAll(/\blisten\s+(?:[^;\s]*:)?(\d+)([^;]*);/g)].map((match) => ({ port: Number(match[1]), tls: /\bssl\b/.test(match[2] ?? '') })));
  const http = (path: string) => status(path, facts, flavour, config);
  const unique = [...new Map((listens.length > 0 ? listens : [{ port: flavour.port, tls: false }]).map((each) => [each.port, each])).values()];
  return unique.map(({ port, tls }) => ({ port, afterMs: readyMs, http, ...(tls ? { tls } : {}) }));
}

/** 200 for what a location of its configuration names or a file is there for, else 404. */
function status(path: string, facts: ContainerFacts, { documents }: Flavour, config: readonly Line[]): number {
  const locations = config.flatMap(({ text }) => [...text.matchAll(/\blocation\s+(=|~\*?|\^~)?\s*(\S+?)\s*\{/g)]).map((match) => ({ how: match[1] ?? '', what: match[2] ?? '' }));
  const named = locations.some(({ how, what }) => what !== '/' && (how === '=' ? path === what : how.startsWith('~') ? matches(what, path) : path.startsWith(what)));
  const rest = /\blocation\s+\/\s*\{([^}]*)/.exec(config.map(({ text }) => text).join('\n'))?.[1] ?? '';
  if (named || /\b(?:proxy_pass|fastcgi_pass|return\s+[23])|\btry_files(?![^;]*=404)/.test(rest)) return 200;
  const mounted = mountOf(facts, documents);
  // What lies in a claim or on the host is not known.
  if (mounted && mounted.files.size === 0) return 200;
  const file = `${documents}${path.endsWith('/') ? `${path}index.html` : path}`;
  if (mounted) return mounted.files.has(file) ? 200 : path === '/' ? 403 : 404;
  return path === '/' || path === '/index.html' || path === '/50x.html' ? 200 : 404;
}

function matches(pattern: string, path: string): boolean {
  // A pattern of somebody's configuration is only looked at where it cannot take long.
  return pattern.length < 80 && !/[)*+}][*+{]/.test(pattern) && /^[\w^$./|()\\-]+$/.test(pattern) && new RegExp(pattern).test(path);
}
