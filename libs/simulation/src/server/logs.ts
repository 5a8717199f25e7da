import type { ServerResponse } from 'node:http';
import { badRequest, notFound } from './api-error';
import type { Kind } from './kinds';
import type { KubeObject } from './kube-object';
import { at, list, text } from './kube-object';

/** One line that a container wrote. */
export interface LogLine {
  /** RFC 3339, with as many digits as the writer has. */
  time: string;
  line: string;
}

/** One life of a container: restarts count from 0. */
interface Life {
  restart: number;
  lines: LogLine[];
  bytes: number;
  ended?: boolean;
}

/** Somebody who reads along. */
interface Follower {
  line(line: LogLine): void;
  /** No more comes. */
  end(): void;
}

/** Lines of one life kept in memory; older ones go, as a kubelet rotates logs. */
const MAX_BYTES = 1024 * 1024;
/** Lives kept: the present and the previous. */
const LIVES = 2;

/** What containers wrote. The simulated kubelet fills it (`append`, or POST /simulation/logs/NAMESPACE/POD/CONTAINER). */
export class ContainerLogs {
  private readonly lives = new Map<string, Life[]>();
  private readonly followers = new Map<string, Set<Follower>>();

  private key = (namespace: string, pod: string, container: string) => `${namespace}/${pod}/${container}`;

  /** Adds lines to life number `restart` of a container; a higher number starts a new life. */
  append(namespace: string, pod: string, container: string, restart: number, lines: LogLine[]): void {
    const key = this.key(namespace, pod, container);
    const lives = this.lives.get(key) ?? [];
    this.lives.set(key, lives);
    let life = lives.find((l) => l.restart === restart);
    if (!life) {
      this.endFollowers(key);
      lives.push((life = { restart, lines: [], bytes: 0 }));
      lives.sort((a, b) => a.restart - b.restart);
      if (lives.length > LIVES) lives.shift();
    }
    for (const line of lines) {
      life.lines.push(line);
      life.bytes += line.line.length;
      for (const follower of this.followers.get(key) ?? []) follower.line(line);
    }
    while (life.bytes > MAX_BYTES && life.lines.length > 1) life.bytes -= life.lines.shift()?.line.length ?? 0;
  }

  /** The lines of the present life, or of the one before it; undefined where there was none. */
  read(namespace: string, pod: string, container: string, previous: boolean): readonly LogLine[] | undefined {
    return this.lives.get(this.key(namespace, pod, container))?.at(previous ? -2 : -1)?.lines;
  }

  /** Life number `restart` of a container is over; who follows it reads no further. */
  end(namespace: string, pod: string, container: string, restart: number): void {
    const key = this.key(namespace, pod, container);
    const life = this.lives.get(key)?.at(-1);
    if (life?.restart !== restart) return;
    life.ended = true;
    this.endFollowers(key);
  }

  /** Whether the present life of a container is known to be over. */
  hasEnded(namespace: string, pod: string, container: string): boolean {
    return this.lives.get(this.key(namespace, pod, container))?.at(-1)?.ended ?? false;
  }

  /** Forgets a pod that is gone. */
  forget(namespace: string, pod: string): void {
    const mine = (key: string) => key.startsWith(`${namespace}/${pod}/`);
    for (const key of [...this.followers.keys()].filter(mine)) this.endFollowers(key);
    for (const key of this.lives.keys()) if (mine(key)) this.lives.delete(key);
  }

  follow(namespace: string, pod: string, container: string, follower: Follower): () => void {
    const key = this.key(namespace, pod, container);
    const set = this.followers.get(key) ?? new Set();
    this.followers.set(key, set.add(follower));
    return () => {
      set.delete(follower);
      if (set.size === 0) this.followers.delete(key);
    };
  }

  private endFollowers(key: string): void {
    const set = this.followers.get(key);
    this.followers.delete(key);
    for (const follower of set ?? []) follower.end();
  }
}

/** Answers `GET …/pods/NAME/log` with its options; returns how to stop following. */
export function sendLog(res: ServerResponse, logs: ContainerLogs, pods: Kind, pod: KubeObject | undefined, name: string, query: URLSearchParams, now: Date): () => void {
  if (!pod) throw notFound(pods, name);
  const namespace = pod.metadata.namespace ?? '';
  const container = chosenContainer(pod, query.get('container'));
  const previous = query.get('previous') === 'true';
  const lines = logs.read(namespace, name, container, previous);
  if (previous && !lines) throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  const status = containerStatus(pod, container);
  const waiting = at(status, 'state', 'waiting', 'reason');
  if (!lines && waiting) throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${text(waiting)}`);
  const stamped = query.get('timestamps') === 'true';
  const show = (line: LogLine) => `${stamped ? `${line.time} ` : ''}${line.line}\n`;
  res.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
  res.flushHeaders();
  res.write(limited(selected(lines ?? [], query, now).map(show).join(''), query.get('limitBytes')));
  const running = at(status, 'state', 'running') !== undefined && !logs.hasEnded(namespace, name, container);
  if (query.get('follow') !== 'true' || previous || !running) {
    res.end();
    return () => undefined;
  }
  const stop = logs.follow(namespace, name, container, { line: (line) => void res.write(show(line)), end: () => void res.end() });
  res.on('close', stop);
  return () => {
    stop();
    res.end();
  };
}

function chosenContainer(pod: KubeObject, asked: string | null): string {
  const names = (field: string) => list(at(pod, 'spec', field)).map((c) => text(c['name']));
  const main = names('containers');
  const init = names('initContainers');
  const pod0 = pod.metadata.name ?? '';
  if (asked) {
    if ([...main, ...init].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod0}`);
  }
  if (main.length === 1 && main[0] !== undefined) return main[0];
  const inits = init.length ? ` or one of the init containers: [${init.join(' ')}]` : '';
  throw badRequest(`a container name must be specified for pod ${pod0}, choose one of: [${main.join(' ')}]${inits}`);
}

const containerStatus = (pod: KubeObject, name: string) =>
  [...list(at(pod, 'status', 'containerStatuses')), ...list(at(pod, 'status', 'initContainerStatuses'))].find((s) => s['name'] === name);

function selected(lines: readonly LogLine[], query: URLSearchParams, now: Date): readonly LogLine[] {
  const seconds = query.get('sinceSeconds');
  const from = query.get('sinceTime') ? Date.parse(query.get('sinceTime') as string) : seconds ? now.getTime() - Number(seconds) * 1000 : undefined;
  const recent = from === undefined ? lines : lines.filter((l) => Date.parse(l.time) >= from);
  const tail = query.get('tailLines');
  if (tail === null) return recent;
  return Number(tail) > 0 ? recent.slice(-Number(tail)) : [];
}

function limited(out: string, limitBytes: string | null): Buffer {
  const bytes = Buffer.from(out);
  return limitBytes === null ? bytes : bytes.subarray(0, Number(limitBytes));
}
